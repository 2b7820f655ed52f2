/// Something that an account may do or not do in its namespace.
struct Right {
  let verb: String
  /// In the plural, as rules of roles have it: `pods`, `pods/exec`, `statefulsets.apps`.
  let resource: String
  /// Which one; nil for any.
  let name: String?

  init(_ verb: String, _ resource: String, _ name: String? = nil) {
    self.verb = verb
    self.resource = resource
    self.name = name
  }

  /// The arguments of `kubectl auth can-i`, which takes `pods/exec` for a pod of the name "exec".
  var question: [String] {
    let parts = resource.split(separator: "/", maxSplits: 1)
    let subresource = parts.count > 1 ? ["--subresource=\(parts[1])"] : []
    return [verb, ([parts[0]] + (name.map { [$0[...]] } ?? [])).joined(separator: "/")]
      + subresource
  }

  /// What the API server would say, without the name of the account, which kubectl does not tell.
  func denial(in namespace: String) -> String {
    let object = resource.prefix { $0 != "/" }
    let plain = resource.split(separator: ".")[0]
    return "\(object)\(name.map { " \"\($0)\"" } ?? "") is forbidden: this account cannot \(verb) "
      + "resource \"\(plain)\" in the namespace \"\(namespace)\""
  }
}
