// `--log-level`: how much a watch prints.

/// From the fewest lines to the most. Each level also prints the lines of the levels before it.
enum LogLevel: String, CaseIterable, Comparable {
    /// Why the watch ended, unless the user stopped it.
    case error
    /// Problems that the user should know about: polled directories, a database that was set aside.
    case warning
    /// One line per wave.
    case info
    /// Each changed source of a wave, with its result and the reason.
    case debug

    static func < (left: LogLevel, right: LogLevel) -> Bool {
        guard let first = allCases.firstIndex(of: left), let second = allCases.firstIndex(of: right) else {
            return false
        }
        return first < second
    }
}
