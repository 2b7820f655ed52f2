import Glibc

// Whether a connection leads to a process of this host.

extension ServerProcess {
  /// Whether the other end of a TCP connection of this host is in the hands of this process.
  ///
  /// Behind a tunnel, a proxy or an address translation it is not. Of a process of another user it is
  /// only seen that the other end belongs to that user.
  func holds(_ far: ServerAddress, connectedTo near: ServerAddress) -> Bool {
    guard let socket = Socket(at: far, connectedTo: near) else { return false }
    return hasOpen(socket) ?? (userID == socket.userID)
  }

  /// Whether this process has a socket open; nil where this user may not look.
  private func hasOpen(_ socket: Socket) -> Bool? {
    let directory = "/proc/\(id)/fd"
    let names: [String]?
    do throws(TargetError) {
      names = try POSIX.names(in: directory)
    } catch {
      return nil
    }
    guard let names else { return nil }
    for name in names {
      errno = 0
      if Self.linkTarget("\(directory)/\(name)") == "socket:[\(socket.inode)]" { return true }
      // Who may pass every directory may not for that look into every process.
      if errno == EACCES { return nil }
    }
    return false
  }
}

/// One end of a TCP connection, as the kernel lists it (proc(5), `/proc/net/tcp`).
private struct Socket {
  /// A list that changes while it is read may lack an entry.
  private static let lookCount = 3

  let inode: Substring
  let userID: Substring

  /// Nil where this host has no such end.
  init?(at own: ServerAddress, connectedTo other: ServerAddress) {
    guard let own = Self.listed(own), let other = Self.listed(other) else { return nil }
    for _ in 0..<Self.lookCount {
      for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        guard let fields = Self.fields(in: table, where: { own.contains($0) && other.contains($1) })
        else { continue }
        userID = fields[7]
        inode = fields[9]
        return
      }
    }
    return nil
  }

  /// The fields of the first entry whose two addresses are those that are looked for.
  private static func fields(
    in table: String, where isMeant: (_ own: Substring, _ other: Substring) -> Bool
  ) -> [Substring]? {
    var rest = ""
    var offset: UInt64 = 0
    do throws(TargetError) {
      let file = try POSIXFile(table, O_RDONLY)
      while true {
        let piece = try file.read(at: offset, count: 64 << 10)
        if piece.isEmpty { return nil }
        offset += UInt64(piece.count)
        rest += String(decoding: piece, as: UTF8.self)
        while let end = rest.firstIndex(of: "\n") {
          let fields = rest[..<end].split(separator: " ")
          if fields.count > 9, isMeant(fields[1], fields[2]) { return fields }
          rest.removeSubrange(...end)
        }
      }
    } catch {
      // A kernel without IPv6 has no such list.
      return nil
    }
  }

  /// How the kernel may write an address: 32-bit words in the order of the machine, then the port. An IPv4
  /// address stands among those of IPv6 as well, at either end.
  private static func listed(_ address: ServerAddress) -> [Substring]? {
    let port = hexadecimal(UInt32(clamping: address.port), digitCount: 4)
    let host = address.host.prefix { $0 != "%" }
    var words = [UInt32](repeating: 0, count: 4)
    let mark = [0, 0, UInt32(0xffff).bigEndian]
    if unsafe inet_pton(AF_INET, String(host), &words) == 1 {
      words = mark + [words[0]]
    } else if unsafe inet_pton(AF_INET6, String(host), &words) != 1 {
      return nil
    }
    let digits = words.map { hexadecimal($0, digitCount: 8) }
    let whole = "\(digits.joined()):\(port)"
    let isMapped = words.starts(with: mark)
    return [Substring(whole)] + (isMapped ? ["\(digits[3]):\(port)"] : [])
  }

  private static func hexadecimal(_ number: UInt32, digitCount: Int) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digitCount - digits.count)) + digits
  }
}
