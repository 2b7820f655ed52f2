@testable import RedisClient
import Testing

@Suite struct ServerNameTests {
  @Test(arguments: [
    ("redis.test", "redis.test", true),
    ("Redis.TEST.", "redis.test", true),
    ("a.redis.test", "*.redis.test", true),
    ("a.redis.test", "redis.test", false),
    ("redis.test", "*.redis.test", false),
    ("a.b.redis.test", "*.redis.test", false),
    (".redis.test", "*.redis.test", false),
    ("aredis.test", "*redis.test", false),
    ("test", "*", false),
    ("redis.test", "*.", false),
    ("redis", "", false),
  ])
  func `a certificate's name stands for one host or one label`(
    name: String, pattern: String, matches: Bool
  ) {
    #expect(ServerNameHandler.matches(name, pattern: pattern) == matches)
  }
}
