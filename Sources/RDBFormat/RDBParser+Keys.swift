// The begin and the end of every key.

extension RDBParser {
  /// Prepares for a value of the type that `code` stands for.
  mutating func beginValue(_ code: UInt8, at offset: UInt64) throws(RDBError.Kind) {
    hasFieldExpiry = .none
    shape = .list
    switch code {
    case 0: describe(.string, .raw, .stringValue)
    case 1: describe(.list, .linkedlist, .count)
    case 2: describe(.set, .hashtable, .count)
    case 3, 5: describe(.zset, .skiplist, .count)
    case 4: describe(.hash, .hashtable, .count)
    case 7: describe(.module, .module, .moduleID)
    case 9: describe(.hash, .zipmap, .packedValue, .zipmap)
    case 10: describe(.list, .ziplist, .packedValue, .ziplist)
    case 11: describe(.set, .intset, .packedValue, .intset)
    case 12: describe(.zset, .ziplist, .packedValue, .ziplist, .sortedSet)
    case 13: describe(.hash, .ziplist, .packedValue, .ziplist, .hash)
    case 14: describe(.list, .quicklist, .count, .ziplist)
    case 16: describe(.hash, .listpack, .packedValue, .listpack, .hash)
    case 17: describe(.zset, .listpack, .packedValue, .listpack, .sortedSet)
    case 18: describe(.list, .quicklist, .count, .listpack)
    case 20: describe(.set, .listpack, .packedValue, .listpack, .set)
    case 15, 19, 21: beginStream(code)
    case 22 where format == .valkey:
      describe(.hash, .hashtable, .count)
      hasFieldExpiry = .after
    case 22...28 where format == .redis:
      beginRedisValue(code)
    default: throw .unknownOpcode(code)
    }
    if comparesKeys, keys.isFull, compareKeys() != nil { throw .duplicateKey }
    keys.beginKey()
    valueCode = code
    keyOffset = offset
    elementCount = 0
    expiringFieldCount = 0
  }

  /// Compares the keys that wait with all before them.
  ///
  /// - Returns: The first repetition so far.
  mutating func compareKeys() -> RDBError? {
    knownKeys.compare(keys)
    keys.removeAll()
    return knownKeys.fault
  }

  private mutating func beginRedisValue(_ code: UInt8) {
    switch code {
    case 22, 24:
      describe(.hash, .hashtable, code == 22 ? .count : .minimumExpiry)
      hasFieldExpiry = .before
    case 23, 25:
      let first = code == 23 ? State.packedValue : .minimumExpiry
      describe(.hash, .listpackex, first, .listpack, .expiringHash)
    case 28: describe(.array, .slicedArray, .arrayCount)
    default: beginStream(code)
    }
  }

  private mutating func beginStream(_ code: UInt8) {
    describe(.stream, .stream, .streamNodeCount, .listpack, .stream)
    stream = StreamFacts(code: code)
    listpack.elements.node.beginStream()
  }

  private mutating func describe(
    _ type: ValueType, _ encoding: Encoding, _ first: State, _ blob: Blob = .listpack,
    _ shape: PackedElements.Shape = .list
  ) {
    self.type = type
    self.encoding = encoding
    self.blob = blob
    self.shape = shape
    valueState = first
  }

  mutating func key(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    guard try string(bytes, &position, base, into: .key) else { return false }
    valueOffset = base &+ UInt64(position)
    isInKey = true
    isInDatabase = true
    if databasePosition == nil { findDatabase() }
    keys.endKey(database: database, byteOffset: keyOffset)
    state = valueState
    return true
  }

  private mutating func findDatabase() {
    databasePosition = facts.position(ofDatabase: database)
    guard databasePosition == nil else { return }
    facts.addOnce(
      RDBFinding(
        kind: .listCut, message: "only the first \(Facts.databaseLimit) databases are listed",
        byteOffset: keyOffset, database: database))
  }

  /// Counts the key whose value ends at `end`.
  mutating func endKey(at end: UInt64) {
    let isEmpty = elementCount == 0 && type != .stream
    if isEmpty {
      facts.add(
        emptyValue: RDBFinding(
          kind: .emptyValue, message: "an empty \(type.rawValue), which servers drop",
          byteOffset: keyOffset, database: database, key: keys.keyPrefix))
    } else {
      facts.count(
        type, databaseAt: databasePosition, expiresAt: expiresAt, referenceTime: referenceTime,
        hasExpiringFields: expiringFieldCount > 0)
      let byteCount = end - keyOffset
      if byteCount >= facts.largestKeyThreshold {
        facts.consider(
          LargestKey(
            database: database, key: keys.key, type: type, encoding: encoding.rawValue,
            bytes: byteCount, elements: elementCount))
      }
      if let onKey {
        onKey(
          RDBKey(
            database: database, key: keys.key, type: type, encoding: encoding.rawValue,
            bytes: byteCount, elements: elementCount, expiresAt: expiresAt,
            isCut: keys.isKeyCut,
            value: RDBKey.Value(
              typeCode: valueCode, range: valueOffset..<max(end, valueOffset),
              idleSeconds: idleSeconds, useFrequency: useFrequency, hasMetadata: hasMetadata)))
      }
    }
    isInKey = false
    expiresAt = nil
    idleSeconds = nil
    useFrequency = nil
    hasMetadata = false
    hasAttributes = false
    state = .opcode
  }
}
