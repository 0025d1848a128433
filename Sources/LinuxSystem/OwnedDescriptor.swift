// An open file descriptor with one owner: read, write, stat, lock.

import BasicTypes
import CLinuxShims
import Glibc

/// A file descriptor that is closed when its last reference goes away.
package final class OwnedDescriptor: Sendable {
    package let raw: Int32

    package init(_ raw: Int32) {
        self.raw = raw
    }

    deinit {
        // close(2) frees the descriptor even if it reports an error, so there is nothing to handle.
        close(raw)
    }

    /// The status from `fstat(2)`.
    package func status(_ path: BytePath = .empty) throws(SystemError) -> FileStatus {
        var raw = Glibc.stat()
        _ = try retrying("fstat", path) { fstat(self.raw, &raw) }
        return FileStatus(raw)
    }

    private static let mostAllocatedAtFirst = 64 << 20

    /// Reads to the end, or to `limit` bytes.
    ///
    /// - Parameter expected: estimated size in bytes; a further read finds the end. Memory grows with what was read,
    ///   not with the size that a sparse file claims.
    package func readAll(expected: Int, limit: Int = .max, path: BytePath = .empty) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8]()
        var capacity = min(max(expected, 0), limit, Self.mostAllocatedAtFirst) + 1
        while true {
            let count = bytes.count
            var failure: SystemError?
            let grown = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
                bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
                filled = count
                do throws(SystemError) {
                    while filled < capacity {
                        let rest = UnsafeMutableRawBufferPointer(
                            rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                        let got = try retrying("read", path) { Glibc.read(raw, rest.baseAddress, rest.count) }
                        if got == 0 { break }
                        filled += got
                    }
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            if grown.count < capacity { return grown }
            if grown.count > limit { return Array(grown.prefix(limit)) }
            bytes = grown
            capacity = min(capacity * 2, limit == .max ? .max : limit + 1)
        }
    }

    /// Reads what is available, at most the buffer's size; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try retrying("read") { Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }

    /// Reads at an offset without changing the file offset.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
        try retrying("pread") { pread(raw, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// Writes as much as possible in one call and returns the number of bytes written.
    package func writeSome(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        try retrying("write") { write(raw, bytes.baseAddress, bytes.count) }
    }

    /// Writes everything. A regular file accepts it in one call unless the disk is full.
    package func writeAll(_ bytes: UnsafeRawBufferPointer, path: BytePath = .empty) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try retrying("write", path) { write(raw, rest.baseAddress, rest.count) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes everything at an offset. A short write is an error.
    package func writeAll(_ bytes: [UInt8], at offset: Int64, path: BytePath = .empty) throws(SystemError) {
        let count = try bytes.withRawBytes { buffer throws(SystemError) in
            try retrying("pwrite", path) { pwrite(raw, buffer.baseAddress, buffer.count, off_t(offset)) }
        }
        if count != bytes.count { throw SystemError("pwrite", path, .incompleteWrite) }
    }

    package func synchronize(path: BytePath = .empty) throws(SystemError) {
        _ = try retrying("fsync", path) { fsync(raw) }
    }

    package func truncate(to length: Int64, path: BytePath = .empty) throws(SystemError) {
        _ = try retrying("ftruncate", path) { ftruncate(raw, off_t(length)) }
    }

    package func setNonblocking() throws(SystemError) {
        _ = try retrying("fcntl") { freshpyc_set_nonblocking(raw) }
    }

    /// Requests a larger pipe buffer. It keeps its size if the limit for unprivileged users is reached (pipe(7)).
    package func growPipe(to bytes: Int32) {
        _ = try? retrying("fcntl") { freshpyc_set_pipe_size(raw, bytes) }
    }

    /// Holds an exclusive lock until the descriptor is closed (flock(2)).
    ///
    /// - Returns: `false` if `waits` is not set and the lock is held elsewhere.
    package func lock(waits: Bool, path: BytePath = .empty) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try retrying("flock", path) { flock(raw, waits ? LOCK_EX : LOCK_EX | LOCK_NB) }
            return true
        } catch  where error.wouldBlock {
            return false
        }
    }
}

/// The result of stat(2): stamp, kind, permissions, owner.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: Sendable {
        case regular, directory, symbolicLink, other
    }

    package let stamp: Stamp
    package let kind: Kind
    /// Permission bits.
    package let permissions: UInt32
    package let links: UInt64
    package let owner: UInt32

    init(_ raw: Glibc.stat) {
        stamp = Stamp(
            device: UInt64(raw.st_dev), inode: UInt64(raw.st_ino), size: Int64(raw.st_size),
            modified: FileTime(seconds: Int64(raw.st_mtim.tv_sec), nanosecond: raw.st_mtim.tv_nsec),
            changed: FileTime(seconds: Int64(raw.st_ctim.tv_sec), nanosecond: raw.st_ctim.tv_nsec))
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        permissions = UInt32(raw.st_mode & 0o7777)
        links = UInt64(raw.st_nlink)
        owner = raw.st_uid
    }
}

extension OwnedDescriptor {
    /// Waits until the descriptor is readable, or the time is up. A negative time does not wait.
    ///
    /// - Returns: whether it is readable.
    @discardableResult
    package func waitUntilReadable(nanoseconds: Int64) throws(SystemError) -> Bool {
        var waited = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return try retrying("poll") {
            poll(&waited, 1, nanoseconds < 0 ? 0 : Int32(clamping: nanoseconds / 1_000_000 + 1))
        } > 0
    }

    /// Writes two buffers completely, one after the other (writev(2)).
    package func writeAll(_ first: [UInt8], _ second: [UInt8], path: BytePath) throws(SystemError) {
        let written = try first.withRawBytes { head throws(SystemError) in
            try second.withRawBytes { tail throws(SystemError) in
                var parts = [
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: tail.baseAddress), iov_len: tail.count),
                ]
                return try retrying("writev", path) { writev(raw, &parts, 2) }
            }
        }
        // A short write means that the disk is full; the next write reports that.
        if written < first.count + second.count {
            let rest = Array((first + second)[written...])
            try rest.withRawBytes { bytes throws(SystemError) in try writeAll(bytes, path: path) }
        }
    }
}
