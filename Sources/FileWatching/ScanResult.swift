// The results of scanning a tree, including what could not be read.

import BasicTypes
import BuildModel
import LinuxSystem

/// A source found by a scan.
package struct ScannedSource: Sendable {
    /// Relative to the root.
    package let path: BytePath
    package let stamp: Stamp
    /// For each requested artifact, its stamp; `nil` if there is none. Empty if there are none at all.
    package let artifacts: [Stamp?]
    /// Whether the file has several hard links: an edit through another name sends no event for this one.
    package let isHardLinked: Bool

    package init(path: BytePath, stamp: Stamp, artifacts: [Stamp?], isHardLinked: Bool = false) {
        self.path = path
        self.stamp = stamp
        self.artifacts = artifacts
        self.isHardLinked = isHardLinked
    }
}

extension ScannedSource {
    init(_ path: BytePath, _ status: FileStatus, _ artifacts: [Stamp?]) {
        self.init(path: path, stamp: status.stamp, artifacts: artifacts, isHardLinked: status.links > 1)
    }
}

/// The result of examining the path of a source.
package enum Observation: Sendable {
    /// A regular file, or a link to one.
    case present(ScannedSource)
    /// There is no such file (`ENOENT`, `ENOTDIR`).
    case gone
    /// It is something else: a directory, a FIFO, a dangling or circular link. Or it can only be reached through a
    /// directory that is a symbolic link, which scans do not follow.
    case notASource
    /// It could not be examined (`EACCES`, `EIO`, `ESTALE`, `EMFILE`, …): nothing is known, so nothing may be
    /// concluded.
    case unreadable(SystemError)

    package var source: ScannedSource? { if case .present(let source) = self { source } else { nil } }
}

/// A directory that could not be listed, or a source whose status could not be read. Nothing is known about it: a
/// source with a record at or below such a place may or may not still exist.
package struct UnreadablePlace: Hashable, Sendable {
    /// Relative to the root.
    package let path: BytePath
    package let error: SystemError
    package let isDirectory: Bool

    package init(path: BytePath, error: SystemError, isDirectory: Bool) {
        self.path = path
        self.error = error
        self.isDirectory = isDirectory
    }

    package var diagnostic: LocatedDiagnostic {
        let what = isDirectory ? "the directory" : "the file"
        return LocatedDiagnostic(
            path: path,
            diagnostic: Diagnostic(
                .unreadable, .error,
                message: "cannot read \(what): \(error.reason); change its permissions or --exclude it"))
    }
}

/// Recognizes sources that need no further attention, while the tree is scanned. In an unchanged tree that is all of
/// them, so none of them is collected.
package protocol SettledSources: Sendable {
    /// The number of a directory that has records.
    func directory(_ path: BytePath) -> UInt32?
    /// The position of the record of a source that is settled, otherwise `nil`. Called by several threads.
    func position(of name: BytePath, in directory: UInt32, stamp: Stamp, artifacts: [Stamp?]) -> UInt32?
}

/// The result of a scan.
package struct ScanResult: Sendable {
    package var sources: [ScannedSource] = []
    /// The positions of the records of sources that are settled; they are not among `sources`.
    package var settled: [UInt32] = []
    /// Directories with settled sources.
    package var settledDirectories: [BytePath] = []
    /// Directories that were listed.
    package var directories: [BytePath] = []
    /// Paths of sources that are symbolic links, wherever they lead.
    package var links: [BytePath] = []
    /// Directories that contain a `__pycache__`.
    package var caches: [BytePath] = []
    /// New watches: watch descriptor, directory, role.
    package var watches: [(Int32, BytePath, WatchTable.Role)] = []
    /// Places that could not be examined.
    package var unreadable: [UnreadablePlace] = []
    /// Directories that could not be watched, with the errors.
    package var unwatched: [(BytePath, SystemError)] = []

    package init() {}

    /// The unreadable places, as diagnostics.
    package var problems: [LocatedDiagnostic] { unreadable.map(\.diagnostic) }

    /// The unreadable places: sources at or below them may exist although the scan did not find them.
    package var unreadablePlaces: PathSet { PathSet(unreadable.map(\.path)) }
}
