// What a cache of many small files needs from an open file: reading a known size, time of last use, owner.

import BasicTypes
import Glibc

extension OwnedDescriptor {
    /// Reads the next `count` bytes, or fewer at the end of the file.
    ///
    /// Unlike `readAll`, it needs no second call to find the end.
    package func read(count: Int, path: BytePath = .empty) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            do throws(SystemError) {
                while filled < count {
                    let rest = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count])
                    let got = try retrying("read", path) { Glibc.read(raw, rest.baseAddress, rest.count) }
                    if got == 0 { break }
                    filled += got
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Sets the access and modification times (futimens(3)). The owner may do so even with a read-only descriptor.
    package func setModified(_ modified: FileTime, path: BytePath = .empty) throws(SystemError) {
        let time = timespec(tv_sec: Int(modified.seconds), tv_nsec: Int(modified.nanosecond))
        _ = try retrying("futimens", path) { futimens(raw, [time, time]) }
    }
}

extension FileStatus {
    /// Whether only this user and root can write to it.
    package func isWritten(onlyBy user: UInt32) -> Bool {
        owner == user && permissions & 0o022 == 0
    }
}
