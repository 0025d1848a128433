// The identity of a file from stat(2), and a hash of its contents.

/// A file's identity from `stat(2)`. Two equal stamps of one path mean that the file was not written in between, unless
/// the stamp is *racy* (see `SourceState`).
package struct Stamp: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    /// In bytes.
    package var size: Int64
    package var modified: FileTime
    /// When the inode last changed. Programs cannot set it.
    package var changed: FileTime

    package init(device: UInt64, inode: UInt64, size: Int64, modified: FileTime, changed: FileTime) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// The whole second that import compares: `int(os.stat(path).st_mtime) & 0xFFFFFFFF`
    /// (`_validate_timestamp_pyc` in importlib/_bootstrap_external.py), whatever the year.
    package var headerSeconds: UInt32 { UInt32(truncatingIfNeeded: modified.importSecond) }

    /// The low 32 bits of the size, as stored in the header since Python 3.3.
    package var headerSize: UInt32 { UInt32(truncatingIfNeeded: size) }
}

extension Int64 {
    /// The quotient rounded towards minus infinity.
    package func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

/// A 128-bit hash of a file's contents.
package struct Fingerprint: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// A source as it was read: its stamp, which was the same before and after reading, and the fingerprint of the
/// contents.
package struct SourceState: Hashable, Sendable {
    package var stamp: Stamp
    package var fingerprint: Fingerprint
    /// The file changed so shortly before it was read that another write could have the same stamp (file times advance
    /// in steps of up to 10 ms). Next time, its contents are compared as well.
    package var isRacy: Bool

    package init(stamp: Stamp, fingerprint: Fingerprint, isRacy: Bool) {
        self.stamp = stamp
        self.fingerprint = fingerprint
        self.isRacy = isRacy
    }

    /// In nanoseconds. A kernel tick is at most 10 ms (CONFIG_HZ=100); doubled, for the clock that `now` comes from.
    package static let racyWindow: Int64 = 20_000_000

    /// How long after the time of a stamp another write can still get the same time, in nanoseconds.
    ///
    /// Programs cannot set the time of the last change, so a time without a fraction reveals a file system that stores
    /// whole seconds (ext4 with 128-byte inodes, NFS 2 and 3 on some servers) or two-second steps (FAT). On other file
    /// systems, one stamp in a billion looks like that, and only costs a comparison of contents.
    package static func racyWindow(of stamp: Stamp) -> Int64 {
        stamp.changed.nanosecond == 0 ? 2_000_000_000 + racyWindow : racyWindow
    }

    /// Whether a stamp is racy when it was taken at `now` (nanoseconds since 1970).
    package static func isRacy(_ stamp: Stamp, readAt now: Int64) -> Bool {
        max(stamp.changed, stamp.modified).clampedNanoseconds > now - racyWindow(of: stamp)
    }
}
