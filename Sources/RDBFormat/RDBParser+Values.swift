// Values of all types but streams and modules.

extension RDBParser {
  mutating func value(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .stringValue:
      if case .none = content, position < bytes.count, bytes[position] >= 0xc0,
        bytes[position] <= 0xc2
      {
        encoding = .int
      }
      guard try string(bytes, &position, base, into: .discard) else { return false }
      elementCount = 1
      endKey(at: base &+ UInt64(position))
    case .count:
      guard let count = try limitedLength(bytes, &position) else { return false }
      beginElements(count)
      if count == 0 { endKey(at: base &+ UInt64(position)) }
    case .item:
      while remaining > 0 {
        guard try string(bytes, &position, base, into: .discard) else { return false }
        remaining -= 1
        if valueCode == RDBParser.quicklist2Code { break }
      }
      try endElement(at: base &+ UInt64(position), next: .container)
    case .zsetMember, .textScore, .binaryScore:
      return try sortedSet(bytes, &position, base)
    case .fieldExpiryBefore, .field, .value, .fieldExpiryAfter:
      return try hash(bytes, &position, base)
    case .minimumExpiry:
      guard bytes.count - position >= 8 else { return false }
      position += 8
      state = hasFieldExpiry == .before ? .count : .packedValue
    case .packedValue:
      guard try string(bytes, &position, base, into: .packed) else { return false }
      endKey(at: base &+ UInt64(position))
    case .container:
      guard let container = try length(bytes, &position) else { return false }
      guard container == 1 || container == 2 else {
        throw .malformed("a list node of unknown kind \(container)")
      }
      if container == 1 { elementCount += 1 }
      state = container == 1 ? .item : .listNode
    default:
      guard try string(bytes, &position, base, into: .packed) else { return false }
      remaining -= 1
      try endElement(
        at: base &+ UInt64(position),
        next: valueCode == RDBParser.quicklist2Code ? .container : .listNode)
    }
    return true
  }

  private static let quicklist2Code: UInt8 = 18

  private mutating func beginElements(_ count: UInt64) {
    remaining = count
    switch valueCode {
    case 14: state = .listNode
    case RDBParser.quicklist2Code: state = .container
    default:
      elementCount = count
      switch type {
      case .zset: state = .zsetMember
      case .hash: state = hasFieldExpiry == .before ? .fieldExpiryBefore : .field
      default: state = .item
      }
    }
  }

  mutating func endElement(at offset: UInt64, next: State) throws(RDBError.Kind) {
    if remaining == 0 {
      endKey(at: offset)
    } else {
      state = next
    }
  }

  private mutating func sortedSet(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    while true {
      switch state {
      case .zsetMember:
        guard try string(bytes, &position, base, into: .discard) else { return false }
        state = valueCode == 3 ? .textScore : .binaryScore
        continue
      case .binaryScore:
        guard bytes.count - position >= 8 else { return false }
        guard !Double(bitPattern: bytes.littleEndian64(at: position)).isNaN else {
          throw .malformed("a score is not a number")
        }
        position += 8
      default:
        guard try textScore(bytes, &position) else { return false }
      }
      remaining -= 1
      if remaining == 0 {
        endKey(at: base &+ UInt64(position))
        return true
      }
      state = .zsetMember
    }
  }

  private func textScore(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    guard position < bytes.count else { return false }
    let count = Int(bytes[position])
    switch count {
    case 254, 255:
      position += 1
    case 253: throw .malformed("a score is not a number")
    case 1...40:
      let start = position + 1
      guard bytes.count - start >= count else { return false }
      guard let value = score(in: bytes.extracting(start..<start + count)), !value.isNaN else {
        throw .malformed("the score of a sorted set is no number")
      }
      position = start + count
    default: throw .malformed("a score of \(count) characters")
    }
    return true
  }

  private mutating func hash(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    while true {
      switch state {
      case .fieldExpiryBefore:
        guard let expiry = try length(bytes, &position) else { return false }
        if expiry != 0 { expiringFieldCount += 1 }
        state = .field
        continue
      case .field:
        guard try string(bytes, &position, base, into: .discard) else { return false }
        state = .value
        continue
      case .value:
        guard try string(bytes, &position, base, into: .discard) else { return false }
        if hasFieldExpiry == .after {
          state = .fieldExpiryAfter
          continue
        }
      default:
        guard bytes.count - position >= 8 else { return false }
        let expiry = bytes.signed(at: position, width: 8)
        guard expiry >= -1 else { throw .malformed("the expiry of a field is \(expiry)") }
        if expiry != -1 { expiringFieldCount += 1 }
        position += 8
      }
      remaining -= 1
      if remaining == 0 {
        endKey(at: base &+ UInt64(position))
        return true
      }
      state = hasFieldExpiry == .before ? .fieldExpiryBefore : .field
    }
  }
}
