/// Hands elements from one task to one other, in order, and lets the sender wait while too many of
/// them are not done with.
struct BoundedQueue<Element: Sendable>: Sendable {
  private let elements = AsyncStream<Element>.makeStream()
  /// One value for each element that may still be sent.
  private let room = AsyncStream<Void>.makeStream()

  init(limit: Int) {
    for _ in 0..<limit {
      room.continuation.yield()
    }
  }

  /// Waits until fewer elements than the limit are not done with, then queues this one.
  ///
  /// - Throws: `CancellationError`.
  func send(_ element: Element) async throws {
    var iterator = room.stream.makeAsyncIterator()
    guard await iterator.next() != nil else { throw CancellationError() }
    elements.continuation.yield(element)
  }

  /// No more elements will come.
  func finish() {
    elements.continuation.finish()
  }

  /// Calls `body` with each element until the queue is finished. An element is done with when
  /// `body` has returned.
  ///
  /// - Throws: What `body` throws, or `CancellationError`.
  func forEach(_ body: (Element) async throws -> Void) async throws {
    for await element in elements.stream {
      try Task.checkCancellation()
      try await body(element)
      room.continuation.yield()
    }
    try Task.checkCancellation()
  }
}
