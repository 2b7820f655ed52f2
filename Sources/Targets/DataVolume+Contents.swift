import Synchronization

extension DataVolume {
  /// Creates a small file with these contents; as ``write(_:ownership:stallTimeout:from:)`` does.
  public func write(
    _ path: String, ownership: FileOwnership?, contents bytes: [UInt8]
  ) async throws {
    let contents = Contents(bytes)
    try await write(path, ownership: ownership, stallTimeout: .seconds(15)) { contents.take() }
  }
}

/// Bytes that can be taken once.
private final class Contents: Sendable {
  private let bytes: Mutex<[UInt8]?>

  init(_ bytes: [UInt8]) {
    self.bytes = Mutex(bytes.isEmpty ? nil : bytes)
  }

  func take() -> [UInt8]? {
    bytes.withLock { bytes in
      defer { bytes = nil }
      return bytes
    }
  }
}
