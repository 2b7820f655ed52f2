// Opcodes that are no values: the frame of the file, attributes of keys, auxiliary fields.

extension RDBParser {
  mutating func opcode(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    guard position < bytes.count else { return false }
    let code = bytes[position]
    if code < 0x40 {
      try beginValue(code, at: base &+ UInt64(position))
      state = .key
      position += 1
      return try key(bytes, &position, base)
    } else {
      state = try stateAfter(code)
      if state == .footer {
        endOffset = base &+ UInt64(position) + 1
        isInDatabase = false
        if version < 5 { state = .done }
      }
    }
    position += 1
    return true
  }

  private mutating func stateAfter(_ code: UInt8) throws(RDBError.Kind) -> State {
    switch code {
    case 248: return attribute(.idleTime)
    case 249: return attribute(.frequency)
    case 252, 253:
      guard expiresAt == nil else { throw .malformed("a key has two expiries") }
      return attribute(code == 252 ? .expiryMilliseconds : .expirySeconds)
    case 243 where format == .redis:
      hasMetadata = true
      return attribute(.keyMetadataCount)
    default:
      guard !hasAttributes else { throw .malformed("an expiry or another attribute has no key") }
    }
    switch code {
    case 255: return .footer
    case 254: return .databaseNumber
    case 251: return .sizeHints
    case 250: return .auxName
    case 247: return .moduleAuxHeader
    case 246: return .oldFunctionName
    case 245: return .function
    case 244: return .slotFacts
    case 243: return .slotImportName
    default: throw .unknownOpcode(code)
    }
  }

  private mutating func attribute(_ next: State) -> State {
    hasAttributes = true
    return next
  }

  mutating func header(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .header: return try magic(bytes, &position)
    case .footer:
      guard bytes.count - position >= 8 else { return false }
      footer = bytes.littleEndian64(at: position)
      position += 8
      state = .done
    case .databaseNumber:
      var end = position
      guard let index = try length(bytes, &end) else { return false }
      guard index <= UInt64(Int32.max) else { throw .malformed("a database of number \(index)") }
      position = end
      database = index
      isInDatabase = true
      databasePosition = nil
      state = .opcode
    case .expirySeconds:
      guard bytes.count - position >= 4 else { return false }
      expiresAt = bytes.signed(at: position, width: 4) * 1_000
      position += 4
      state = .opcode
    case .expiryMilliseconds:
      guard bytes.count - position >= 8 else { return false }
      expiresAt = bytes.signed(at: position, width: 8)
      position += 8
      state = .opcode
    case .idleTime:
      guard let seconds = try length(bytes, &position) else { return false }
      idleSeconds = seconds
      state = .opcode
    case .frequency:
      guard position < bytes.count else { return false }
      useFrequency = bytes[position]
      position += 1
      state = .opcode
    case .sizeHints:
      guard try numbers(2, bytes, &position) else { return false }
      keys.announce(numbers[0])
      state = .opcode
    case .slotFacts:
      guard try numbers(3, bytes, &position) else { return false }
      state = .opcode
    default: return try texts(bytes, &position, base)
    }
    return true
  }

  private mutating func magic(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    guard bytes.count - position >= RDBParser.magicByteCount else { return false }
    let digitCount: Int
    if hasPrefix("REDIS", bytes, position) {
      format = .redis
      digitCount = 4
    } else if hasPrefix("VALKEY", bytes, position) {
      format = .valkey
      digitCount = 3
    } else {
      throw .badMagic
    }
    let end = position + RDBParser.magicByteCount
    var number = 0
    for index in end - digitCount..<end {
      let digit = bytes[index]
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { throw .badMagic }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    guard number >= (format == .redis ? 1 : RDBParser.firstValkeyVersion) else {
      throw .unsupportedVersion(number)
    }
    version = number
    // There a repeated key is something that is not understood, from where it is met.
    if isNewerVersion { comparesKeys = true }
    position = end
    state = .opcode
    return true
  }

  static let magicByteCount = 9
  private static let firstValkeyVersion = 80

  private func hasPrefix(_ text: StaticString, _ bytes: Span<UInt8>, _ position: Int) -> Bool {
    var index = position
    for byte in text.description.utf8 {
      guard index < bytes.count, bytes[index] == byte else { return false }
      index += 1
    }
    return true
  }

  /// Whether a file that ends here began like an RDB file.
  var beginsLikeMagic: Bool {
    let length = min(carry.count, 5)
    return ["REDIS", "VALKEY"].contains { name in
      name.utf8.prefix(length).elementsEqual((0..<length).map { carry.bytes[$0] })
    }
  }

  private mutating func texts(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .auxName:
      guard try string(bytes, &position, base, into: .text) else { return false }
      auxName = String(decoding: text.prefix(256), as: UTF8.self)
      state = .auxValue
    case .auxValue:
      guard try string(bytes, &position, base, into: .text) else { return false }
      facts.addAux(name: auxName, value: String(decoding: text.prefix(1_024), as: UTF8.self))
      state = .opcode
    case .slotImportName:
      guard try string(bytes, &position, base, into: .discard) else { return false }
      state = .slotRangeCount
    case .slotRangeCount:
      guard let count = try limitedLength(bytes, &position) else { return false }
      remaining = count
      state = count == 0 ? .opcode : .slotRange
    case .slotRange:
      guard try numbers(2, bytes, &position) else { return false }
      remaining -= 1
      if remaining == 0 { state = .opcode }
    default:
      return try functions(bytes, &position, base)
    }
    return true
  }

  private mutating func functions(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    if state == .oldFunctionFlag {
      guard let flag = try length(bytes, &position) else { return false }
      state = flag == 0 ? .function : .oldFunctionDescription
      return true
    }
    guard try string(bytes, &position, base, into: .discard) else { return false }
    switch state {
    case .oldFunctionName: state = .oldFunctionEngine
    case .oldFunctionEngine: state = .oldFunctionFlag
    case .oldFunctionDescription: state = .function
    default:
      facts.functions += 1
      state = .opcode
    }
    return true
  }
}
