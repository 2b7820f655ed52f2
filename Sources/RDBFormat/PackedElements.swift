/// Gives meaning to the entries of a listpack or ziplist, in order.
struct PackedElements: Sendable {
  /// What the entries are.
  enum Shape: Sendable {
    case list, set, hash
    /// Member, score, member, score.
    case sortedSet
    /// Field, value, expiry in Unix milliseconds or 0.
    case expiringHash
    /// A node of a stream.
    case stream
  }

  private(set) var shape = Shape.list
  private(set) var entryCount: UInt64 = 0
  /// Fields of a hash that expire.
  private(set) var expiringFieldCount: UInt64 = 0
  var node = StreamNode()

  private var role = 0
  private var previousScore = -Double.infinity
  private var previousExpiry: Int64 = 0
  private var text = [64 of UInt8](repeating: 0)
  private var textCount = 0
  private var textByteCount: UInt64 = 0

  /// Starts with no entries.
  mutating func begin(_ shape: Shape) {
    self.shape = shape
    entryCount = 0
    role = 0
    expiringFieldCount = 0
    previousScore = -.infinity
    previousExpiry = 0
  }

  /// Elements, fields or members among the entries so far; a stream counts its own.
  var elementCount: UInt64 {
    switch shape {
    case .list, .set: entryCount
    case .hash, .sortedSet: entryCount / 2
    case .expiringHash: entryCount / 3
    case .stream: 0
    }
  }

  /// Takes an entry that is an integer.
  @inline(__always)
  mutating func integer(_ value: Int64) throws(RDBError.Kind) {
    entryCount += 1
    switch shape {
    case .list, .set, .hash: return
    case .sortedSet:
      if role == 1 { try check(score: Double(value)) }
      role ^= 1
    case .expiringHash:
      if role == 2 { try check(expiry: value) }
      role = role == 2 ? 0 : role + 1
    case .stream:
      try node.integer(value)
    }
  }

  /// Takes an entry that is a text, whole.
  @inline(__always)
  mutating func text(_ bytes: Span<UInt8>) throws(RDBError.Kind) {
    switch shape {
    case .list, .set, .hash:
      entryCount += 1
    case .sortedSet where role == 0:
      entryCount += 1
      role = 1
    case .stream:
      entryCount += 1
      try node.text()
    case .sortedSet, .expiringHash:
      beginText(byteCount: UInt64(bytes.count))
      appendText(bytes)
      try endText()
    }
  }

  /// Starts an entry that is a text and comes in pieces.
  mutating func beginText(byteCount: UInt64) {
    textByteCount = byteCount
    textCount = 0
  }

  /// Takes the next piece of the text.
  mutating func appendText(_ bytes: Span<UInt8>) {
    guard textByteCount <= UInt64(text.count), shape == .sortedSet else { return }
    for index in 0..<min(bytes.count, text.count - textCount) {
      text[textCount] = bytes[index]
      textCount += 1
    }
  }

  /// Takes the text as an entry.
  mutating func endText() throws(RDBError.Kind) {
    entryCount += 1
    switch shape {
    case .list, .set, .hash: return
    case .sortedSet:
      if role == 1 { try checkScoreText() }
      role ^= 1
    case .expiringHash:
      guard role != 2 else { throw .malformed("the expiry of a field is no integer") }
      role += 1
    case .stream:
      try node.text()
    }
  }

  /// Checks that no entry is missing.
  func finish() throws(RDBError.Kind) {
    switch shape {
    case .list, .set: return
    case .hash:
      guard entryCount % 2 == 0 else { throw .malformed("a hash has a field without a value") }
    case .sortedSet:
      guard role == 0 else { throw .malformed("a sorted set has a member without a score") }
    case .expiringHash:
      guard role == 0 else { throw .malformed("a hash has a field without value or expiry") }
    case .stream:
      try node.finish()
    }
  }

  private mutating func checkScoreText() throws(RDBError.Kind) {
    guard textByteCount <= UInt64(text.count),
      let value = score(in: text.span.extracting(0..<textCount))
    else { throw .malformed("the score of a sorted set is no number") }
    try check(score: value)
  }

  private mutating func check(score: Double) throws(RDBError.Kind) {
    guard !score.isNaN else { throw .malformed("a score is not a number") }
    guard score >= previousScore else { throw .malformed("the scores of a sorted set descend") }
    previousScore = score
  }

  // Fields that expire come first, soonest first; those that do not follow with 0.
  private mutating func check(expiry: Int64) throws(RDBError.Kind) {
    guard expiry >= 0 else { throw .malformed("the expiry of a field is negative") }
    let isFirst = entryCount == 3
    guard isFirst || expiry == 0 || (previousExpiry != 0 && expiry >= previousExpiry) else {
      throw .malformed("the fields of a hash are not ordered by expiry")
    }
    previousExpiry = expiry
    if expiry != 0 { expiringFieldCount += 1 }
  }
}
