// How much a watch tells.
// Knows: the levels and their order. Does not know: where lines go.

/// From the fewest lines to the most. A level shows its own lines and those of all before it.
enum LogLevel: String, CaseIterable, Comparable {
    /// Why it ends, where that is nobody's wish.
    case error
    /// What the user should see to: polled directories, a database that was set aside.
    case warning
    /// Each wave, in a line.
    case info
    /// Each source of a wave, with the reason why it was not left as it was.
    case debug

    static func < (left: LogLevel, right: LogLevel) -> Bool {
        guard let first = allCases.firstIndex(of: left), let second = allCases.firstIndex(of: right) else {
            return false
        }
        return first < second
    }
}
