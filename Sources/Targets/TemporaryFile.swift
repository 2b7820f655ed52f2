import Glibc
import SystemPackage

/// A file without a name, gone with its last descriptor.
struct TemporaryFile: ~Copyable {
  let descriptor: FileDescriptor
  private static let directory = "/tmp"

  init() throws(TargetError) {
    let directory = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? Self.directory
    var template = Array("\(directory)/raibid-backup-XXXXXX".utf8CString)
    let number = try POSIX.call(directory) {
      unsafe mkstemp(&template)
    }
    descriptor = FileDescriptor(rawValue: number)
    _ = unsafe unlink(template)
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
  }

  deinit {
    close(descriptor.rawValue)
  }

  /// The end of what was written.
  func lastText(byteCount: Int) throws(TargetError) -> String {
    var status = stat()
    let number = descriptor.rawValue
    _ = try POSIX.call("temporary file") { unsafe fstat(number, &status) }
    let start = max(0, Int(status.st_size) - byteCount)
    var buffer = [UInt8](repeating: 0, count: byteCount)
    let count = try POSIX.call("temporary file") {
      unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(number, bytes.baseAddress, bytes.count, off_t(start))
      }
    }
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }
}
