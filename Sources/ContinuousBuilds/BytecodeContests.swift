// Sources whose bytecode another program keeps changing, and how long to wait before it is restored.

import BasicTypes

/// Counts how often the bytecode of sources was undone. Another daemon with other options would restore its own each time, so
/// that restoring at once would never end.
struct BytecodeContests: Sendable {
    /// So often is bytecode restored without a longer delay.
    static let start = 5
    /// After this many nanoseconds without another change, bytecode is no longer contested.
    static let end: Int64 = 120_000_000_000
    /// Beyond this number, contests that have ended are forgotten.
    private static let most = 4096

    private var contests: [BytePath: (count: Int, last: Int64)] = [:]
    /// When the user was last told of a contest: usually, all sources are contested at once.
    private var lastWarning: Int64?

    /// A save ends the contest.
    mutating func forget(_ source: BytePath) { contests[source] = nil }

    /// Counts one more change.
    ///
    /// - Returns: the delay before the bytecode is checked, in nanoseconds, and whether to tell the user.
    mutating func undone(_ source: BytePath, now: Int64) -> (delay: Int64, isNews: Bool) {
        if contests.count > Self.most { contests = contests.filter { now - $0.value.last <= Self.end } }
        var contest = contests[source] ?? (0, now)
        if now - contest.last > Self.end { contest.count = 0 }
        contest = (contest.count + 1, now)
        contests[source] = contest
        let excess = contest.count - Self.start
        guard excess > 0 else { return (WatchPlan.patience, false) }
        let isNews = excess == 1 && lastWarning.map { now - $0 > Self.end } ?? true
        if isNews { lastWarning = now }
        return (min(WatchPlan.lastRetry, WatchPlan.firstRetry << min(excess - 1, 6)), isNews)
    }
}
