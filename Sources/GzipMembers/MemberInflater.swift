import CZlib

/// One zlib inflate state for whole members of ours, one after the other.
@safe final class MemberInflater: @unchecked Sendable {
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Throws: ``GzipError/Kind/zlib(_:)``.
  init() throws(GzipError) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // Negative window bits: only what lies between the header and the trailer.
    let code = unsafe inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw GzipError(.zlib(code), byteOffset: 0) }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// What a member holds whose header is exactly ours; nil unless it ends with its last byte, is
  /// undamaged, and holds at most 1 MiB.
  func block(of member: [UInt8]) -> [UInt8]? {
    guard MemberHeader.hintedByteCount(member[...]) == member.count else { return nil }
    // ISIZE, least significant byte first.
    let byteCount = member.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard byteCount <= MemberHeader.blockByteCount else { return nil }
    let deflated = member.dropFirst(MemberHeader.byteCount).dropLast(MemberTrailer.byteCount)
    guard let block = inflate(deflated, byteCount: byteCount),
      member.suffix(MemberTrailer.byteCount).elementsEqual(MemberTrailer.bytes(of: block))
    else { return nil }
    return block
  }

  /// Inflates in one go; nil unless all of the input gives exactly so many bytes.
  private func inflate(_ deflated: ArraySlice<UInt8>, byteCount: Int) -> [UInt8]? {
    unsafe inflateReset(stream)
    var isWhole = false
    // zlib wants a place to write to even where nothing is to be written.
    let block = unsafe [UInt8](unsafeUninitializedCapacity: max(byteCount, 1)) { output, count in
      unsafe deflated.withUnsafeBufferPointer { input in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = UInt32(byteCount)
        // Told that this is all, zlib keeps no window.
        let code = unsafe CZlib.inflate(stream, Z_FINISH)
        count = unsafe byteCount - Int(stream.pointee.avail_out)
        isWhole = unsafe code == Z_STREAM_END && stream.pointee.avail_in == 0 && count == byteCount
      }
    }
    return isWhole ? block : nil
  }
}
