import FoundationEssentials
import Operations

/// A run of `create` without anyone watching, in the words of those that start it.
struct NightlyRun {
  private let time: NightlyTime.Clock
  /// The program and its arguments, with absolute paths.
  private let words: [String]
  private let directory: String
  /// The directory of the metrics file, where there is one.
  private let metricsDirectory: String?
  private let home: String
  /// What the run needs of the environment beside `HOME`.
  private let variables: [(name: String, value: String)]

  /// - Parameters:
  ///   - time: When it begins.
  ///   - words: The options of `create` as they were given.
  ///   - ownOptions: Options with a value among them that `create` does not get.
  ///   - directory: Where the archives go.
  ///   - metricsFile: Where the figures go.
  ///   - environment: Where the rest of the settings is.
  init(
    at time: NightlyTime.Clock, words: [String], without ownOptions: Set<String>,
    directory: String, metricsFile: String?, environment: Environment
  ) throws {
    let options = try CommandOption.all(of: Create.self)
    let paths = options.filter(\.isPath)
    self.time = time
    self.directory = directory.absolutePath
    metricsDirectory = metricsFile.map { file in
      let path = file.absolutePath
      return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
    }
    home = environment.home
    self.words = [Self.program, "create"] + Self.options(words, without: ownOptions, paths)
    variables =
      [("PATH", Self.searchPath(environment))]
      + (options.filter { !$0.isSecret }.map(\.variable) + ["KUBECONFIG", "SSL_CERT_FILE"])
      .sorted()
      .compactMap { name in
        environment.value(name).map { (name, Self.path($0, ofVariable: name, paths)) }
      }
  }

  /// Lines for a crontab.
  var crontab: String {
    let environment = variables.map { "\($0.name)=\($0.value)\n" }.joined()
    let command = words.map(Self.cronWord).joined(separator: " ")
    return environment + "\(time.minute) \(time.hour) * * * \(command)\n"
  }

  /// A word of a command in a crontab, where a percent sign ends the command unless a backslash stands before it, and
  /// of two backslashes one is taken: quotes between keep those of the word apart.
  private static func cronWord(_ word: String) -> String {
    shellWord(word).replacing(/\\(?=[\\%])/, with: "\\''").replacing("%", with: "\\%")
  }

  /// The service of systemd. It may write to the directories of archives and figures, nowhere else.
  var service: String {
    let environment = ([("HOME", home)] + variables).map { name, value in
      "Environment=\(Self.unitWord("\(name)=\(value)"))"
    }.joined(separator: "\n")
    return """
      [Unit]
      Description=Back up Redis
      Wants=network-online.target
      After=network-online.target

      [Service]
      Type=oneshot
      ExecStartPre=+/bin/mkdir -p -m 0700 \(Self.commandWord(directory))
      ExecStart=\(words.map(Self.commandWord).joined(separator: " "))
      \(environment)
      UMask=0077
      ReadWritePaths=\(writablePaths)
      ProtectSystem=strict
      ProtectHome=read-only
      PrivateTmp=\(writesToTemporary ? "no" : "yes")
      PrivateDevices=yes
      NoNewPrivileges=yes
      CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH
      ProtectClock=yes
      ProtectControlGroups=yes
      ProtectHostname=yes
      ProtectKernelLogs=yes
      ProtectKernelModules=yes
      ProtectKernelTunables=yes
      RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
      RestrictNamespaces=yes
      RestrictRealtime=yes
      RestrictSUIDSGID=yes
      LockPersonality=yes
      MemoryDenyWriteExecute=yes
      SystemCallArchitectures=native

      """
  }

  private var writableDirectories: [String] {
    [directory] + (metricsDirectory.map { [$0] } ?? [])
  }

  /// A private `/tmp` or `/var/tmp` goes with the run, and all that was written there.
  private var writesToTemporary: Bool {
    writableDirectories.contains { directory in
      ["/tmp", "/var/tmp"].contains { directory == $0 || directory.hasPrefix($0 + "/") }
    }
  }

  private var writablePaths: String {
    writableDirectories
      .map { Self.unitWord("-" + $0) }.joined(separator: " ")
  }

  /// The timer of systemd. A night that the host slept through is made up for.
  var timer: String {
    let clock = [time.hour, time.minute].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return """
      [Unit]
      Description=Back up Redis every night

      [Timer]
      OnCalendar=*-*-* \(clock.joined(separator: ":")):00
      Persistent=true

      [Install]
      WantedBy=timers.target

      """
  }

  // MARK: - Words

  /// The words of options without some of them, and with absolute paths.
  ///
  /// - Parameters:
  ///   - left: Options with a value that are left out.
  ///   - flags: Options without one that are left out.
  ///   - paths: Options whose value is a file of this host.
  static func options(
    _ words: [String], without left: Set<String>, flags: Set<String> = [],
    _ paths: [CommandOption] = []
  ) -> [String] {
    let fileOptions = Set(paths.flatMap(\.spellings))
    var options: [String] = []
    var previous = ""
    for word in words {
      defer { previous = word }
      if left.contains(word) || left.contains(previous) || flags.contains(word) { continue }
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2, parts[0].hasPrefix("-") {
        if left.contains(parts[0]) { continue }
        options.append(
          fileOptions.contains(parts[0]) ? "\(parts[0])=\(parts[1].absolutePath)" : word)
      } else {
        options.append(fileOptions.contains(previous) ? word.absolutePath : word)
      }
    }
    return options
  }

  private static func path(
    _ value: String, ofVariable name: String, _ paths: [CommandOption]
  ) -> String {
    if name == "KUBECONFIG" {
      return value.split(separator: ":").map { String($0).absolutePath }.joined(separator: ":")
    }
    return name == "SSL_CERT_FILE" || paths.contains { $0.variable == name }
      ? value.absolutePath : value
  }

  /// This program.
  private static var program: String {
    do {
      return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    } catch {
      return (CommandLine.arguments.first ?? Tool.name).absolutePath
    }
  }

  /// Where kubectl is found at night as it is now.
  private static func searchPath(_ environment: Environment) -> String {
    let usual = ["/usr/local/bin", "/usr/bin", "/bin"]
    let directories = (environment.value("PATH") ?? "").split(separator: ":").map(String.init)
    let kubectl = directories.first { directory in
      FileManager.default.isExecutableFile(atPath: directory + "/kubectl")
    }
    let added = kubectl.map(\.absolutePath).map { usual.contains($0) ? [] : [$0] } ?? []
    return (added + usual).joined(separator: ":")
  }

  /// A word of a command as systemd reads it: `$` means itself.
  private static func commandWord(_ word: String) -> String {
    unitWord(word.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$"))
  }

  /// A word as systemd reads it: quoted where it has to be, `%` meaning itself.
  private static func unitWord(_ word: String) -> String {
    var text = ""
    for character in word {
      switch character {
      case "%": text += "%%"
      case "\\", "\"": text += "\\\(character)"
      default: text.append(character)
      }
    }
    let isPlain = !text.isEmpty && text.allSatisfy { !" \t'\"\\;".contains($0) }
    return isPlain ? text : "\"\(text)\""
  }
}
