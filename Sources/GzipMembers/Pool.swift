import Synchronization

/// Things that are dear to make and serve one job at a time: made when all others are in use, kept
/// for the next job afterwards.
final class Pool<Element: Sendable>: Sendable {
  private let idle = Mutex<[Element]>([])
  private let make: @Sendable () throws -> Element

  init(_ make: @escaping @Sendable () throws -> Element) {
    self.make = make
  }

  func withElement<Value>(_ body: (Element) throws -> Value) throws -> Value {
    let element = try idle.withLock { $0.popLast() } ?? make()
    defer { idle.withLock { $0.append(element) } }
    return try body(element)
  }
}
