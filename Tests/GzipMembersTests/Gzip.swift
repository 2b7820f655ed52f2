import Glibc

/// The `gzip` of this machine.
enum Gzip {
  struct Output: Equatable {
    let status: Int32
    let bytes: [UInt8]
  }

  /// What `gzip` with these arguments makes of the bytes.
  static func run(_ arguments: String, _ input: [UInt8]) throws -> Output {
    var template = Array("/tmp/gzip-members-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Broken(description: "mkdtemp: \(errno)") }
    let path = template.dropLast().map { UInt8(truncatingIfNeeded: $0) }
    let folder = String(decoding: path, as: UTF8.self)
    defer {
      unsafe unlink("\(folder)/in")
      unsafe unlink("\(folder)/out")
      unsafe rmdir(folder)
    }
    try write(input, to: "\(folder)/in")
    let status = unsafe system("gzip \(arguments) <\(folder)/in >\(folder)/out 2>/dev/null")
    return Output(status: status >> 8 & 0xff, bytes: try read("\(folder)/out"))
  }

  /// What `gunzip` gives; nil where it finds anything wrong.
  static func gunzip(_ bytes: [UInt8]) throws -> [UInt8]? {
    let output = try run("-dc", bytes)
    return output.status == 0 ? output.bytes : nil
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = unsafe fopen(path, "w") else { throw Broken(description: "open: \(errno)") }
    unsafe fwrite(bytes, 1, bytes.count, file)
    unsafe fclose(file)
  }

  private static func read(_ path: String) throws -> [UInt8] {
    guard let file = unsafe fopen(path, "r") else { throw Broken(description: "open: \(errno)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }
}
