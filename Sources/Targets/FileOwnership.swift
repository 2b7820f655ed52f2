/// Who a file belongs to and who may use it.
public struct FileOwnership: Sendable, Equatable {
  /// The number of the owner.
  public var userID: UInt32
  /// The number of the group.
  public var groupID: UInt32
  /// The permission bits, 0 to 0o7777.
  public var mode: UInt32

  /// Creates an ownership from its figures.
  public init(userID: UInt32, groupID: UInt32, mode: UInt32) {
    self.userID = userID
    self.groupID = groupID
    self.mode = mode
  }
}
