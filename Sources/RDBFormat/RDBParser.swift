/// Reads an RDB file as it comes, up to its end opcode, and keeps facts about it.
///
/// Sources: `src/rdb.h` and `src/rdb.c` of Redis 2.4 to 8.8 and of Valkey 8 and 9.
struct RDBParser: TokenParser, Sendable {
  /// Names are kept up to this many bytes.
  static let keptNameByteCount = 64 << 10
  /// The highest length or count that a file can have: 1 TiB.
  static let maximumLength: UInt64 = 1 << 40

  var carry = TokenCarry()
  var state = State.header
  /// The state that begins the value of the current key.
  var valueState = State.stringValue
  var facts = Facts()

  // The file.
  var format = RDBFormatName.redis
  var version = 0
  /// The size of the file up to its end opcode, once that was met.
  var endOffset: UInt64?
  /// The checksum in the file, once it was met.
  var footer: UInt64?

  // The current database and key.
  let referenceTime: Int64
  let onKey: (@Sendable (RDBKey) -> Void)?
  var database: UInt64 = 0
  var databasePosition: Int?
  var isInDatabase = false
  var keys = RDBKeys()
  var knownKeys = RDBKeySet()
  /// Whether keys are compared here, a batch at a time, and not by somebody else.
  var comparesKeys: Bool
  var isInKey = false
  var keyOffset: UInt64 = 0
  var valueOffset: UInt64 = 0
  var expiresAt: Int64?
  var idleSeconds: UInt64?
  var useFrequency: UInt8?
  var hasMetadata = false
  var hasAttributes = false
  var type = ValueType.string
  var valueCode: UInt8 = 0
  var encoding = Encoding.raw
  var elementCount: UInt64 = 0
  var expiringFieldCount: UInt64 = 0

  // The current string.
  var content = Content.none
  var contentOffset: UInt64 = 0
  var text: [UInt8] = []
  var textByteCount: UInt64 = 0
  var lzf = LZFDecoder()
  var blob = Blob.listpack
  var shape = PackedElements.Shape.list
  var listpack = ListpackWalker()
  var ziplist = ZiplistWalker()
  var intset = IntsetWalker()
  var zipmap = ZipmapWalker()
  /// Where the fault is, when it is not where `carry` stands.
  var packedFaultOffset: UInt64?

  // The current value.
  var remaining: UInt64 = 0
  var numbers = [8 of UInt64](repeating: 0)
  var numberCount = 0
  var hasFieldExpiry = FieldExpiry.none
  var auxName = ""
  var stream = StreamFacts()
  var module = ModuleContext.value

  init(referenceTime: Int64, comparesKeys: Bool, onKey: (@Sendable (RDBKey) -> Void)?) {
    self.referenceTime = referenceTime
    self.comparesKeys = comparesKeys
    self.onKey = onKey
  }

  /// Whether the version is newer than the newest known.
  var isNewerVersion: Bool { version > format.newestKnownVersion }

  /// Whether an element that is not known may be one that was added later.
  var mayHoldMore: Bool { version > format.newestSettledVersion }

  /// Where the last fault is.
  var faultOffset: UInt64 { packedFaultOffset ?? carry.byteOffset }

  mutating func advance(_ bytes: Span<UInt8>, _ position: inout Int) throws(RDBError.Kind) {
    let base = carry.byteOffset &- UInt64(position)
    while true {
      let goesOn =
        switch state {
        case .opcode: try opcode(bytes, &position, base)
        case .key: try key(bytes, &position, base)
        case .stringValue, .count, .item, .zsetMember, .textScore, .binaryScore,
          .fieldExpiryBefore, .field, .value, .fieldExpiryAfter, .minimumExpiry, .packedValue,
          .container, .listNode:
          try value(bytes, &position, base)
        case .streamNodeCount, .streamNodeKey, .streamNode, .streamNumbers, .groupCount,
          .groupName, .groupNumbers, .pendingCount, .pendingEntry, .consumerCount,
          .consumerName, .consumerTimes, .consumerPendingCount, .consumerPendingEntry,
          .unownedCount, .unownedEntry, .idempotence, .producerName, .producerEntryCount,
          .idempotentID, .idempotentEntry, .idempotenceCounts:
          try streamValue(bytes, &position, base)
        case .arrayCount, .arrayElement, .arrayText:
          try arrayValue(bytes, &position, base)
        case .moduleID, .moduleAuxHeader, .moduleOpcode, .moduleInteger, .moduleFloat,
          .moduleDouble, .moduleString, .keyMetadataCount, .keyMetadataClass:
          try moduleValue(bytes, &position, base)
        case .done: false
        default: try header(bytes, &position, base)
        }
      guard goesOn else { return }
    }
  }
}

extension RDBParser {
  /// What comes next.
  enum State: Sendable {
    case header, opcode, footer, done
    case databaseNumber, sizeHints, expirySeconds, expiryMilliseconds, idleTime, frequency
    case auxName, auxValue, slotFacts, slotImportName, slotRangeCount, slotRange
    case function, oldFunctionName, oldFunctionEngine, oldFunctionFlag, oldFunctionDescription
    case key, stringValue, count, item, zsetMember, textScore, binaryScore
    case fieldExpiryBefore, field, value, fieldExpiryAfter, minimumExpiry
    case packedValue, container, listNode
    case streamNodeCount, streamNodeKey, streamNode, streamNumbers
    case groupCount, groupName, groupNumbers, pendingCount, pendingEntry
    case consumerCount, consumerName, consumerTimes, consumerPendingCount, consumerPendingEntry
    case unownedCount, unownedEntry
    case idempotence, producerName, producerEntryCount, idempotentID, idempotentEntry
    case idempotenceCounts
    case arrayCount, arrayElement, arrayText
    case moduleID, moduleAuxHeader, moduleOpcode, moduleInteger, moduleFloat, moduleDouble
    case moduleString, keyMetadataCount, keyMetadataClass
  }

  /// Where a hash of single fields stores their expiries.
  enum FieldExpiry: Sendable {
    case none, before, after
  }

  /// What a module's opcodes belong to.
  enum ModuleContext: Sendable {
    case value, aux
    case keyMetadata(remaining: UInt64)
  }

  /// How a packed value is stored.
  enum Blob: Sendable {
    case listpack, ziplist, intset, zipmap
  }

  /// How a value is stored, in the words of `OBJECT ENCODING`.
  enum Encoding: String, Sendable {
    case int, raw, linkedlist, ziplist, quicklist, hashtable, intset, listpack, listpackex
    case skiplist, zipmap, stream, module
    case slicedArray = "sliced-array"
  }
}
