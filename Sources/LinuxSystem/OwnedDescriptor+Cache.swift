// What a cache of many small files needs of one that is open: reading a known size, time of last use, owner.

import BasicTypes
import Glibc

extension OwnedDescriptor {
    /// Reads the next `count` bytes, or fewer if the file ends before.
    ///
    /// Unlike `readAll` it needs no second call to find the end.
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

    /// Sets the times of last access and modification (futimens(3)); the owner may do so with a descriptor for reading.
    ///
    package func setModified(_ modified: FileTime, path: BytePath = .empty) throws(SystemError) {
        let time = timespec(tv_sec: Int(modified.seconds), tv_nsec: Int(modified.nanosecond))
        _ = try retrying("futimens", path) { futimens(raw, [time, time]) }
    }
}

extension FileStatus {
    /// Whether only this user and root can have written it.
    package func isWritten(onlyBy user: UInt32) -> Bool {
        owner == user && permissions & 0o022 == 0
    }
}
