// What a session knows about single sources and their bytecode: what the daemon asks after an event.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import LinuxSystem

extension Session {
    /// The recorded sources directly in a directory.
    package func recordedPaths(in directory: BytePath) -> [BytePath] { table.paths(in: directory) }

    /// All recorded paths of the same file, by its inode when it was recorded.
    package func aliases(of path: BytePath) -> Set<BytePath> {
        record(path).map { table.paths(inode: $0.source.stamp.inode) } ?? []
    }

    /// The recorded sources with this inode.
    package func paths(inode: UInt64) -> Set<BytePath> { table.paths(inode: inode) }

    /// Whether every artifact of a source matches its trace: it is the published file, or missing if the compiler
    /// rejects the source.
    package func hasIntactArtifacts(_ path: BytePath) -> Bool {
        guard let record = record(path) else { return true }
        return targets.allSatisfy { target in
            guard let trace = record.trace(target.key) else { return true }
            if trace.isFailure { return root.isSurelyMissing(target.place.path(of: path)) }
            return trace.published == nil || isIntact(record, target)
        }
    }

    /// Removes a bytecode file if its source is missing.
    package func removeOrphan(_ name: BytePath, of source: BytePath) {
        guard root.isSurelyMissing(source),
            let cache = try? root.directory(source.parent.appending("__pycache__"))
        else { return }
        _ = try? cache.removeFile(name)
    }

    /// Removes a leftover temporary file of bytecode.
    package func removeStray(_ name: BytePath, in directory: BytePath) {
        guard ArtifactPublisher.isStray(name), let cache = try? root.directory(directory.appending("__pycache__"))
        else {
            return
        }
        _ = try? cache.removeFile(name)
    }

    /// Whether the root's path certainly names another directory than the open one, or none. `false` if we cannot tell.
    package var isRootReplaced: Bool {
        guard let held = try? root.descriptor.status().stamp else { return false }
        do throws(SystemError) {
            guard let there = try Host.status(configuration.rootPath)?.stamp else { return true }
            return held.inode != there.inode || held.device != there.device
        } catch {
            return false
        }
    }

    /// Whether an artifact is the published file, by its stamp.
    package func isIntact(_ record: ModuleRecord, _ target: ArtifactTarget) -> Bool {
        guard let published = record.trace(target.key)?.published else { return false }
        return (try? root.status(target.place.path(of: record.path), followsLinks: false))?.stamp == published.stamp
    }

    /// The sources directly in a directory that are not up to date by their stamps. A failed write is reported once for
    /// its directory; this finds the other sources that it affected.
    package func staleSources(in directory: BytePath) -> [BytePath] {
        let examiner = examiner()
        return scanner().scan([directory]).sources.filter { source in
            source.path.parent == directory
                && examiner.glance(source.stamp, source.artifacts, record: record(source.path))?.isEmpty != true
        }.map(\.path)
    }

    /// Whether a path is at or below one of the paths that the user named.
    package func isInStarts(_ path: BytePath) -> Bool {
        named.covers(path)
    }

    /// Whether a source is at or below one of the paths that the user named, and the rules of the scope include it. The
    /// source need not exist or be readable.
    package func isInScope(_ source: BytePath, of scanner: TreeScanner) -> Bool {
        guard let start = configuration.starts.first(where: { source.isWithin($0) }) else { return false }
        return !scanner.isExcludedOnTheWay(to: source, isDirectory: false, below: start)
    }

    /// Whether the second that a guard protects is over.
    package func isGuardOver(_ path: BytePath) -> Bool {
        guard let record = record(path) else { return true }
        return !StalenessJudge.needsGuard(record.source.stamp, readAt: Host.realtime)
    }

    /// Whether the guard ends within the next seconds. `false` if the source has a time in the distant future.
    package func isGuardedForSeconds(_ path: BytePath) -> Bool {
        guard let record = record(path) else { return false }
        return record.source.stamp.modified.importSecond <= Host.realtime / 1_000_000_000 + 2
    }
}
