import CZlib

/// One zlib deflate state, used for one member after the other.
///
/// The same block and level give the same member, whatever was deflated before.
@safe final class Deflater: @unchecked Sendable {
  private let stream: UnsafeMutablePointer<z_stream>
  private let level: DeflateLevel
  private var scratch: [UInt8]

  /// - Throws: ``GzipError/Kind/zlib(_:)``.
  init(level: DeflateLevel) throws(GzipError) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    self.level = level
    // What cannot be deflated is stored, at 5 bytes for each 32 KiB at most; a change of level
    // costs at most 16 bytes, and there are two for each 4 KiB at most.
    scratch = [UInt8](
      repeating: 0, count: MemberHeader.blockByteCount + MemberHeader.blockByteCount / 32)
    // Negative window bits: no zlib header, ours is the gzip one. Memory level 8: on dumps 0.15 % larger than
    // with 9, and a fifteenth faster, as the tables of two threads stay in the cache.
    let code = unsafe deflateInit2_(
      stream, level.number, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw GzipError(.zlib(code), byteOffset: 0) }
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// The whole gzip member of a block of at most 1 MiB.
  func member(of block: [UInt8]) throws(GzipError) -> [UInt8] {
    let deflatedByteCount = try deflate(block)
    let byteCount = MemberHeader.byteCount + deflatedByteCount + MemberTrailer.byteCount
    var member: [UInt8] = []
    member.reserveCapacity(byteCount)
    member += MemberHeader.bytes(memberByteCount: byteCount)
    member += scratch[..<deflatedByteCount]
    member += MemberTrailer.bytes(of: block)
    return member
  }

  /// Deflates into the scratch space; returns how many bytes that took.
  private func deflate(_ block: [UInt8]) throws(GzipError) -> Int {
    unsafe deflateReset(stream)
    // A reset keeps the level of the last stretch.
    var code = useLevel()
    let stretches = level.stores ? Stretch.whole(block) : Stretch.stretches(of: block)
    unsafe scratch.withUnsafeMutableBufferPointer { output in
      unsafe stream.pointee.next_out = output.baseAddress
      unsafe stream.pointee.avail_out = UInt32(output.count)
      unsafe block.withUnsafeBufferPointer { input in
        for stretch in stretches where code == Z_OK {
          code = stretch.isFlat ? storeOnly() : useLevel()
          guard code == Z_OK else { return }
          let bytes = unsafe UnsafeBufferPointer(rebasing: input[stretch.range])
          unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
          unsafe stream.pointee.avail_in = UInt32(bytes.count)
          code = unsafe CZlib.deflate(stream, Z_NO_FLUSH)
        }
        if code == Z_OK { code = unsafe CZlib.deflate(stream, Z_FINISH) }
      }
    }
    guard code == Z_STREAM_END else { throw GzipError(.zlib(code), byteOffset: 0) }
    return unsafe Int(stream.pointee.total_out)
  }

  private func useLevel() -> Int32 {
    let code = unsafe deflateParams(stream, level.number, Z_DEFAULT_STRATEGY)
    guard code == Z_OK, let tuning = level.tuning else { return code }
    // A change of the level has undone the tuning.
    return unsafe deflateTune(
      stream, tuning.goodLength, tuning.maximumLazyLength, tuning.niceLength,
      tuning.maximumChainLength)
  }

  private func storeOnly() -> Int32 {
    unsafe deflateParams(stream, Z_NO_COMPRESSION, Z_DEFAULT_STRATEGY)
  }
}
