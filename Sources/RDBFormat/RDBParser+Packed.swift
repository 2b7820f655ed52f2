// Strings that are listpacks, ziplists, intsets or zipmaps.

extension RDBParser {
  mutating func beginPacked(byteCount: UInt64) {
    switch blob {
    case .listpack: listpack.begin(byteCount: byteCount, shape: shape)
    case .ziplist: ziplist.begin(byteCount: byteCount, shape: shape)
    case .intset: intset.begin(byteCount: byteCount)
    case .zipmap: zipmap.begin()
    }
  }

  mutating func deliverPacked(_ bytes: Span<UInt8>) throws(RDBError.Kind) {
    do throws(RDBError.Kind) {
      switch blob {
      case .listpack: try listpack.consume(bytes)
      case .ziplist: try ziplist.consume(bytes)
      case .intset: try intset.consume(bytes)
      case .zipmap: try zipmap.consume(bytes)
      }
    } catch {
      packedFaultOffset = packedOffset
      throw error
    }
  }

  mutating func finishPacked() throws(RDBError.Kind) {
    do throws(RDBError.Kind) {
      switch blob {
      case .listpack:
        try listpack.finish()
        elementCount += listpack.elements.elementCount
        expiringFieldCount += listpack.elements.expiringFieldCount
      case .ziplist:
        try ziplist.finish()
        elementCount += ziplist.elements.elementCount
      case .intset:
        try intset.finish()
        elementCount += intset.elementCount
      case .zipmap:
        try zipmap.finish()
        elementCount += zipmap.elementCount
      }
    } catch {
      packedFaultOffset = packedOffset
      throw error
    }
  }

  // In a compressed string no byte of the file stands for a byte of the value.
  private var packedOffset: UInt64 {
    guard case .raw = content else { return contentOffset }
    switch blob {
    case .listpack: return contentOffset + listpack.carry.byteOffset
    case .ziplist: return contentOffset + ziplist.carry.byteOffset
    case .intset: return contentOffset + intset.carry.byteOffset
    case .zipmap: return contentOffset + zipmap.carry.byteOffset
    }
  }
}
