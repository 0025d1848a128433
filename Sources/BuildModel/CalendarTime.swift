// Formats seconds since 1970 as a date in UTC.

/// A time to the second.
package struct CalendarTime: Hashable, Sendable {
    /// Seconds since 1970, as stored in bytecode headers.
    package let seconds: UInt32

    package init(seconds: UInt32) { self.seconds = seconds }

    /// `2024-05-01 12:00:00 UTC`
    package var text: String { "\(date) \(time) UTC" }
    /// `2024-05-01T12:00:00Z` (RFC 3339).
    package var rfc3339: String { "\(date)T\(time)Z" }

    private var time: String {
        let second = seconds % 86_400
        return [second / 3600, second / 60 % 60, second % 60].map { Self.padded($0, 2) }.joined(separator: ":")
    }

    /// Computed by eras of 400 years, which all have the same number of days. Years start in March, so that a leap day
    /// comes last.
    private var date: String {
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let isAfterNewYear = month >= 10
        let year = era * 400 + yearOfEra + (isAfterNewYear ? 1 : 0)
        return [Self.padded(year, 4), Self.padded(isAfterNewYear ? month - 9 : month + 3, 2), Self.padded(day, 2)]
            .joined(separator: "-")
    }

    private static func padded(_ number: UInt32, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
