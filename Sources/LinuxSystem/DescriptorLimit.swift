// The limit on open files (RLIMIT_NOFILE, getrlimit(2)).

import Glibc

package enum DescriptorLimit {
    /// Enough for a daemon with its clients and workers. With fewer, work would fail half way with misleading errors.
    package static let needed: UInt64 = 64
    /// Enough for open directories of many lanes, and for the store's.
    private static let wanted: rlim_t = 4096

    /// Raises the soft limit to what is wanted, as far as the hard limit allows.
    ///
    /// - Returns: the resulting soft limit.
    package static func raise() -> UInt64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return needed }
        guard limit.rlim_cur < wanted, limit.rlim_max > limit.rlim_cur else { return UInt64(limit.rlim_cur) }
        let before = limit.rlim_cur
        limit.rlim_cur = min(wanted, limit.rlim_max)
        let isRaised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return UInt64(isRaised ? limit.rlim_cur : before)
    }

    /// The soft limit when it was first asked for, after `raise`.
    private static let current: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return Int(needed) }
        return Int(clamping: limit.rlim_cur)
    }()

    /// Whether there are enough descriptors to keep the 256 directories of the store open.
    package static var allowsManyDirectories: Bool { current >= 1024 }

    /// How many directories each of several users may keep open, so that workers, clients and files in use find room.
    package static func share(of users: Int, atMost most: Int) -> Int {
        let reserve = 192 + (allowsManyDirectories ? 256 : 0)
        return max(1, min(most, (current - reserve) / max(1, users)))
    }

    /// How many threads may open files at the same time: each has a few open.
    package static var threads: Int { max(1, (current - 48) / 8) }
}
