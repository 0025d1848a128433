// A file time from stat(2), over its whole range.

/// Seconds and nanoseconds since 1970, as the kernel stores them. Any 64-bit number of seconds is possible, so two
/// times are equal only if the kernel's are. A single 64-bit number of nanoseconds only covers the years 1677 to 2262.
package struct FileTime: Hashable, Sendable {
    /// Negative before 1970.
    package let seconds: Int64
    /// From 0 to 999,999,999; also counts forward before 1970.
    package let nanosecond: Int32

    private static let second: Int64 = 1_000_000_000

    /// From the kernel's pair. A fraction out of range, which some file systems report for damaged times, is clamped.
    package init(seconds: Int64, nanosecond: Int) {
        self.seconds = seconds
        self.nanosecond = Int32(min(max(nanosecond, 0), 999_999_999))
    }

    /// From nanoseconds since 1970, as clocks report them.
    package init(nanoseconds: Int64) {
        let seconds = nanoseconds.flooredQuotient(by: Self.second)
        self.seconds = seconds
        nanosecond = Int32(truncatingIfNeeded: nanoseconds &- seconds &* Self.second)
    }

    /// From nanoseconds since 1970, beyond the range of a clock; `nil` if no file can have that time.
    package init?(wideNanoseconds: Int128) {
        var (seconds, rest) = wideNanoseconds.quotientAndRemainder(dividingBy: Int128(Self.second))
        if rest < 0 { (seconds, rest) = (seconds - 1, rest + Int128(Self.second)) }
        guard let seconds = Int64(exactly: seconds) else { return nil }
        self.seconds = seconds
        nanosecond = Int32(truncatingIfNeeded: rest)
    }

    /// Nanoseconds since 1970, exact.
    package var wideNanoseconds: Int128 { Int128(seconds) * Int128(Self.second) + Int128(nanosecond) }

    /// Nanoseconds since 1970 for comparison with a clock, clamped to the range of `Int64`.
    package var clampedNanoseconds: Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: Self.second)
        let (sum, carried) = product.addingReportingOverflow(Int64(nanosecond))
        // Near the ends of the range the product alone can overflow although the sum does not.
        return overflow || carried ? Int64(clamping: wideNanoseconds) : sum
    }

    /// `int(os.stat(path).st_mtime)`: CPython first converts seconds and nanoseconds to a double (`fill_time` in
    /// posixmodule.c) and then truncates it towards zero. So the last 0.1 µs of a second round up to the next one, and
    /// times before 1970 are rounded up.
    package var importSecond: Int128 {
        let double = Double(seconds) + 1e-9 * Double(nanosecond)
        // Only the last half second of the range rounds to a number that does not fit in 64 bits.
        return abs(double) < 0x1p63 ? Int128(Int64(double)) : Int128(double)
    }
}

extension FileTime: Comparable {
    package static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanosecond) < (right.seconds, right.nanosecond)
    }
}
