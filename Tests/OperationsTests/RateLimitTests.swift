import Testing

@testable import Operations

@Suite struct RateLimitTests {
  @Test func `so many bytes take so many seconds`() {
    var limit = RateLimit(bytesPerSecond: 1000)
    #expect(limit.due(after: 500, at: .zero) == .milliseconds(500))
    #expect(limit.due(after: 2000, at: .milliseconds(500)) == .milliseconds(2500))
    // Whoever asks too early waits for both.
    #expect(limit.due(after: 1000, at: .milliseconds(500)) == .milliseconds(3500))
  }

  @Test func `time in which nothing was read is not made up for`() {
    var limit = RateLimit(bytesPerSecond: 1000)
    _ = limit.due(after: 1000, at: .zero)
    #expect(limit.due(after: 1000, at: .seconds(60)) == .seconds(61))
  }

  @Test func `no bytes at all, and the lowest of rates, are no trap`() {
    var limit = RateLimit(bytesPerSecond: 0)
    #expect(limit.due(after: 0, at: .zero) == .zero)
    #expect(limit.due(after: 1 << 20, at: .zero) == .seconds(1 << 20))
    var fast = RateLimit(bytesPerSecond: .max)
    #expect(fast.due(after: 1 << 20, at: .zero) < .milliseconds(1))
  }
}
