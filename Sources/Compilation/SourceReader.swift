// Reads sources consistently: the stamp belongs to the bytes, or the file is read again.

import BasicTypes
import BuildModel
import LinuxSystem

/// The bytes of a source, and the stamp of the file when they were read.
package struct SourceContents: Sendable {
    package let bytes: [UInt8]
    package let stamp: Stamp
    /// See `SourceState`.
    package let isRacy: Bool
    package let permissions: UInt32
    /// A later save could leave the same second and size (see `StalenessJudge.needsGuard`).
    package let needsGuard: Bool

    package init(bytes: [UInt8], stamp: Stamp, isRacy: Bool, permissions: UInt32, needsGuard: Bool) {
        self.bytes = bytes
        self.stamp = stamp
        self.isRacy = isRacy
        self.permissions = permissions
        self.needsGuard = needsGuard
    }
}

/// The contents of a source with their fingerprint, for records and lookups.
///
/// A class, because it passes through many hands: as a structure it was copied at each step.
package final class SourceSnapshot: Sendable {
    package let contents: SourceContents
    package let state: SourceState

    package init(_ contents: SourceContents) {
        self.contents = contents
        state = SourceState(
            stamp: contents.stamp, fingerprint: Fingerprint(of: contents.bytes), isRacy: contents.isRacy)
    }

    package var bytes: [UInt8] { contents.bytes }
    package var permissions: UInt32 { contents.permissions }
    package var needsGuard: Bool { contents.needsGuard }
}

/// Why a source could not be read.
package enum SourceProblem: Error {
    /// The source no longer exists, or is not a regular file.
    case gone
    case diagnostic(Diagnostic, SystemError?)

    /// The system call that failed, if any.
    package var cause: SystemError? {
        switch self {
        case .gone: SystemError("open", code: SystemError.noSuchFile)
        case .diagnostic(_, let cause): cause
        }
    }
}

/// Reads sources below a root.
package struct SourceReader: Sendable {
    package let root: Directory

    package init(root: Directory) {
        self.root = root
    }

    /// If the file still changes after this many tries, the next wave reads it again.
    private static let maximumTries = 5

    /// Reads a source and computes its fingerprint.
    ///
    /// - Parameter scanned: the stamp that a scan found, if there was one. If the file still has it after it was read, it was
    ///   not written in between, which saves a call.
    package func read(_ path: BytePath, scanned: Stamp? = nil) throws(SourceProblem) -> SourceSnapshot {
        if let scanned, let contents = unchanged(path, since: scanned) { return SourceSnapshot(contents) }
        return SourceSnapshot(try contents(path))
    }

    /// - Returns: `nil` if anything is not as expected; then the source is read as if it had not been scanned.
    private func unchanged(_ path: BytePath, since scanned: Stamp) -> SourceContents? {
        guard scanned.size <= CompileRequestLimit.bytes, let file = try? root.fileFollowingLinks(path),
            let bytes = try? file.read(count: Int(scanned.size), path: path), let after = try? file.status(path),
            after.kind == .regular, after.stamp == scanned, Int64(bytes.count) == scanned.size
        else { return nil }
        return SourceContents(bytes, after)
    }

    /// Reads a source until the stats before and after agree.
    package func contents(_ path: BytePath) throws(SourceProblem) -> SourceContents {
        for _ in 0..<Self.maximumTries {
            if let contents = try attempt(path) { return contents }
        }
        throw .diagnostic(
            Diagnostic(
                .unstable, .error, message: "the file keeps changing while it is read; the next run tries again"), nil
        )
    }

    /// - Returns: `nil` if the file changed while it was read.
    private func attempt(_ path: BytePath) throws(SourceProblem) -> SourceContents? {
        do throws(SystemError) {
            let file = try root.fileFollowingLinks(path)
            let before = try file.status(path)
            guard before.kind == .regular else { throw SystemError("open", path, code: SystemError.noSuchFile) }
            guard before.stamp.size <= CompileRequestLimit.bytes else { throw SystemError("read", path, .tooLarge) }
            let bytes = try file.read(count: Int(before.stamp.size), path: path)
            let after = try file.status(path)
            guard before == after, Int64(bytes.count) == after.stamp.size else { return nil }
            return SourceContents(bytes, after)
        } catch {
            if error.isMissing { throw .gone }
            if error.refusal == .tooLarge {
                throw .diagnostic(
                    Diagnostic(
                        .tooLarge, .error,
                        message: "the file is larger than \(CompileRequestLimit.bytes >> 20) MiB; --exclude it"), nil)
            }
            throw .diagnostic(
                Diagnostic(
                    .unreadable, .error,
                    message: "cannot read the file: \(error.reason); change its permissions or --exclude it"), error)
        }
    }
}

extension SourceContents {
    /// - Parameter status: taken after the bytes were read.
    fileprivate init(_ bytes: [UInt8], _ status: FileStatus) {
        // Taken after the last stat: any later save is at this time or after it.
        let now = Host.realtime
        self.init(
            bytes: bytes, stamp: status.stamp, isRacy: SourceState.isRacy(status.stamp, readAt: now),
            permissions: status.permissions, needsGuard: StalenessJudge.needsGuard(status.stamp, readAt: now))
    }
}

/// The maximum size of a source.
package enum CompileRequestLimit {
    /// In bytes. A compiler needs about a hundred times the size of the source in memory.
    package static let bytes: Int64 = 256 << 20
}

extension Fingerprint {
    /// A fixed key: equal contents must have the same fingerprint on every machine and in every version.
    private static let key: (UInt64, UInt64) = (0x6672_6573_6870_7963, 0x6669_6e67_6572_7072)

    /// The fingerprint of a file's contents.
    package init(of bytes: [UInt8]) {
        let (high, low) = bytes.withUnsafeBytes { SipHash.hash128($0, key: Self.key) }
        self.init(high: high, low: low)
    }
}

/// The hash of the code that follows a header.
package enum BodyHash {
    private static let key: (UInt64, UInt64) = (0x6672_6573_6870_7963, 0x626f_6479_2e70_7963)

    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 { SipHash.hash13(bytes, key: key) }
}
