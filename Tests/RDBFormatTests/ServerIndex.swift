import RDBFormat

/// What a live server said about its data: the file beside each fixture.
struct ServerIndex: Decodable {
  let dbs: [String: Database]
  let types: [String: UInt64]
  let keysTotal: UInt64
  let expiresTotal: UInt64
  let streams: [Stream]
  let keys: [Key]
  let functions: UInt64
  let file: File

  struct Database: Decodable {
    let keys: UInt64
    let expires: UInt64
  }

  struct Stream: Decodable {
    let db: UInt64
    let key: String
    let length: UInt64
    let lastGeneratedID: String
    let maxDeletedID: String?
    let entriesAdded: UInt64?
    let firstID: String?
    let lastID: String?
    let groups: [Group]

    private enum CodingKeys: String, CodingKey {
      case db, key, length, groups
      case lastGeneratedID = "last-generated-id"
      case maxDeletedID = "max-deleted-entry-id"
      case entriesAdded = "entries-added"
      case firstID = "first-entry-id"
      case lastID = "last-entry-id"
    }
  }

  struct Group: Decodable {
    let name: String
    let lastDeliveredID: String
    let entriesRead: UInt64?
    let pending: UInt64
    let consumers: [Consumer]

    private enum CodingKeys: String, CodingKey {
      case name, pending, consumers
      case lastDeliveredID = "last-delivered-id"
      case entriesRead = "entries-read"
    }
  }

  struct Consumer: Decodable {
    let name: String
    let pending: UInt64
  }

  struct Key: Decodable {
    let db: UInt64
    let keyHex: String
    let type: String
    let encoding: String
    let length: UInt64?
    let pexpiretime: Int64?

    private enum CodingKeys: String, CodingKey {
      case db, type, encoding, length, pexpiretime
      case keyHex = "key_hex"
    }
  }

  struct File: Decodable {
    let size: UInt64
    let magic: String
    let footerHex: String
    let hasChecksum: Bool

    private enum CodingKeys: String, CodingKey {
      case size, magic
      case footerHex = "crc64_footer_hex"
      case hasChecksum = "checksum_present"
    }
  }

  private enum CodingKeys: String, CodingKey {
    case dbs, types, streams, keys, functions, file
    case keysTotal = "keys_total"
    case expiresTotal = "expires_total"
  }
}

/// The bytes of a text that was decoded from them as Latin-1.
func latin1(_ text: String) -> [UInt8] {
  text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
