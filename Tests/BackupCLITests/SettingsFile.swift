import FoundationEssentials

/// Writes the file with settings of a user, and returns its path.
@discardableResult
func writeSettings(_ text: String, _ home: String) throws -> String {
  try FileManager.default.createDirectory(
    atPath: home + "/.raibid", withIntermediateDirectories: true)
  let path = home + "/.raibid/backup.json"
  try Data(text.utf8).write(to: URL(filePath: path))
  // Whatever the umask of these tests is.
  try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
  return path
}
