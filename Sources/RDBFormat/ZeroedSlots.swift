import Glibc

extension [UInt64] {
  /// Zeros, on few and large pages where the system has them: what lies at random places is found sooner
  /// there, and is not asked for page by page.
  static func zeros(count: Int) -> [UInt64] {
    unsafe [UInt64](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      let pageByteCount = Swift.max(sysconf(Int32(_SC_PAGESIZE)), 1)
      let address = Int(bitPattern: buffer.baseAddress)
      let start = (address + pageByteCount - 1) / pageByteCount * pageByteCount
      let byteCount = address + count * MemoryLayout<UInt64>.stride - start
      // What is smaller lies between blocks of others. Only an advice: where the system refuses, nothing
      // is lost.
      if byteCount >= largePagesByteCount {
        unsafe madvise(UnsafeMutableRawPointer(bitPattern: start), byteCount, MADV_HUGEPAGE)
      }
      unsafe buffer.initialize(repeating: 0)
      initializedCount = count
    }
  }

  private static var largePagesByteCount: Int { 4 << 20 }
}
