// `--log-level`: how much a watch prints.

/// From the fewest lines to the most. Each level also prints the lines of the levels before it.
enum LogLevel: String, CaseIterable, Comparable {
    /// Why the watch ends, if nobody asked it to.
    case error
    /// What the user should look after: polled directories, a database that was set aside.
    case warning
    /// One line per wave.
    case info
    /// Each source of a wave, and the reason why it was compiled.
    case debug

    static func < (left: LogLevel, right: LogLevel) -> Bool {
        guard let first = allCases.firstIndex(of: left), let second = allCases.firstIndex(of: right) else {
            return false
        }
        return first < second
    }
}
