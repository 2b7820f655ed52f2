import Glibc

extension ReplacementWatch {
  /// What came of reading a dump while it was being written.
  public enum Following: Sendable {
    /// No dump was seen before it was whole, and nothing was delivered.
    case nothing
    /// What was delivered is the whole of the file at the path.
    case whole
    /// What was delivered is something else.
    case other
  }

  /// Delivers the dump that a server begins after ``reset()``, while it is being written under another name.
  ///
  /// No piece is read before the one before it was taken. Whose file it was only shows in the end: it must be
  /// the one that lies at the path then, with not one byte more.
  ///
  /// - Parameters:
  ///   - isWaited: Whether the server has not been asked yet, or has not finished.
  ///   - deliver: Takes the pieces, in order.
  /// - Throws: ``TargetError``, `CancellationError`, and what `deliver` throws.
  public func follow(
    while isWaited: @Sendable () -> Bool,
    deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> Following {
    guard let begun = try await waitForBeginning(while: isWaited),
      let file = try Self.open(begun)
    else { return .nothing }
    var received: UInt64 = 0
    while true {
      try Task.checkCancellation()
      // Asked first: what there is afterwards is all.
      let isGrowing = isWaited()
      let byteCount = try file.status().byteCount
      if isGrowing, byteCount < received + UInt64(LocalVolume.pieceByteCount) {
        try await Task.sleep(for: Self.pause)
        continue
      }
      let piece = try file.read(at: received, count: LocalVolume.pieceByteCount)
      if piece.isEmpty { break }
      received += UInt64(piece.count)
      try await deliver(piece)
    }
    let status = try file.status()
    guard status.byteCount == received, let there = try POSIX.status(of: path),
      there.isSameContents(as: status)
    else { return received == 0 ? .nothing : .other }
    return .whole
  }

  /// What a server writes in this time is less than a piece, or little more.
  private static let pause = Duration.milliseconds(5)

  private func waitForBeginning(while isWaited: @Sendable () -> Bool) async throws -> String? {
    while isWaited() {
      if let path = try begunPath() { return path }
      try await Task.sleep(for: Self.pause)
    }
    return nil
  }

  /// Opens a file; nil where it has gone since, or is not for us.
  private static func open(_ path: String) throws(TargetError) -> POSIXFile? {
    do throws(TargetError) {
      let file = try POSIXFile(path, O_RDONLY)
      guard try file.status().kind == .file else { return nil }
      return file
    } catch .fileNotFound, .permissionDenied, .notRegularFile {
      return nil
    }
  }
}
