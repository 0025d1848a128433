// The limit on open files (RLIMIT_NOFILE, getrlimit(2)).

import Glibc

package enum DescriptorLimit {
    /// Enough for a daemon with its clients and workers. With fewer, work would fail half way with misleading errors.
    package static let needed: UInt64 = 64

    /// Raises the soft limit to `needed`, as far as the hard limit allows.
    ///
    /// - Returns: the resulting soft limit.
    package static func raise() -> UInt64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return needed }
        guard limit.rlim_cur < needed, limit.rlim_max > limit.rlim_cur else { return UInt64(limit.rlim_cur) }
        let before = limit.rlim_cur
        limit.rlim_cur = min(rlim_t(needed), limit.rlim_max)
        let isRaised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return UInt64(isRaised ? limit.rlim_cur : before)
    }
}
