import ArchiveStore
import Operations
import RawJSON

/// The JSON schema of the file with settings, made from the options themselves.
enum ConfigurationSchema {
  /// The schema.
  static func document(_ table: CommandTable) -> JSONValue {
    let shared = table.sharedOptions
    var properties = self.properties(shared, shared: [])
    properties["$schema"] = .object(["type": .string("string")])
    for section in table.sections {
      properties[section] = object(
        self.properties(table.options(inSection: section), shared: shared),
        description: "What holds for \(Tool.name) \(section) alone.")
    }
    guard
      case .object(var schema) = object(
        properties, description: "Settings of \(Tool.name): its options, with _ in the place of -.")
    else { return .null }
    schema["$schema"] = .string("https://json-schema.org/draft/2020-12/schema")
    return .object(schema)
  }

  private static func properties(
    _ options: [CommandOption], shared: [CommandOption]
  ) -> [String: JSONValue] {
    options.reduce(into: [:]) { properties, option in
      properties[option.key] =
        shared.contains(option)
        ? .object(["$ref": .string("#/properties/\(option.key)")]) : property(option)
    }
  }

  private static func object(
    _ properties: [String: JSONValue], description: String
  ) -> JSONValue {
    .object([
      "additionalProperties": .bool(false), "description": .string(description),
      "properties": .object(properties), "type": .string("object"),
    ])
  }

  private static func property(_ option: CommandOption) -> JSONValue {
    var property: [String: JSONValue] = ["description": .string(option.help)]
    switch option.kind {
    case .flag: property["type"] = .string("boolean")
    case .number: property["type"] = .string("integer")
    case .text: property["type"] = .string("string")
    case .list:
      property["type"] = .string("array")
      property["items"] = .object(["type": .string("string")])
    }
    if !option.values.isEmpty { property["enum"] = .array(option.values.map(JSONValue.string)) }
    return .object(property)
  }
}
