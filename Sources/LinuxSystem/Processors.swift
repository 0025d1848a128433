// The number of processors that this process may use: sched_getaffinity(2) and cgroup quotas.

import BasicTypes
import CLinuxShims
import Glibc

package enum Processors {
    /// The processors in the affinity mask, or fewer if a cgroup's quota is tighter. At least 1.
    package static var available: Int {
        let affinity = Int(freshpyc_affinity_count())
        let online = affinity > 0 ? affinity : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        guard let quota = cgroupQuota() else { return online }
        return max(1, min(online, quota))
    }

    /// The tightest quota of this process's cgroups and their ancestors, in processors, rounded up; `nil` if there is
    /// none.
    private static func cgroupQuota() -> Int? {
        guard let membership = Host.contents(BytePath("/proc/self/cgroup")) else { return nil }
        var tightest: Int?
        for line in String(decoding: membership, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("cpu") else { continue }
            var group = BytePath(String(fields[2]))
            while true {
                let quota = isUnified ? unifiedQuota(group) : legacyQuota(group)
                if let quota { tightest = min(tightest ?? quota, quota) }
                if group.components.isEmpty { break }
                group = group.parent
            }
        }
        return tightest
    }

    /// cgroup v2: `cpu.max` contains `quota period` or `max period`, in microseconds.
    private static func unifiedQuota(_ group: BytePath) -> Int? {
        let file = BytePath("/sys/fs/cgroup").appending(group.bytes.drop { $0 == 0x2F }).appending("cpu.max")
        guard let numbers = numbers(in: file), numbers.count == 2 else { return nil }
        return quota(numbers[0], period: numbers[1])
    }

    /// cgroup v1: two files; a quota of -1 means none.
    private static func legacyQuota(_ group: BytePath) -> Int? {
        let directory = BytePath("/sys/fs/cgroup/cpu").appending(group.bytes.drop { $0 == 0x2F })
        guard let quota = numbers(in: directory.appending("cpu.cfs_quota_us"))?.first,
            let period = numbers(in: directory.appending("cpu.cfs_period_us"))?.first
        else { return nil }
        return self.quota(quota, period: period)
    }

    private static func quota(_ quota: Int, period: Int) -> Int? {
        guard quota > 0, period > 0 else { return nil }
        return (quota - 1) / period + 1
    }

    private static func numbers(in file: BytePath) -> [Int]? {
        Host.contents(file, limit: 256).map {
            String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        }
    }
}
