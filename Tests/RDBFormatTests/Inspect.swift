import RDBFormat
import Synchronization

/// What comes of a file: a summary, or the error, and the keys met on the way.
func inspect(_ pieces: [[UInt8]], referenceTime: Int64 = 0) throws(RDBError) -> RDBSummary {
  var inspector = RDBInspector(referenceTime: referenceTime)
  for piece in pieces {
    try inspector.consume(piece.span)
  }
  return try inspector.finish()
}

/// The same with the checksum worked out beforehand.
func outcomeAhead(_ pieces: [[UInt8]]) -> Result<RDBSummary, RDBError> {
  var ahead = RDBPieces()
  let summed = pieces.map { ahead.next($0) }
  var inspector = RDBInspector(referenceTime: 0)
  do {
    for piece in summed { try inspector.consume(piece) }
    return .success(try inspector.finish())
  } catch {
    return .failure(error)
  }
}

/// The same with the keys compared elsewhere.
func outcomeApart(_ pieces: [[UInt8]]) -> Result<RDBSummary, RDBError> {
  var inspector = RDBInspector(referenceTime: 0, comparesKeys: false)
  var known = RDBKeySet()
  do {
    for piece in pieces {
      defer { known.compare(inspector.takeKeys()) }
      try inspector.consume(piece.span)
    }
    return .success(try inspector.finish(comparedBy: known))
  } catch {
    return .failure(known.fault ?? error)
  }
}

/// The same as a value that can be compared.
func outcome(_ pieces: [[UInt8]]) -> Result<RDBSummary, RDBError> {
  do {
    return .success(try inspect(pieces))
  } catch {
    return .failure(error)
  }
}

/// The first fault, if there is one.
func faultOf(_ pieces: [[UInt8]]) -> RDBError? {
  guard case .failure(let error) = outcome(pieces) else { return nil }
  return error
}

func keys(of bytes: [UInt8]) throws -> [RDBKey] {
  let list = KeyList()
  var inspector = RDBInspector(referenceTime: 0) { key in list.keys.withLock { $0.append(key) } }
  try inspector.consume(bytes.span)
  _ = try inspector.finish()
  return list.keys.withLock { $0 }
}

private final class KeyList: Sendable {
  let keys = Mutex<[RDBKey]>([])
}

extension [UInt8] {
  /// These bytes cut at random places, some pieces empty.
  func split(using random: inout SplitMix) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var start = 0
    let longest = [3, 40, 5_000, 70_000].randomElement(using: &random) ?? 3
    while start < count {
      let end = Swift.min(count, start + Int.random(in: 0...longest, using: &random))
      pieces.append(Array(self[start..<end]))
      start = end
    }
    return pieces
  }
}
