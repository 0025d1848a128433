// Which source is compiled first.
// Knows: sizes. Does not know: anything else.

/// The order of a wave's compilations.
enum BuildOrder {
    /// The biggest first: the last ones to be finished are then short, and no processor waits long for another.
    static func sorted<Job>(_ jobs: [(job: Job, size: Int64)]) -> [Job] {
        jobs.sorted { $0.size > $1.size }.map(\.job)
    }
}
