/// Memory that a disk can write to by itself: it begins where a block may begin.
@safe final class DiskBuffer: @unchecked Sendable {
  static let byteCount = 256 << 10
  /// No file system that is in use has larger ones.
  static let blockByteCount = 4096

  let start: UnsafeMutableRawPointer

  init() {
    unsafe start = .allocate(byteCount: Self.byteCount, alignment: Self.blockByteCount)
  }

  deinit {
    unsafe start.deallocate()
  }
}
