import FoundationEssentials
import Testing

/// A file that a real server wrote, with what that server said was in it.
struct Fixture: CustomTestStringConvertible, Sendable {
  let name: String

  static let all = names().map { Fixture(name: $0) }
  /// Those of a few kilobytes, for tests that take their size squared.
  static let small = all.filter { $0.bytes.count < 20_000 }
  static let withChecksum = all.filter { !$0.name.contains("nochecksum") }

  var testDescription: String { name }

  var bytes: [UInt8] {
    (try? Array(Data(contentsOf: URL(filePath: Fixture.folder + name + ".rdb")))) ?? []
  }

  func index() throws -> ServerIndex {
    let data = try Data(contentsOf: URL(filePath: Fixture.folder + name + ".index.json"))
    return try JSONDecoder().decode(ServerIndex.self, from: data)
  }

  private static let folder =
    String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.startIndex))
    + "/Fixtures/"

  private static func names() -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".rdb") }.map { String($0.dropLast(4)) }.sorted()
  }
}
