// The time of everything that a reproducible build writes (https://reproducible-builds.org/specs/source-date-epoch/).

import LinuxSystem

enum SourceDateEpoch {
    /// - Returns: seconds since 1970; `nil` if the variable is not set.
    static func read() throws(UsageError) -> Int64? {
        guard let text = Host.environment("SOURCE_DATE_EPOCH")?.description else { return nil }
        guard let seconds = Int64(text), seconds >= 0, seconds < 1 << 33 else {
            throw UsageError(message: "SOURCE_DATE_EPOCH: '\(text)' is not a number of seconds since 1970")
        }
        return seconds
    }
}
