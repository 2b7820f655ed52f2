import CRC64

/// Proves an RDB file as it streams by, and tells what is in it.
///
/// Memory is bounded whatever the bytes say: neither the size of the file, nor of a value, nor any
/// length or count in it decides how much is kept.
public struct RDBInspector: Sendable {
  private var parser: RDBParser
  private var crc = CRC64()
  private var byteCount: UInt64 = 0
  private var isFooterChecked = false
  /// Where the end is not known, the last eight bytes so far: they may be the footer. All bytes before
  /// them are in `heldBackCRC`.
  private var tail: [UInt8] = []
  private var heldBackCRC = CRC64()
  /// Where the contents of a version that may hold more stopped being understood, and why.
  private var notUnderstood: RDBError?

  private static let footerByteCount = 8

  /// Starts with no bytes.
  ///
  /// - Parameters:
  ///   - referenceTime: Unix milliseconds; keys whose expiry is not after it are counted in
  ///     ``DatabaseSummary/expiredKeys``.
  ///   - comparesKeys: Whether repeated keys are looked for here. Else ``takeKeys()`` is to be called after
  ///     each piece, and what was compared goes to ``finish(comparedBy:)``.
  ///   - onKey: Is given every key once its value has been read, in file order. Keys of a file
  ///     that turns out to be damaged are given too, up to the fault.
  public init(
    referenceTime: Int64, comparesKeys: Bool = true, onKey: (@Sendable (RDBKey) -> Void)? = nil
  ) {
    parser = RDBParser(referenceTime: referenceTime, comparesKeys: comparesKeys, onKey: onKey)
  }

  /// Takes the next bytes of the file.
  ///
  /// - Parameter bytes: Any number of bytes, zero included; a value may be split across calls.
  /// - Throws: ``RDBError`` at the first byte that no valid RDB file can have there. The inspector
  ///   must not be used afterwards.
  public mutating func consume(_ bytes: Span<UInt8>) throws(RDBError) {
    try consume(bytes, checksum: nil)
  }

  /// Takes the next bytes of the file, whose checksum is known.
  ///
  /// The outcome is that of ``consume(_:)-(Span<UInt8>)`` with the same bytes, whatever the piece: a
  /// checksum that was begun with other bytes is not used but computed again.
  ///
  /// - Parameter piece: The next bytes.
  /// - Throws: ``RDBError``, as with plain bytes.
  public mutating func consume(_ piece: RDBPiece) throws(RDBError) {
    try consume(
      piece.bytes.span, checksum: piece.checksumBefore == crc ? piece.checksumAfter : nil)
  }

  private mutating func consume(
    _ bytes: Span<UInt8>, checksum: CRC64?
  ) throws(RDBError) {
    let start = byteCount
    byteCount += UInt64(bytes.count)
    var understoodByteCount = 0
    if isUnderstood {
      do throws(RDBError.Kind) {
        try parser.consume(bytes)
      } catch {
        if !parser.isNewerVersion { try checkKeys() }
        guard parser.isNewerVersion || parser.mayHoldMore && error.isUnknownElement else {
          throw fault(error, at: parser.faultOffset)
        }
        if !parser.isNewerVersion {
          understoodByteCount = Int(clamping: parser.faultOffset - min(start, parser.faultOffset))
          beginHoldingBack(after: bytes.extracting(first: understoodByteCount))
        }
        stopUnderstanding(error)
      }
    }
    // Until the magic is whole, any version may come.
    if parser.state == .header || holdsBack {
      holdBack(bytes.extracting(droppingFirst: understoodByteCount))
    }
    if let end = parser.endOffset {
      let summedByteCount = end > start ? min(end - start, UInt64(bytes.count)) : 0
      crc.update(bytes.extracting(0..<Int(summedByteCount)))
    } else if let checksum {
      crc = checksum
    } else {
      crc.update(bytes)
    }
    if !holdsBack { try checkEnd() }
  }

  /// Hands out the keys that were read since the last call, for an ``RDBKeySet``; none where they are
  /// compared here. It may be called after a fault too.
  public mutating func takeKeys() -> RDBKeys {
    parser.comparesKeys ? RDBKeys() : parser.keys.take()
  }

  /// Ends the file whose keys were compared elsewhere, all but those not taken yet.
  ///
  /// - Returns: What is in it.
  /// - Throws: ``RDBError``, as with ``finish()``, or for a repeated key.
  public mutating func finish(comparedBy known: RDBKeySet) throws(RDBError) -> RDBSummary {
    if !parser.comparesKeys {
      parser.knownKeys = known
      parser.comparesKeys = true
    }
    return try finish()
  }

  /// Ends the file.
  ///
  /// - Returns: What is in it.
  /// - Throws: ``RDBError`` when the file is cut, or its checksum is wrong.
  public mutating func finish() throws(RDBError) -> RDBSummary {
    if !parser.isNewerVersion { try checkKeys() }
    if holdsBack {
      try checkTail()
    } else if parser.state != .done {
      let isNoRDB = parser.state == .header && !parser.beginsLikeMagic
      throw fault(isNoRDB ? .badMagic : .truncated, at: isNoRDB ? 0 : byteCount)
    }
    let checksum: RDBChecksum = (parser.footer ?? 0) == 0 ? .disabled : .valid
    addFindings(checksum)
    return RDBSummary(
      format: parser.format, version: parser.version, byteCount: byteCount, crc64: crc.value,
      checksum: checksum, aux: parser.facts.aux,
      verdict: checksum == .disabled ? .noChecksum : holdsBack ? .integrityOnly : .valid,
      content: parser.facts.content, moduleNames: parser.facts.moduleNames.sorted(),
      largestKeys: parser.facts.largestKeys, findings: parser.facts.findings)
  }

