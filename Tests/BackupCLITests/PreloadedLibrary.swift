import FoundationEssentials

/// Whether functions of the C library can be replaced for a program.
let hasCompiler = FileManager.default.isExecutableFile(atPath: "/usr/bin/cc")

/// Makes a library for `LD_PRELOAD` of C source, and returns its path.
func preloadedLibrary(_ source: String, in directory: String) async throws -> String {
  let path = directory + "/preloaded"
  try Data(source.utf8).write(to: URL(filePath: path + ".c"))
  try await shell("cc -shared -fPIC -o '\(path).so' '\(path).c'")
  return path + ".so"
}
