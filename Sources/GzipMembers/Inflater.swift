import CZlib

/// One zlib inflate state, used for one gzip member after the other. Reads every header that RFC
/// 1952 allows, and compares CRC32 and ISIZE.
@safe final class Inflater: @unchecked Sendable {
  private let stream: UnsafeMutablePointer<z_stream>

  /// What one step has done.
  struct Step {
    let consumedByteCount: Int
    let output: [UInt8]
    /// Whether the member is complete, trailer included.
    let isAtEnd: Bool
  }

  /// - Throws: ``GzipError/Kind/zlib(_:)``.
  init() throws(GzipError) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 15 bits of window, plus 16: gzip only.
    let code = unsafe inflateInit2_(
      stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw GzipError(.zlib(code), byteOffset: 0) }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Makes ready for the first byte of a member.
  func beginMember() {
    unsafe inflateReset(stream)
  }

  /// Inflates until the input is used up, the output has `outputByteCount` bytes, or the member
  /// ends.
  ///
  /// - Throws: ``GzipError`` without a place.
  func inflate(
    _ input: ArraySlice<UInt8>, outputByteCount: Int
  ) throws(GzipError) -> Step {
    let (step, code) = attempt(input, outputByteCount: outputByteCount)
    switch code {
    // Z_BUF_ERROR: nothing could be done without more input, or more room.
    case Z_OK, Z_BUF_ERROR, Z_STREAM_END: return step
    case Z_DATA_ERROR: throw GzipError(kindOfDataError, byteOffset: 0)
    // Z_NEED_DICT cannot come from gzip data.
    default: throw GzipError(.zlib(code), byteOffset: 0)
    }
  }

  /// Calls zlib once; the code tells what came of it.
  private func attempt(
    _ input: ArraySlice<UInt8>, outputByteCount: Int
  ) -> (step: Step, code: Int32) {
    var code = Z_OK
    var consumedByteCount = 0
    let inputByteCount = min(input.count, 1 << 30)
    // zlib wants a place to write to even where nothing is to be written.
    let capacity = max(outputByteCount, 1)
    let output = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
      unsafe input.withUnsafeBufferPointer { input in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(inputByteCount)
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = UInt32(outputByteCount)
        code = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
        count = unsafe outputByteCount - Int(stream.pointee.avail_out)
        consumedByteCount = unsafe inputByteCount - Int(stream.pointee.avail_in)
      }
    }
    let isAtEnd = code == Z_STREAM_END
    return (Step(consumedByteCount: consumedByteCount, output: output, isAtEnd: isAtEnd), code)
  }

  /// zlib tells its data errors apart by their message only.
  private var kindOfDataError: GzipError.Kind {
    guard let message = unsafe stream.pointee.msg else { return .badData }
    return switch unsafe String(cString: message) {
    case "incorrect header check", "unknown compression method", "unknown header flags set",
      "header crc mismatch":
      .badHeader
    case "incorrect data check": .wrongChecksum
    case "incorrect length check": .wrongLength
    default: .badData
    }
  }
}
