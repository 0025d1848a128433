// Removes bytecode that nothing needs.

import BasicTypes
import BuildModel
import Bytecode
import LinuxSystem

/// The files that one run removed, or would remove.
package struct CleanReport: Sendable {
    package struct Removal: Sendable {
        /// Relative to the root.
        package let path: BytePath
        /// Bytes.
        package let size: Int64
    }

    /// By path.
    package var removed: [Removal] = []
    /// `__pycache__` directories that were empty or became empty. By path.
    package var directories: [BytePath] = []
    package var problems: [LocatedDiagnostic] = []

    /// Bytes.
    package var size: Int64 { removed.reduce(0) { $0 &+ $1.size } }
}

/// Removes files and empty directories. Never follows a link.
package struct BytecodeCleaner: Sendable {
    /// What to remove besides orphans and leftover temporary files.
    package enum Extent: Sendable {
        case orphans
        /// Also bytecode with any cache tag other than these.
        case foreign(tags: Set<String>)
        /// All bytecode, except `x.pyc` without an `x.py` next to it: Python imports it.
        case all
    }

    private let root: Directory
    private let walk: BytecodeWalk
    private let extent: Extent
    private let isDryRun: Bool

    /// - Parameter rootPath: absolute, without links.
    package init(rootPath: BytePath, scope: Scope, extent: Extent, isDryRun: Bool) throws(SystemError) {
        root = try Directory(path: rootPath)
        walk = BytecodeWalk(root: root, rootPath: rootPath, scope: scope)
        self.extent = extent
        self.isDryRun = isDryRun
    }

    /// - Parameter starts: directories or sources, relative to the root.
    package func clean(_ starts: [BytePath]) -> CleanReport {
        let walked = walk.walk(starts)
        var report = CleanReport()
        report.problems = walked.problems
        for part in ParallelSlices.map(walked.folders, sliceSize: 8, scratch: {}, { folder, _ in clean(folder) }) {
            report.removed += part.removed
            report.directories += part.directories
            report.problems += part.problems
        }
        report.removed.sort { $0.path < $1.path }
        report.directories.sort()
        report.problems.sort { $0.path < $1.path }
        return report
    }

    // MARK: One directory

    private func clean(_ folder: BytecodeFolder) -> CleanReport {
        var report = CleanReport()
        do throws(SystemError) {
            let directory = try root.directory(folder.path)
            for name in folder.legacy where goes(beside: name, folder, directory) {
                remove(name, from: directory, folder.path, &report)
            }
            for path in folder.leftovers where path.parent.isEmpty {
                remove(path, from: directory, folder.path, &report)
            }
            if folder.cacheEntries != nil { try cleanCache(of: folder, directory, &report) }
        } catch {
            if !error.isMissing { report.problems.append(Self.problem(folder.path, error)) }
        }
        return report
    }

    private func cleanCache(
        of folder: BytecodeFolder, _ directory: Directory, _ report: inout CleanReport
    ) throws(SystemError) {
        let path = folder.path.appending(BytecodeFolder.cacheName)
        let cache = try directory.directory(BytecodeFolder.cacheName)
        let before = report.removed.count
        for name in folder.cached where goes(name, folder, directory) {
            remove(name, from: cache, path, &report)
        }
        for left in folder.leftovers where !left.parent.isEmpty {
            remove(BytePath.empty.appending(left.lastComponent), from: cache, path, &report)
        }
        guard !folder.isPartial || report.removed.count > before else { return }
        if isDryRun {
            if folder.cacheEntries == report.removed.count - before { report.directories.append(path) }
        } else if directory.removeEmptyDirectory(BytecodeFolder.cacheName) {
            report.directories.append(path)
        }
    }

    private func goes(_ name: BytePath, _ folder: BytecodeFolder, _ directory: Directory) -> Bool {
        guard let parsed = CacheName(name.bytes) else {
            // Bytecode in `__pycache__` that no Python looks for.
            switch extent {
            case .orphans: return false
            case .foreign, .all: return true
            }
        }
        switch extent {
        case .all: return true
        case .foreign(let tags) where !tags.contains(parsed.tag): return true
        case .orphans, .foreign: break
        }
        guard folder.source(of: parsed) == nil else { return false }
        // The source may have been created during the walk.
        let source = BytePath.empty.appending(parsed.stem + Array(".py".utf8))
        return !Self.isThere(source, in: directory)
    }

    /// Whether to remove a file outside `__pycache__`: its source is next to it, and its first bytes are those of bytecode.
    private func goes(beside name: BytePath, _ folder: BytecodeFolder, _ directory: Directory) -> Bool {
        guard case .all = extent, folder.source(beside: name) != nil,
            let stem = CacheName.stripped(name.bytes),
            Self.isThere(BytePath.empty.appending(stem + Array(".py".utf8)), in: directory),
            let file = try? directory.file(name, .read), let start = try? file.readAll(expected: 4, limit: 4)
        else { return false }
        return start.isEmpty || start.count == 4 && start[2] == 0x0D && start[3] == 0x0A
    }

    /// Whether the source exists. Assumes that it does if `stat` fails.
    private static func isThere(_ source: BytePath, in directory: Directory) -> Bool {
        do throws(SystemError) {
            return try directory.status(source, followsLinks: true) != nil
        } catch {
            return !error.isLoop
        }
    }

    private func remove(_ name: BytePath, from directory: Directory, _ path: BytePath, _ report: inout CleanReport) {
        let place = path.appending(name)
        do throws(SystemError) {
            // Keep a directory or link that has replaced the file in the meantime.
            guard let status = try directory.status(name, followsLinks: false), status.kind == .regular else { return }
            if !isDryRun, try !directory.removeFile(name) { return }
            report.removed.append(CleanReport.Removal(path: place, size: status.stamp.size))
        } catch {
            report.problems.append(Self.problem(place, error))
        }
    }

    private static func problem(_ path: BytePath, _ error: SystemError) -> LocatedDiagnostic {
        LocatedDiagnostic(
            path: path,
            diagnostic: Diagnostic(
                .unwritable, .error,
                message: "cannot remove it: \(error.reason); change the permissions of its directory")
        )
    }
}
