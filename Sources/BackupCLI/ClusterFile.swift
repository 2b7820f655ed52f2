import ArgumentParser

/// A file that the cluster mounts into a pod for an option.
struct ClusterFile {
  /// What it is a key of.
  enum Kind: String {
    case secret
    case configMap = "configmap"
  }

  let option: String
  let kind: Kind
  let name: String
  let key: String

  /// Reads `secret/NAME/KEY` or `configmap/NAME/KEY`.
  ///
  /// - Throws: `ValidationError`.
  init(_ option: String, _ text: String) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let kind = Kind(rawValue: parts[0].lowercased()),
      parts.allSatisfy({ !$0.isEmpty })
    else {
      throw ValidationError(
        "--\(option): \"\(text)\" is not what the cluster has, secret/NAME/KEY or configmap/NAME/KEY"
      )
    }
    self.option = option
    self.kind = kind
    name = parts[1]
    key = parts[2]
  }
}
