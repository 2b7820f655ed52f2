import RDBFormat

/// What libFuzzer calls with each input: the first two bytes choose how the rest is split.
///
/// Any input may be refused; none may trap, leak, or take long. How it is split must not matter.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
  guard input.count > 2 else { return 0 }
  let pieceByteCount = Int(input[0]) << 8 | Int(input[1]) + 1
  let file = input[2...]
  let whole = inspect([file])
  let split = inspect(
    stride(from: file.startIndex, to: file.endIndex, by: pieceByteCount).map { start in
      file[start..<min(start + pieceByteCount, file.endIndex)]
    })
  precondition(whole == split, "the splitting matters")
  return 0
}

private func inspect(_ pieces: [ArraySlice<UInt8>]) -> Result<RDBSummary, RDBError> {
  var inspector = RDBInspector(referenceTime: 1_700_000_000_000)
  do throws(RDBError) {
    for piece in pieces { try inspector.consume(piece.span) }
    return .success(try inspector.finish())
  } catch {
    return .failure(error)
  }
}

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments?>,
  _ oneInput: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// The entry point that the package manager links programs with.
@_cdecl("FuzzRDB_main")
public func fuzzMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
  var count = count
  var arguments = unsafe arguments
  return unsafe runDriver(&count, &arguments, fuzzOneInput)
}
