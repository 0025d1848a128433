// What stat says of a file, and a hash of what is in it.
// Knows: values and how CPython reads them. Does not know: how they are got.

/// What `stat(2)` says of a file. Two equal stamps of one path mean that the file was not written in between,
/// unless the stamp is *racy* (see `SourceState`).
package struct Stamp: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    /// Bytes.
    package var size: Int64
    /// Nanoseconds since 1970, negative before; the kernel's seconds are clamped to what fits.
    package var modified: Int64
    /// Nanoseconds since 1970 of the last change to the inode. No user call can set it.
    package var changed: Int64

    package init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// Nanoseconds from the kernel's pair, clamped instead of trapping (years before 1678 and after 2262).
    package static func nanoseconds(seconds: Int, nanoseconds: Int) -> Int64 {
        let (product, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carried) = product.addingReportingOverflow(Int64(nanoseconds))
        return carried ? .max : sum
    }

    /// The whole second that import compares: `int(os.stat(path).st_mtime) & 0xFFFFFFFF`.
    ///
    /// CPython makes a double of seconds and nanoseconds first (`fill_time` in posixmodule.c) and then cuts it towards
    /// zero, so the last 0.1 µs of a second round up to the next one, and times before 1970 are cut upwards.
    package var headerSeconds: UInt32 { UInt32(truncatingIfNeeded: importSecond) }

    /// `int(os.stat(path).st_mtime)`, before it is cut to 32 bits.
    package var importSecond: Int64 {
        let seconds = modified.flooredQuotient(by: 1_000_000_000)
        let rest = modified - seconds * 1_000_000_000
        let double = Double(seconds) + 1e-9 * Double(rest)
        return Int64(double)
    }

    /// The low 32 bits of the size, as the header keeps it (PEP 3147's successor layout since 3.3).
    package var headerSize: UInt32 { UInt32(truncatingIfNeeded: size) }
}

extension Int64 {
    /// The quotient rounded towards minus infinity.
    package func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

/// 128 bits of a file's contents.
package struct Fingerprint: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// A source as it was read: stamp before and after were equal, and this is what was between them.
package struct SourceState: Hashable, Sendable {
    package var stamp: Stamp
    package var fingerprint: Fingerprint
    /// The file had changed so shortly before it was read that another write could carry the same stamp
    /// (time stamps tick in steps of up to 10 ms): next time, its contents are compared and not only its stamp.
    package var isRacy: Bool

    package init(stamp: Stamp, fingerprint: Fingerprint, isRacy: Bool) {
        self.stamp = stamp
        self.fingerprint = fingerprint
        self.isRacy = isRacy
    }

    /// A kernel's tick is at most 10 ms (CONFIG_HZ=100); twice that, for the clock that is read.
    package static let racyWindow: Int64 = 20_000_000

    /// How long after the time of a stamp another write can carry the same time, in nanoseconds.
    ///
    /// No user call sets the time of the last change, so one without a fraction shows a file system that keeps whole
    /// seconds (ext4 with 128-byte inodes, NFS 2 and 3 on some servers) or two of them (FAT). On others, one stamp in a
    /// thousand million looks like that, and costs a comparison of contents.
    package static func racyWindow(of stamp: Stamp) -> Int64 {
        stamp.changed % 1_000_000_000 == 0 ? 2_000_000_000 + racyWindow : racyWindow
    }

    /// Whether a stamp is racy when it was taken at `now` (nanoseconds since 1970).
    package static func isRacy(_ stamp: Stamp, readAt now: Int64) -> Bool {
        max(stamp.changed, stamp.modified) > now - racyWindow(of: stamp)
    }
}
