import ArchiveStore
import Files
import FoundationEssentials

/// Removes the archives that a retention policy does not keep.
public struct PruneArchives: Sendable {
  private let policy: RetentionPolicy
  private let source: String?

  /// - Parameters:
  ///   - policy: What is worth keeping.
  ///   - source: The Redis whose archives are looked at; nil for all that the directory holds.
  public init(policy: RetentionPolicy, source: String?) {
    self.policy = policy
    self.source = source
  }

  /// Makes sure that there is anything to look at, before a lock would make the directory.
  ///
  /// - Throws: ``BackupError`` when the directory is missing or cannot be examined.
  public func check(_ directory: ArchiveDirectory) throws {
    do {
      if try FileTree.status(of: directory.path) != nil { return }
    } catch {
      throw BackupError(storing: error)
    }
    throw BackupError.cannotPrune(missing: directory.path)
  }

  /// Decides about each archive, newest first, and changes nothing.
  ///
  /// - Throws: ``BackupError`` when nothing may be removed, or the directory cannot be read.
  public func plan(in directory: ArchiveDirectory, now: Date) throws -> [RetentionDecision] {
    do {
      let candidates = try directory.archives(RetentionCandidate.init)
        .filter { source == nil || $0.source == source }
      if let source, candidates.isEmpty {
        throw BackupError.cannotPrune(directory.path, holdingNoneOf: source)
      }
      return try policy.decisions(for: candidates, now: now)
    } catch let error as BackupError {
      throw error
    } catch let refusal as RetentionRefusal {
      throw BackupError(pruning: directory.path, refusal)
    } catch {
      throw BackupError(storing: error)
    }
  }

  /// Decides, and removes what the policy does not keep.
  ///
  /// - Returns: The decisions, all of them carried out.
  /// - Throws: ``BackupError``; of an archive that was being removed then, the next run removes the rest.
  public func run(in lock: DirectoryLock, now: Date) throws -> [RetentionDecision] {
    let decisions = try plan(in: lock.directory, now: now)
    do {
      try lock.remove(decisions.filter(\.removes).map(\.archive.name))
    } catch {
      throw BackupError(storing: error)
    }
    return decisions
  }
}
