// What stat says of a file, and a hash of what is in it.

/// What `stat(2)` says of a file. Two equal stamps of one path mean that the file was not written in between,
/// unless the stamp is *racy* (see `SourceState`).
package struct Stamp: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    /// Bytes.
    package var size: Int64
    package var modified: FileTime
    /// When the inode last changed. No user call can set it.
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
        stamp.changed.nanosecond == 0 ? 2_000_000_000 + racyWindow : racyWindow
    }

    /// Whether a stamp is racy when it was taken at `now` (nanoseconds since 1970).
    package static func isRacy(_ stamp: Stamp, readAt now: Int64) -> Bool {
        max(stamp.changed, stamp.modified).clampedNanoseconds > now - racyWindow(of: stamp)
    }
}
