import ArchiveStore
import ArgumentParser
import Files
import FoundationEssentials
import Operations

/// Where figures go for a monitoring system.
struct MetricsOptions: ParsableArguments, Sendable {
  @Option(
    help: ArgumentHelp(
      "A file for the textfile collector of Prometheus's node_exporter, replaced in one step.",
      valueName: "file"), completion: .file())
  var metricsFile: String?

  private static let maximumByteCount = 16 << 20

  /// Runs a backup, and writes how it ended, whatever that is.
  ///
  /// Figures that cannot be written are a warning: they never decide a run.
  func recording<Outcome>(
    _ archives: DirectoryOptions, source: String, phases: PhaseClock,
    _ body: () async throws -> Outcome
  ) async throws -> Outcome {
    let began = Date()
    let outcome: Result<Outcome, any Error>
    do {
      outcome = .success(try await body())
    } catch {
      outcome = .failure(error)
    }
    write(archives, sources: [source]) { metrics in
      metrics.set("last_attempt_timestamp_seconds", of: source, Metrics.seconds(began))
      metrics.set("last_exit_code", of: source, ExitStatus(outcome).rawValue)
      metrics.set(
        "duration_seconds", of: source,
        phases.finish().map { (labels: [("phase", $0.name)], value: "\($0.seconds)") })
    }
    return try outcome.get()
  }

  /// Writes what the directory holds now, and leaves what an earlier run of `create` has written.
  func update(_ archives: DirectoryOptions) {
    write(archives, sources: archives.sourceName.map { [$0] }) { _ in }
  }

  private func write(
    _ archives: DirectoryOptions, sources: [String]?, _ change: (inout Metrics) -> Void
  ) {
    guard let path = metricsFile else { return }
    do {
      // A device or a pipe would be gone afterwards.
      if try FileTree.status(of: path)?.kind == .other { throw NoRegularFile() }
      let old = try FileTree.contents(of: path, limit: Self.maximumByteCount) ?? []
      var metrics = Metrics(parsing: String(decoding: old, as: UTF8.self))
      change(&metrics)
      do {
        let entries = try archives.archiveDirectory().archives()
        for source in sources ?? Array(Set(entries.compactMap(\.source))) {
          metrics.set(entries, of: source, now: Date())
          metrics.set(
            "build_info", of: source, [(labels: [("version", Tool.version)], value: "1")])
        }
      } catch {
        // The run itself has met the same fault and says so; the old figures stay.
      }
      try Self.replace(path, with: Array(metrics.text.utf8))
    } catch {
      Output.error.write(
        "\(Tool.name): warning: cannot write the metrics to \(path): \(error)\n")
    }
  }

  private static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
    let pending = path + ".part"
    let file: OpenFile
    do {
      file = try OpenFile(creating: pending)
    } catch {
      guard error.isExisting else { throw error }
      try FileTree.remove(pending)
      file = try OpenFile(creating: pending)
    }
    do {
      try file.write(bytes)
      // The collector is another user.
      try file.makeReadable()
      try file.sync()
      try FileTree.rename(pending, replacing: path)
    } catch {
      try FileTree.remove(pending)
      throw error
    }
  }
}

private struct NoRegularFile: Error, CustomStringConvertible {
  let description = "it is not a regular file"
}
