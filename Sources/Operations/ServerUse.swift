/// What a server is looked for.
public enum ServerUse: Sendable, Equatable {
  /// A backup: a pod that cannot be seen is told of. A replica may stand for the primary where that is
  /// preferred and a StatefulSet or a selector leaves the choice.
  case backup(prefersReplica: Bool)
  /// A restore: no pod is taken for the primary while one that cannot be seen may be it.
  case restore
}
