import FoundationEssentials
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  /// The accounts of `scripts/kubernetes/rbac.yaml`: each has what its command needs, and nothing that it
  /// does not.
  @Test func `the accounts can do their work, and can do without none of their rights`()
    async throws
  {
    try await ClusterUser.with { user in
      let roles = try Roles()
      try await user.redis.kubectl("apply", "--filename=-", input: roles.text)
      let backup = try await user.acting(as: "raibid-backup")
      let restore = try await user.acting(as: "raibid-restore")

      let created = try await backup("create")
      #expect(created.status == 0 && created.error.isEmpty, "\(created)")
      for right in try roles.rights(of: "raibid-backup") {
        try await roles.remove(right, from: "raibid-backup", of: user)
        expectDenial(of: right, try await backup("create"))
      }

      try await user.redis.wreck()
      let wreck = try await user.redis.picture()
      let pod = try await user.redis.podID()
      for right in try roles.rights(of: "raibid-restore") {
        try await roles.remove(right, from: "raibid-restore", of: user)
        expectDenial(of: right, try await restore("restore", "latest", "--yes"))
      }
      #expect(try await user.redis.podID() == pod)
      #expect(try await user.redis.picture() == wreck)
      try await user.redis.kubectl("apply", "--filename=-", input: roles.text)
      let restored = try await restore("restore", "latest", "--yes")
      #expect(restored.status == 0, "\(restored)")
      #expect(try await user.redis.picture() != wreck)
      #expect(try await user.leftovers() == [])
    }
  }

  func expectDenial(of right: Roles.Right, _ outcome: BackupTool.Outcome) {
    #expect(outcome.status == 77, "without \(right): \(outcome)")
    #expect(
      outcome.error.contains("cannot \(right.verb) resource \"\(right.resource)\""),
      "without \(right): \(outcome)")
  }
}

/// The file with the roles.
struct Roles {
  /// One thing that a role allows.
  struct Right: Equatable {
    let group: String
    let resource: String
    let verb: String
    let names: String?

    /// The rule of a role that allows this alone.
    var rule: String {
      "- {apiGroups: [\(group)], resources: [\(resource)], "
        + (names.map { "resourceNames: [\($0)], " } ?? "") + "verbs: [\(verb)]}"
    }
  }

  let text: String

  init() throws {
    var root = URL(filePath: #filePath)
    for _ in 1...3 { root.deleteLastPathComponent() }
    text = try String(
      contentsOf: root.appending(path: "scripts/kubernetes/rbac.yaml"), encoding: .utf8)
  }

  /// The lines of a role's rules.
  func rules(of role: String) throws -> [String] {
    let documents = text.split(separator: "---\n")
    let document = try #require(
      documents.first { $0.contains("kind: Role\nmetadata:\n  name: \(role)\n") })
    return document.split(separator: "\n").map(String.init).filter { $0.hasPrefix("- {apiGroups:") }
  }

  /// All that a role allows, one by one.
  func rights(of role: String) throws -> [Right] {
    let rights = try rules(of: role).flatMap { rule in
      func list(_ name: String) -> [String] {
        guard let start = rule.firstRange(of: "\(name): [")?.upperBound else { return [] }
        return rule[start...].prefix { $0 != "]" }.split(separator: ", ").map(String.init)
      }
      let names = list("resourceNames").joined(separator: ", ")
      return list("resources").flatMap { resource in
        list("verbs").map { verb in
          Right(
            group: list("apiGroups").joined(), resource: resource, verb: verb,
            names: names.isEmpty ? nil : names)
        }
      }
    }
    try #require(rights.count > 3)
    return rights
  }

  /// Gives a role all that it has but one thing.
  func remove(_ right: Right, from role: String, of user: ClusterUser) async throws {
    let rules = try rights(of: role).filter { $0 != right }.map(\.rule).joined(separator: "\n")
    try await user.redis.kubectl(
      "apply", "--filename=-",
      input: """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: \(role)}
        rules:
        \(rules)
        """)
  }
}

extension ClusterUser {
  /// The tool for a service account of the namespace.
  func acting(as account: String) async throws -> BackupTool {
    var tool = tool
    tool.environment["KUBECONFIG"] = try await kubeconfig(account: account)
    return tool
  }
}
