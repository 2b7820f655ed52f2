import FoundationEssentials
import RawJSON
import Testing

@testable import ArchiveStore

struct ManifestDocumentTests {
  private let name = ArchiveName(date: Sample.second)

  @Test func `a manifest reads back as it was written`() throws {
    let manifest = Sample.manifest(of: name, bytes: 5)
    let document = try ManifestDocument(json: ManifestDocument(manifest).json())
    #expect(document.manifest == manifest)
  }

  @Test func `recording a verdict keeps what this version does not know`() throws {
    var fields = try JSON.decoder().decode(
      [String: JSONValue].self,
      from: Data(ManifestDocument(Sample.manifest(of: name, bytes: 5)).json()))
    fields["colour"] = .string("green")
    fields["verification"] = .object([
      "level": .string("valid"), "verified_at": .string("2026-11-23T02:00:00.250Z"),
      "by": .string("somebody"),
    ])
    fields["huge"] = .unsigned(UInt64.max)
    var document = try ManifestDocument(json: Array(JSON.encoder().encode(fields)))
    document.record(Manifest.Verification(level: .damaged, verifiedAt: Sample.second + 60))
    let after = try JSON.decoder().decode([String: JSONValue].self, from: Data(document.json()))
    #expect(after["colour"] == .string("green"))
    #expect(after["huge"] == .unsigned(UInt64.max))
    #expect(
      after["verification"]
        == .object([
          "level": .string("damaged"), "verified_at": .string("2026-11-23T02:01:00Z"),
          "by": .string("somebody"),
        ]))
  }

  @Test func `what is not known stands as null`() throws {
    let json = try ManifestDocument(Sample.manifest(of: name, bytes: 5)).json()
    let text = String(decoding: json, as: UTF8.self)
    for key in ["context", "host", "port", "changes_since_last_save", "maxmemory_policy"] {
      #expect(text.contains("\"\(key)\" : null"), "\(key)")
    }
  }

  @Test func `a newer manifest is recognised`() throws {
    var manifest = Sample.manifest(of: name, bytes: 5)
    manifest.schemaVersion = 2
    #expect(try ManifestDocument(json: ManifestDocument(manifest).json()).isNewer)
  }
}
