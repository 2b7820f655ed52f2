// The arrays of Redis 8.8: elements at places of their own, and maybe a place where the next one goes.

extension RDBParser {
  mutating func arrayValue(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .arrayCount:
      guard try beginArray(bytes, &position) else { return false }
      guard remaining > 0 else {
        endKey(at: base &+ UInt64(position))
        return true
      }
    case .arrayElement:
      guard try arrayElement(bytes, &position) else { return false }
      if state == .arrayText { return true }
      remaining -= 1
    default:
      guard try string(bytes, &position, base, into: .discard) else { return false }
      remaining -= 1
    }
    try endElement(at: base &+ UInt64(position), next: .arrayElement)
    return true
  }

  private mutating func beginArray(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    var end = position
    guard let count = try limitedLength(bytes, &end), let hasCursor = try length(bytes, &end) else {
      return false
    }
    guard hasCursor <= 1 else {
      throw .malformed("an array that has \(hasCursor) places for the next element")
    }
    if hasCursor == 1 {
      guard try length(bytes, &end) != nil else { return false }
    }
    position = end
    elementCount = count
    remaining = count
    return true
  }

  /// Reads the place and the kind of an element, and its value unless that is a string.
  private mutating func arrayElement(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    var end = position
    guard try length(bytes, &end) != nil, let kind = try length(bytes, &end) else { return false }
    switch kind {
    case 0, 3:
      state = .arrayText
    case 1, 2:
      guard bytes.count - end >= 8 else { return false }
      end += 8
    default: throw .malformed("an array element of unknown kind \(kind)")
    }
    position = end
    return true
  }
}
