// Whether git is changing the files of a work tree at this moment.

import BasicTypes
import LinuxSystem

/// The lock that git holds while it checks out, merges, rebases or stashes (`index.lock`, gitrepository-layout(5)). In
/// between, the tree is a mixture of two versions, and errors in it mean nothing.
package struct WorkTreeLock: Sendable {
    /// `nil` if the root is in no repository.
    private let place: BytePath?
    /// When the lock was last seen, in nanoseconds of the monotonic clock.
    private var lastSeen: Int64?

    /// A rebase or a stash takes the lock several times, with pauses of less than this between, in nanoseconds.
    private static let longestPause: Int64 = 100_000_000

    /// A lock that is older, in nanoseconds, was left by a git that crashed, or belongs to one that waits for its user.
    private static let oldest: Int64 = 10_000_000_000
    private static let pointer = Array("gitdir: ".utf8)

    /// - Parameter root: absolute.
    package init(root: BytePath) {
        place = Self.gitDirectory(of: root)?.appending("index.lock")
    }

    /// Whether git is at work, or was a moment ago.
    package mutating func isBusy() -> Bool {
        let now = Host.monotonic
        if isHeld { lastSeen = now }
        return lastSeen.map { now - $0 < Self.longestPause } ?? false
    }

    private var isHeld: Bool {
        guard let place, let status = try? Host.status(place, followsLinks: false) else { return false }
        let age = Int128(Host.realtime) - status.stamp.modified.wideNanoseconds
        return age < Int128(Self.oldest) && age > -Int128(Self.oldest)
    }

    private static func gitDirectory(of root: BytePath) -> BytePath? {
        var current = root
        while true {
            let entry = current.appending(".git")
            switch (try? Host.status(entry))??.kind {
            case .directory: return entry
            case .regular:
                // A linked work tree or a submodule: `gitdir: PATH`.
                guard let contents = Host.contents(entry), contents.starts(with: pointer),
                    let path = BytePath(contents.dropFirst(pointer.count).prefix { $0 != UInt8(ascii: "\n") })
                else { return nil }
                return (path.isAbsolute ? path : current.appending(path)).normalized
            default: break
            }
            if current.components.isEmpty { return nil }
            current = current.parent
        }
    }
}
