import FoundationEssentials
import Testing

@testable import ArchiveStore

struct ArchiveNameTests {
  private let second = Date(timeIntervalSince1970: 1_795_399_200)

  @Test func `a name tells the second in UTC`() {
    #expect(ArchiveName(date: second).description == "redis-dump-20261123T020000Z")
    #expect(ArchiveName(date: second + 0.9).description == "redis-dump-20261123T020000Z")
    #expect(
      ArchiveName(date: second, ordinal: 2).archiveFile == "redis-dump-20261123T020000Z-2.rdb.gz")
  }

  @Test func `a name reads back as itself`() {
    for ordinal in [1, 2, 17] {
      let name = ArchiveName(date: second, ordinal: ordinal)
      #expect(ArchiveName(name.description) == name)
    }
  }

  @Test(arguments: [
    "", "redis-dump-", "redis-dump-20261123", "redis-dump-20261123T020000Z-", "dump.rdb",
    "redis-dump-20261123T020000Z-1", "redis-dump-20261123T020000Z-02",
    "redis-dump-20261123T020000Z-x", "redis-dump-20261323T020000Z", "redis-dump-20261123T020000",
    "redis-dump-20261123T020000Z-99999999999999999999",
  ])
  func `nothing else is a name`(text: String) {
    #expect(ArchiveName(text) == nil)
  }

  @Test func `later archives sort behind earlier ones`() {
    let names = [
      ArchiveName(date: second), ArchiveName(date: second, ordinal: 2),
      ArchiveName(date: second, ordinal: 10), ArchiveName(date: second + 1),
    ]
    #expect(names.shuffled().sorted() == names)
  }
}
