// Lists directories from the kernel's raw records (getdents64(2)).

import BasicTypes
import CLinuxShims
import Glibc

/// The type of a directory entry. Some file systems do not report it.
package enum EntryKind: Sendable {
    case regular, directory, symbolicLink, other, unknown

    init(_ raw: UInt8) {
        switch Int32(raw) {
        case 8: self = .regular
        case 4: self = .directory
        case 10: self = .symbolicLink
        case 0: self = .unknown
        default: self = .other
        }
    }
}

/// A reusable buffer for listing directories. Each thread needs its own.
package final class DirectoryListing {
    private let buffer: UnsafeMutableRawBufferPointer

    package init() {
        buffer = .allocate(byteCount: 32_768, alignment: 8)
    }

    deinit {
        buffer.deallocate()
    }

    /// Calls `body` with each name except `.` and `..`. The pointer is only valid during the call.
    ///
    /// The records are `ino u64, off i64, length u16, type u8, name…NUL` (getdents64(2)). They are not copied into a
    /// `struct dirent`: a record is shorter, so that would read past the buffer.
    package func forEach(
        in directory: Directory, path: BytePath,
        _ body: (UnsafePointer<CChar>, EntryKind) throws(SystemError) -> Void
    ) throws(SystemError) {
        let nameOffset = 19
        while true {
            let filled = try retrying("getdents64", path) {
                freshpyc_getdents64(directory.descriptor.raw, buffer.baseAddress, buffer.count)
            }
            if filled == 0 { return }
            var offset = 0
            while offset < filled {
                let length = Int(buffer.load(fromByteOffset: offset + 16, as: UInt16.self))
                let kind = buffer.load(fromByteOffset: offset + 18, as: UInt8.self)
                guard let base = buffer.baseAddress else { return }
                let name = UnsafePointer((base + offset + nameOffset).assumingMemoryBound(to: CChar.self))
                offset += length
                if name[0] == 0x2E, name[1] == 0 || (name[1] == 0x2E && name[2] == 0) { continue }
                try body(name, EntryKind(kind))
            }
        }
    }
}
