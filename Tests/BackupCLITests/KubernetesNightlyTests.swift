import FoundationEssentials
import Subprocess
import SystemPackage
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  /// The image is built, the job that `schedule kubernetes` prints is run once, and what it wrote is
  /// verified and restored from inside the cluster, each with its own account.
  @Test(.enabled(if: NightlyImage.canBeImported, "the cluster's containerd is not reached by ctr"))
  func `the nightly job makes a backup inside the cluster, and a restore there brings it back`()
    async throws
  {
    try await NightlyImage.with { image in
      try await ClusterUser.with { user in
        let redis = user.redis
        let before = try await redis.picture()
        let note = "50% of $HOME $(HOME) isn't \"x\" \\"
        let printed = try await user.tool.run(
          ["schedule", "kubernetes", "--namespace", redis.namespace, "--image", image]
            + ["--tag", "note=\(note)", "--prune", "--keep-daily", "14"], plain: true)
        #expect(printed.status == 0 && printed.error.isEmpty, "\(printed)")
        // The cluster of the tests has no CronJob of batch/v1 yet. Inside it nothing is forwarded.
        try await redis.kubectl(
          "apply", "--filename=-",
          input: printed.output.replacing(": batch/v1\n", with: ": batch/v1beta1\n")
            .replacing("pods/exec, pods/portforward", with: "pods/exec"))

        let job = try await NightlyJob(of: redis)
        #expect(try await job.run("once") == "")
        try await NightlyImage.expectPrivateFiles(onClaimOf: redis)
        let listed = try JSONDecoder().decode(
          Listed.self, from: Data(try await job.run("list", ["list", "--json"]).utf8))
        #expect(listed.archives.map(\.tags) == [["note": note]])
        #expect(listed.archives.map(\.source.pod) == [ClusterRedis.pod])
        #expect(listed.archives.map(\.source.context) == [nil])
        #expect(try await job.run("verify", ["verify"]).contains("valid"))

        try await redis.wreck()
        try await redis.kubectl("apply", "--filename=-", input: try Roles().text)
        let told = try await job.run(
          "restore", ["restore", "latest", "--yes"], account: "raibid-restore")
        #expect(told.contains("restored: the backup's data is served"), "\(told)")
        #expect(try await redis.picture() == before)
        #expect(try await redis.strangers() == [])
      }
    }
  }

  @Test(arguments: [
    [], ["--heartbeat-url", "https://a.example/$(HOME)'x"], ["--host-path", "node-1:/a b"],
    ["--tls", "--cacert", "configmap/ca/ca.crt", "--cert", "secret/crt/a", "--key=secret/crt/b"],
    ["--selector", "a in (b, c)", "--user", "yes", "--tag", "note=- : # \\ é"],
  ])
  func `the cluster takes what is printed`(options: [String]) async throws {
    let printed = try await BackupTool(options: [], home: "/").run(
      ["schedule", "kubernetes", "--namespace", "default"] + options)
    #expect(printed.status == 0, "\(printed)")
    // The cluster of the tests has no CronJob of batch/v1 yet.
    let result = try await Subprocess.run(
      .name("kubectl"),
      arguments: [
        "--kubeconfig", try #require(ClusterRedis.kubeconfig), "apply", "--dry-run=server",
        "--filename=-",
      ],
      input: .string(printed.output.replacing(": batch/v1\n", with: ": batch/v1beta1\n")),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
    #expect(result.standardOutput.contains("cronjob.batch/raibid-backup created"))
  }

  private struct Listed: Decodable {
    struct Archive: Decodable {
      struct Source: Decodable {
        let context: String?
        let pod: String
      }

      let tags: [String: String]
      let source: Source
    }

    let archives: [Archive]
  }
}

/// The job of the CronJob in the namespace.
private struct NightlyJob {
  private let redis: ClusterRedis
  private let template: String

  init(of redis: ClusterRedis) async throws {
    self.redis = redis
    template = try await redis.kubectl(
      "get", "cronjob/raibid-backup", "-o", "jsonpath={.spec.jobTemplate.spec}")
  }

  /// Runs the job once, and returns what it has printed.
  ///
  /// - Parameters:
  ///   - arguments: Nil for those of the schedule.
  ///   - account: Nil for that of the schedule.
  func run(
    _ name: String, _ arguments: [String]? = nil, account: String? = nil
  ) async throws -> String {
    var spec = template
    if let arguments {
      let start = try #require(spec.firstRange(of: "\"args\":["))
      let end = try #require(spec[start.upperBound...].firstIndex(of: "]"))
      let words = arguments.map { "\"\($0)\"" }.joined(separator: ",")
      spec.replaceSubrange(start.upperBound..<end, with: words)
    }
    if let account {
      spec = spec.replacing(
        "\"serviceAccountName\":\"raibid-backup\"", with: "\"serviceAccountName\":\"\(account)\"")
    }
    try await redis.kubectl(
      "create", "--filename=-",
      input: """
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"\(name)"},"spec":\(spec)}
        """)
    let ending = "jsonpath={.status.conditions[*].type}"
    try await eventually("job \(name) has ended", within: .seconds(300)) {
      try await !redis.kubectl("get", "job/\(name)", "-o", ending).isEmpty
    }
    let log = try await redis.kubectl("logs", "job/\(name)")
    #expect(try await redis.kubectl("get", "job/\(name)", "-o", ending) == "Complete", "\(log)")
    return log
  }
}

/// The image of this build, in the cluster for the length of a body.
private enum NightlyImage {
  private static let clusterDirectory =
    ProcessInfo.processInfo.environment["RAIBID_KUBE_DIR"] ?? "/var/lib/raibid-kube"
  private static let socket = clusterDirectory + "/run/containerd.sock"

  static var canBeImported: Bool { FileManager.default.fileExists(atPath: socket) }

  static func with(_ body: (_ image: String) async throws -> Void) async throws {
    let image = "localhost/raibid-backup:test-\(UInt32.random(in: 0 ... .max))"
    try await withTemporaryDirectory { place in
      var script = URL(filePath: #filePath)
      for _ in 1...3 { script.deleteLastPathComponent() }
      try await call(
        script.appending(path: "scripts/image").path,
        ["--binary", try BackupTool.path, "--name", image, place + "/image.tar"])
      try await ctr("import", place + "/image.tar")
    }
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(image))
    } catch {
      outcome = .failure(error)
    }
    try await ctr("remove", image)
    try outcome.get()
  }

  /// Expects that what lies on the claim for the archives is its user's alone.
  static func expectPrivateFiles(onClaimOf redis: ClusterRedis) async throws {
    let volume = try await redis.kubectl(
      "get", "persistentvolumeclaim/raibid-backup", "-o", "jsonpath={.spec.volumeName}")
    let directory = clusterDirectory + "/pv/" + volume
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(names.filter { $0.hasPrefix("redis-dump-") }.count == 3)
    for name in names {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
      #expect(attributes[.ownerAccountID] as? Int == 65532, "\(name)")
    }
  }

  private static func ctr(_ arguments: String...) async throws {
    try await call(
      "ctr", ["--address", socket, "--namespace", "k8s.io", "images"] + arguments)
  }

  private static func call(_ program: String, _ arguments: [String]) async throws {
    let result = try await run(
      program.hasPrefix("/") ? .path(.init(program)) : .name(program),
      arguments: Arguments(arguments), output: .string(limit: 1 << 20),
      error: .string(limit: 1 << 20))
    try #require(
      result.terminationStatus.isSuccess, "\(program): \(result.standardError)")
  }
}
