// Reading a source so that its stamp speaks for its bytes.
// Knows: open, stat, read, stat again; fingerprints. Does not know: what the bytes are for.

import BasicTypes
import BuildModel
import LinuxSystem

/// The bytes of a source with the stamp that they had.
package struct SourceContents: Sendable {
    package let bytes: [UInt8]
    package let stamp: Stamp
    /// See `SourceState`.
    package let isRacy: Bool
    package let permissions: UInt32
    /// Another save could give the same second and size (see `StalenessJudge.needsGuard`).
    package let needsGuard: Bool

    package init(bytes: [UInt8], stamp: Stamp, isRacy: Bool, permissions: UInt32, needsGuard: Bool) {
        self.bytes = bytes
        self.stamp = stamp
        self.isRacy = isRacy
        self.permissions = permissions
        self.needsGuard = needsGuard
    }
}

/// The same with a fingerprint, for those who remember or look up what the bytes were.
package struct SourceSnapshot: Sendable {
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
    /// It is gone, or no regular file any more.
    case gone
    case diagnostic(Diagnostic, SystemError?)

    /// The call that failed, where it was one.
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

    /// A writer that is at it for longer than this is waited for by the next wave.
    private static let mostTries = 5

    package func read(_ path: BytePath) throws(SourceProblem) -> SourceSnapshot {
        SourceSnapshot(try contents(path))
    }

    /// Reads until nothing changed between the first stat and the last.
    package func contents(_ path: BytePath) throws(SourceProblem) -> SourceContents {
        for _ in 0..<Self.mostTries {
            if let contents = try attempt(path) { return contents }
        }
        throw .diagnostic(
            Diagnostic(
                .unstable, .error, message: "the file changes while it is read; it is tried again on the next run"), nil
        )
    }

    /// - Returns: `nil` where the file changed in between.
    private func attempt(_ path: BytePath) throws(SourceProblem) -> SourceContents? {
        do throws(SystemError) {
            let file = try root.fileFollowingLinks(path)
            let before = try file.status(path)
            guard before.kind == .regular else { throw SystemError("open", path, code: SystemError.noSuchFile) }
            guard before.stamp.size <= CompileRequestLimit.bytes else { throw SystemError("read", path, .tooLarge) }
            let bytes = try file.read(count: Int(before.stamp.size), path: path)
            let after = try file.status(path)
            guard before == after, Int64(bytes.count) == after.stamp.size else { return nil }
            // Taken after the last stat: whoever saves later does so at this time or after it.
            let now = Host.realtime
            return SourceContents(
                bytes: bytes, stamp: after.stamp, isRacy: SourceState.isRacy(after.stamp, readAt: now),
                permissions: after.permissions,
                needsGuard: StalenessJudge.needsGuard(after.stamp, readAt: now))
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

/// How large a source may be.
package enum CompileRequestLimit {
    /// A compiler needs some hundred times the size of its source in memory.
    package static let bytes: Int64 = 256 << 20
}

extension Fingerprint {
    /// A fixed key: equal contents must be known as equal everywhere and always.
    private static let key: (UInt64, UInt64) = (0x6672_6573_6870_7963, 0x6669_6e67_6572_7072)

    /// Of a file's contents.
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
