// What a walk of a tree found, and what it could not look at.

import BasicTypes
import BuildModel
import LinuxSystem

/// A source as a walk found it.
package struct ScannedSource: Sendable {
    /// Relative to the root.
    package let path: BytePath
    package let stamp: Stamp
    /// For each artifact that was asked for, its stamp, or `nil` where there is none.
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

/// What one look at the path of a source showed.
package enum Observation: Sendable {
    /// A regular file, or a link to one.
    case present(ScannedSource)
    /// Nothing has this name (`ENOENT`, `ENOTDIR`).
    case gone
    /// Something else has the name: a directory, a FIFO, a link that leads nowhere or in a circle. Or the file can be
    /// reached only through a directory that is a symbolic link, which no walk follows.
    case notASource
    /// The look failed (`EACCES`, `EIO`, `ESTALE`, `EMFILE`, …): nothing is known, so nothing may be concluded.
    case unreadable(SystemError)

    package var source: ScannedSource? { if case .present(let source) = self { source } else { nil } }
}

/// A directory that could not be listed, or a source whose status could not be read. Nothing is known about what is
/// there: a record at or below such a place says neither that its source exists nor that it is gone.
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

/// What a walk found.
package struct ScanResult: Sendable {
    package var sources: [ScannedSource] = []
    /// Directories that were listed.
    package var directories: [BytePath] = []
    /// Names of sources that are symbolic links, wherever these lead.
    package var links: [BytePath] = []
    /// The directories that have a `__pycache__`.
    package var caches: [BytePath] = []
    /// Watches that were set: watch, directory, role.
    package var watches: [(Int32, BytePath, WatchTable.Role)] = []
    /// Places about which the walk says nothing, because it could not look at them.
    package var unreadable: [UnreadablePlace] = []
    /// Directories that could not be watched, with the error.
    package var unwatched: [(BytePath, SystemError)] = []

    package init() {}

    /// The unreadable places, for the user.
    package var problems: [LocatedDiagnostic] { unreadable.map(\.diagnostic) }

    /// The places about which the walk says nothing: what lies at or below them may exist although it was not found.
    package var unreadablePlaces: PathSet { PathSet(unreadable.map(\.path)) }
}
