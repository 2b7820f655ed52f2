// Values and other data of modules: opcodes that can be skipped without the module.

extension RDBParser {
  mutating func moduleValue(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    switch state {
    case .moduleID:
      guard let id = try length(bytes, &position) else { return false }
      facts.add(module: moduleName(id))
      elementCount = 1
      module = .value
      state = .moduleOpcode
    case .moduleAuxHeader:
      guard try numbers(3, bytes, &position) else { return false }
      guard numbers[1] == 2 else { throw .malformed("data of a module does not say when it loads") }
      facts.add(module: moduleName(numbers[0]))
      module = .aux
      state = .moduleOpcode
    case .moduleOpcode:
      guard let opcode = try length(bytes, &position) else { return false }
      try moduleOpcode(opcode, at: base &+ UInt64(position))
    case .moduleInteger:
      guard try length(bytes, &position) != nil else { return false }
      state = .moduleOpcode
    case .moduleFloat, .moduleDouble:
      let width = state == .moduleFloat ? 4 : 8
      guard bytes.count - position >= width else { return false }
      position += width
      state = .moduleOpcode
    case .moduleString:
      guard try string(bytes, &position, base, into: .discard) else { return false }
      state = .moduleOpcode
    case .keyMetadataCount:
      guard let count = try length(bytes, &position) else { return false }
      guard count >= 1, count <= RDBParser.keyMetadataLimit else {
        throw .malformed("a key has \(count) kinds of metadata")
      }
      module = .keyMetadata(remaining: count)
      state = .keyMetadataClass
    default:
      guard bytes.count - position >= 4 else { return false }
      position += 4
      state = .moduleOpcode
    }
    return true
  }

  private static let keyMetadataLimit: UInt64 = 7

  private mutating func moduleOpcode(_ opcode: UInt64, at end: UInt64) throws(RDBError.Kind) {
    switch opcode {
    case 0:
      switch module {
      case .value: endKey(at: end)
      case .aux: state = .opcode
      case .keyMetadata(let remaining):
        module = .keyMetadata(remaining: remaining - 1)
        state = remaining == 1 ? .opcode : .keyMetadataClass
      }
    case 1, 2: state = .moduleInteger
    case 3: state = .moduleFloat
    case 4: state = .moduleDouble
    case 5: state = .moduleString
    default: throw .malformed("a module value has the unknown opcode \(opcode)")
    }
  }

  // Nine characters of six bits each, then ten bits of encoding version.
  private func moduleName(_ id: UInt64) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    let name = (0..<9).map { alphabet[Int(id >> UInt64(58 - 6 * $0) & 0x3f)] }
    return String(decoding: name, as: UTF8.self)
  }
}
