// Streams: listpacks of entries, figures, then consumer groups.

extension RDBParser {
  mutating func streamValue(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .streamNodeCount:
      guard let count = try limitedLength(bytes, &position) else { return false }
      stream.remainingNodes = count
      state = count == 0 ? .streamNumbers : .streamNodeKey
    case .streamNodeKey:
      guard try string(bytes, &position, base, into: .text) else { return false }
      guard textByteCount == 16 else {
        throw .malformed("a stream node has a key of \(textByteCount) bytes")
      }
      listpack.elements.node.begin(masterID: streamID(bigEndian: text.span, at: 0))
      state = .streamNode
    case .streamNode:
      guard try string(bytes, &position, base, into: .packed) else { return false }
      stream.remainingNodes -= 1
      state = stream.remainingNodes == 0 ? .streamNumbers : .streamNodeKey
    case .streamNumbers:
      guard try numbers(stream.version == 1 ? 3 : 8, bytes, &position) else { return false }
      try takeStreamNumbers()
      state = .groupCount
    case .groupCount:
      guard let count = try limitedLength(bytes, &position) else { return false }
      stream.remainingGroups = count
      try endGroups(at: base &+ UInt64(position))
    case .groupName, .groupNumbers, .pendingCount, .pendingEntry:
      return try group(bytes, &position, base)
    case .consumerCount, .consumerName, .consumerTimes, .consumerPendingCount,
      .consumerPendingEntry, .unownedCount, .unownedEntry:
      return try consumer(bytes, &position, base)
    default:
      return try idempotence(bytes, &position, base)
    }
    return true
  }

  private func streamID(bigEndian bytes: Span<UInt8>, at index: Int) -> StreamID {
    StreamID(
      milliseconds: bytes.bigEndian64(at: index), sequence: bytes.bigEndian64(at: index + 8))
  }

  private mutating func takeStreamNumbers() throws(RDBError.Kind) {
    let node = listpack.elements.node
    guard numbers[0] == node.liveCount else {
      throw .malformed("a stream of \(node.liveCount) entries says \(numbers[0])")
    }
    elementCount = node.liveCount
    stream.lastGeneratedID = StreamID(milliseconds: numbers[1], sequence: numbers[2])
    if let lastID = node.lastID, lastID > stream.lastGeneratedID {
      throw .malformed("a stream has an entry above its last id")
    }
    guard stream.version > 1 else { return }
    // Numbers 3 and 4 are the first id, which the entries themselves tell.
    stream.maxDeletedID = StreamID(milliseconds: numbers[5], sequence: numbers[6])
    stream.entriesAdded = numbers[7]
  }

  private mutating func group(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .groupName:
      guard try string(bytes, &position, base, into: .text) else { return false }
      try checkOrder(of: text, after: stream.groupName, "consumer groups")
      stream.groupName = text
      stream.keepsGroup = keepsMember()
      stream.consumers = []
      stream.consumerName = []
      state = .groupNumbers
    case .groupNumbers:
      guard try numbers(stream.version == 1 ? 2 : 3, bytes, &position) else { return false }
      stream.lastDeliveredID = StreamID(milliseconds: numbers[0], sequence: numbers[1])
      stream.entriesRead = stream.version == 1 || numbers[2] == .max ? nil : numbers[2]
      state = .pendingCount
    case .pendingCount:
      guard let count = try limitedLength(bytes, &position) else { return false }
      stream.pending.begin(
        count: count, entryLimit: stream.keepsGroup ? facts.reservePending(count: count) : 0)
      stream.remainingPending = count
      state = .pendingEntry
      if !stream.pending.isExact {
        addNotChecked("a consumer group has too many pending entries to check each")
      }
    default:
      while stream.remainingPending > 0 {
        // An id, the time of delivery, and how often it was delivered.
        guard bytes.count - position > 24 else { return false }
        var end = position + 24
        guard let deliveries = try length(bytes, &end) else { return false }
        let id = streamID(bigEndian: bytes, at: position)
        stream.pending.add(id)
        if stream.pending.wantsEntry {
          stream.pending.add(
            PendingEntry(
              id: id, consumer: nil,
              deliveredAt: Int64(bitPattern: bytes.littleEndian64(at: position + 16)),
              deliveries: deliveries))
        }
        position = end
        stream.remainingPending -= 1
      }
      try stream.pending.seal()
      state = .consumerCount
    }
    return true
  }

  private mutating func consumer(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .consumerCount:
      guard let count = try limitedLength(bytes, &position) else { return false }
      stream.remainingConsumers = count
      try endConsumers(at: base &+ UInt64(position))
    case .consumerName:
      guard try string(bytes, &position, base, into: .text) else { return false }
      try checkOrder(of: text, after: stream.consumerName, "consumers")
      stream.consumerName = text
      stream.keepsConsumer = stream.keepsGroup && keepsMember()
      state = .consumerTimes
    case .consumerTimes:
      let width = stream.version < 3 ? 8 : 16
      guard bytes.count - position >= width else { return false }
      position += width
      state = .consumerPendingCount
    case .consumerPendingCount, .unownedCount:
      guard let count = try limitedLength(bytes, &position) else { return false }
      stream.consumerPending = count
      stream.remainingPending = count
      state = state == .unownedCount ? .unownedEntry : .consumerPendingEntry
    default:
      while stream.remainingPending > 0 {
        guard bytes.count - position >= 16 else { return false }
        try stream.pending.own(
          streamID(bigEndian: bytes, at: position),
          by: state == .unownedEntry ? nil : stream.consumerName)
        position += 16
        stream.remainingPending -= 1
      }
      let end = base &+ UInt64(position)
      if state == .unownedEntry { return try endGroup(at: end) }
      if stream.keepsConsumer {
        stream.consumers.append(
          ConsumerSummary(name: stream.consumerName, pending: stream.consumerPending))
      }
      stream.remainingConsumers -= 1
      try endConsumers(at: end)
    }
    return true
  }

  private mutating func endConsumers(at end: UInt64) throws(RDBError.Kind) {
    if stream.remainingConsumers > 0 {
      state = .consumerName
    } else if stream.version >= 5 {
      state = .unownedCount
    } else {
      _ = try endGroup(at: end)
    }
  }

  private mutating func endGroup(at end: UInt64) throws(RDBError.Kind) -> Bool {
    try stream.pending.finish()
    if stream.keepsGroup {
      stream.groups.append(
        GroupSummary(
          name: stream.groupName, lastDeliveredID: stream.lastDeliveredID,
          entriesRead: stream.entriesRead, pending: stream.pending.count,
          dangling: danglingCount(), consumers: stream.consumers,
          pendingEntries: stream.pending.entries))
    }
    stream.remainingGroups -= 1
    try endGroups(at: end)
    return true
  }

  private func danglingCount() -> UInt64? {
    if stream.pending.count == 0 { return 0 }
    guard stream.pending.isExact, listpack.elements.node.keepsAllIDs else { return nil }
    return stream.pending.dangling(among: listpack.elements.node.liveIDs)
  }

  private mutating func endGroups(at end: UInt64) throws(RDBError.Kind) {
    if stream.remainingGroups > 0 {
      state = .groupName
    } else if stream.version >= 4 {
      state = .idempotence
    } else {
      endStream(at: end)
    }
  }

  private mutating func idempotence(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .idempotence:
      // How long and how many ids are remembered for each producer, and the producers.
      guard try numbers(3, bytes, &position) else { return false }
      stream.remainingProducers = numbers[2]
    case .producerName:
      guard try string(bytes, &position, base, into: .discard) else { return false }
      state = .producerEntryCount
      return true
    case .producerEntryCount:
      guard let count = try limitedLength(bytes, &position) else { return false }
      remaining = count
      state = .idempotentID
    case .idempotentID:
      guard try string(bytes, &position, base, into: .discard) else { return false }
      state = .idempotentEntry
      return true
    case .idempotentEntry:
      guard try numbers(2, bytes, &position) else { return false }
      remaining -= 1
      state = .idempotentID
    default:
      guard try numbers(2, bytes, &position) else { return false }
      endStream(at: base &+ UInt64(position))
      return true
    }
    if state != .idempotence {
      if remaining > 0 { return true }
      stream.remainingProducers -= 1
    }
    state = stream.remainingProducers > 0 ? .producerName : .idempotenceCounts
    return true
  }

  private mutating func endStream(at end: UInt64) {
    let node = listpack.elements.node
    if !node.keepsAllIDs && !stream.groups.isEmpty {
      addNotChecked("a stream has too many entries to find pending ones that are gone")
    }
    let isKept = facts.keepsStream && !keys.isKeyCut
    facts.add(
      stream: !isKept
        ? nil
        : StreamSummary(
          database: database, key: keys.key, length: node.liveCount, firstID: node.firstID,
          lastID: node.lastID, lastGeneratedID: stream.lastGeneratedID,
          maxDeletedID: stream.maxDeletedID, entriesAdded: stream.entriesAdded,
          groups: stream.groups, expiresAt: expiresAt))
    stream = StreamFacts()
    listpack.elements.node.beginStream()
    endKey(at: end)
  }

  // Servers write names in order, so a repetition is next to its like.
  private mutating func checkOrder(
    of name: [UInt8], after previous: [UInt8], _ what: String
  ) throws(RDBError.Kind) {
    if name == previous && !name.isEmpty && textByteCount == UInt64(name.count) {
      throw .malformed("two \(what) have the same name")
    }
    if name.lexicographicallyPrecedes(previous) {
      addNotChecked("the \(what) of a stream are not in order, so repeated names are not found")
    }
  }

  private mutating func keepsMember() -> Bool {
    guard facts.keepsStream, !keys.isKeyCut else { return false }
    guard textByteCount == UInt64(text.count), facts.reserveMember(nameByteCount: text.count)
    else {
      facts.addOnce(
        RDBFinding(
          kind: .listCut, message: "not all consumer groups and consumers are listed",
          byteOffset: keyOffset, database: database, key: keys.keyPrefix))
      return false
    }
    return true
  }

  private mutating func addNotChecked(_ message: String) {
    facts.addOnce(
      RDBFinding(
        kind: .notChecked, message: message, byteOffset: keyOffset, database: database,
        key: keys.keyPrefix))
  }
}