  private func fault(_ kind: RDBError.Kind, at byteOffset: UInt64) -> RDBError {
    RDBError(
      kind: kind, byteOffset: byteOffset,
      database: parser.isInDatabase ? parser.database : nil,
      key: parser.isInKey ? parser.keys.keyPrefix : nil)
  }

  // A repeated key may still wait to be found; it comes before any other fault.
  private mutating func checkKeys() throws(RDBError) {
    if parser.comparesKeys, let repetition = parser.compareKeys() { throw repetition }
  }

  private mutating func checkEnd() throws(RDBError) {
    guard parser.state == .done, let end = parser.endOffset else { return }
    try checkKeys()
    if let footer = parser.footer, !isFooterChecked {
      isFooterChecked = true
      guard footer == 0 || footer == crc.value else {
        throw fault(.checksumMismatch(expected: footer, actual: crc.value), at: end)
      }
    }
    let size = end + (parser.footer == nil ? 0 : UInt64(RDBInspector.footerByteCount))
    guard byteCount == size else { throw fault(.trailingBytes, at: size) }
  }

  // MARK: Newer versions

  /// Whether the end of the file is not known by its contents.
  private var holdsBack: Bool { parser.isNewerVersion || !isUnderstood }

  private var isUnderstood: Bool { notUnderstood == nil }

  // What was understood is not the footer.
  private mutating func beginHoldingBack(after understood: Span<UInt8>) {
    tail = []
    heldBackCRC = crc
    heldBackCRC.update(understood)
  }

  private mutating func stopUnderstanding(_ reason: RDBError.Kind) {
    let fault = fault(reason, at: parser.faultOffset)
    notUnderstood = fault
    parser.facts.add(
      RDBFinding(
        kind: .notUnderstood,
        message: "the contents are not understood from byte \(fault.byteOffset) on: \(reason)",
        byteOffset: fault.byteOffset, database: fault.database, key: fault.key))
  }

  private mutating func holdBack(_ bytes: Span<UInt8>) {
    let surplus = max(0, tail.count + bytes.count - RDBInspector.footerByteCount)
    let fromTail = min(surplus, tail.count)
    let released = Array(tail.prefix(fromTail))
    heldBackCRC.update(released.span)
    tail.removeFirst(fromTail)
    heldBackCRC.update(bytes.extracting(0..<surplus - fromTail))
    for index in surplus - fromTail..<bytes.count {
      tail.append(bytes[index])
    }
  }

  // Where the contents were understood to the end, the end is known. Elsewhere only the last eight
  // bytes can be the checksum, and they must agree.
  private mutating func checkTail() throws(RDBError) {
    let isEnded = isUnderstood && parser.state == .done
    let smallest = RDBParser.magicByteCount + RDBInspector.footerByteCount
    guard byteCount >= UInt64(smallest), tail.count == RDBInspector.footerByteCount else {
      throw fault(.truncated, at: byteCount)
    }
    if isEnded, let end = parser.endOffset, parser.footer == 0 || parser.footer == crc.value {
      let size = end + UInt64(RDBInspector.footerByteCount)
      guard byteCount == size else { throw fault(.trailingBytes, at: size) }
    }
    let footer = tail.span.littleEndian64(at: 0)
    let isSummed = footer == heldBackCRC.value
    if isUnderstood && !isEnded {
      guard isSummed else { throw fault(.truncated, at: byteCount) }
      stopUnderstanding(.truncated)
    }
    guard isSummed || footer == 0 else {
      throw fault(
        .checksumMismatch(expected: footer, actual: heldBackCRC.value),
        at: byteCount - UInt64(RDBInspector.footerByteCount))
    }
    // Neither its contents nor a checksum says that it is whole.
    if !isSummed, let notUnderstood { throw notUnderstood }
    parser.footer = footer
    crc = heldBackCRC
  }

  private mutating func addFindings(_ checksum: RDBChecksum) {
    if parser.facts.emptyValues > Facts.emptyValueLimit {
      parser.facts.add(
        RDBFinding(
          kind: .listCut,
          message: "of \(parser.facts.emptyValues) empty collections the first "
            + "\(Facts.emptyValueLimit) are listed",
          byteOffset: 0))
    }
    if checksum == .disabled {
      parser.facts.add(
        RDBFinding(
          kind: .checksumDisabled,
          message: "the file has no checksum, so flipped bits are not found",
          byteOffset: parser.endOffset ?? byteCount))
    }
    if parser.isNewerVersion {
      parser.facts.add(
        RDBFinding(
          kind: .newerVersion,
          message: "version \(parser.version) is newer than the newest known, "
            + "\(parser.format.newestKnownVersion)",
          byteOffset: 0))
    }
    if !parser.knownKeys.isComplete {
      parser.facts.add(
        RDBFinding(
          kind: .notChecked,
          message: "repeated keys are searched among the first \(RDBKeySet.limit) only",
          byteOffset: 0))
    }
  }
}
