/// Who to log in as. The password is in no description, dump or mirror of it.
public struct RedisCredentials: Sendable, Equatable {
  /// The ACL user, or nil for the default user.
  public let username: String?
  /// The password, sent byte for byte.
  public let password: [UInt8]

  /// Makes credentials.
  public init(username: String? = nil, password: [UInt8]) {
    self.username = username
    self.password = password
  }

  /// The command that logs in.
  var command: RESPCommand {
    RESPCommand(
      [Array("AUTH".utf8)] + (username.map { [Array($0.utf8)] } ?? []) + [password])
  }
}

extension RedisCredentials: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The user, and that there is a password.
  public var description: String { "user \(username ?? "default"), password hidden" }
  /// The same as `description`.
  public var debugDescription: String { description }
  /// The user only.
  public var customMirror: Mirror {
    Mirror(self, children: ["username": username ?? "default", "password": "hidden"])
  }
}
