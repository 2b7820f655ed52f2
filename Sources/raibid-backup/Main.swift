import BackupCLI

@main
struct Main {
  @MainActor static func main() async {
    await CommandLineTool.run()
  }
}
