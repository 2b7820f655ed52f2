import NIOHTTP1
import Testing

@testable import Monitoring

@Suite struct MonitorURLTests {
  private typealias Good = (text: String, host: String, port: Int, success: String, fail: String)

  private static let good: [Good] = [
    ("https://hc-ping.com/a-b", "hc-ping.com", 443, "/a-b", "/a-b/fail"),
    ("HTTP://a:8080", "a", 8080, "/", "/fail"),
    ("http://a:/x/?create=1&x=[1]#y", "a", 80, "/x?create=1&x=[1]", "/x/fail?create=1&x=[1]"),
    ("https://[::1]:1/x//", "::1", 1, "/x", "/x/fail"),
    ("http://[::1]?q", "::1", 80, "/?q", "/fail?q"),
    ("https://u%40b:p%2Fw@h/x", "h", 443, "/x", "/x/fail"),
  ]

  @Test(arguments: good)
  private func `an event is a part of the path`(
    _ good: Good
  ) throws {
    let url = try #require(MonitorURL(good.text))
    #expect(url.host == good.host && url.port == good.port)
    #expect(url.target(.success) == good.success && url.target(.failure) == good.fail)
  }

  @Test func `a user is told in a header, and not in the host`() throws {
    let url = try #require(MonitorURL("https://u%40b:p%2Fw@h:8/x"))
    #expect(url.authority == "h:8" && url.user == "u@b:p/w")
    guard case .head(let head)? = url.request(.start, "").first else {
      Issue.record("no head")
      return
    }
    #expect(head.headers["Authorization"] == ["Basic dUBiOnAvdw=="])
    #expect(head.headers["Host"] == ["h:8"])
  }

  @Test(arguments: [
    "", "http://", "http:///x", "ftp://a/b", "a/b", "http://a b/c", "http://a/b\r\nX: y",
    "http://a:0/", "http://a:99999/", "http://a:b/", "http://:80/", "http://[::1]x/", "http://@/x",
  ])
  func `what is no URL for this is none`(text: String) {
    #expect(MonitorURL(text) == nil)
  }
}
