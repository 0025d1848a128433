// Decodes the events of inotify(7).

/// One event.
package struct InotifyEvent: Hashable, Sendable {
    /// Bits of `inotify_event.mask` (inotify(7)).
    package struct Mask: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let modified = Mask(rawValue: 0x2)
        package static let attributes = Mask(rawValue: 0x4)
        package static let closedAfterWriting = Mask(rawValue: 0x8)
        package static let movedFrom = Mask(rawValue: 0x40)
        package static let movedTo = Mask(rawValue: 0x80)
        package static let created = Mask(rawValue: 0x100)
        package static let deleted = Mask(rawValue: 0x200)
        package static let deletedSelf = Mask(rawValue: 0x400)
        package static let movedSelf = Mask(rawValue: 0x800)
        package static let unmounted = Mask(rawValue: 0x2000)
        package static let overflowed = Mask(rawValue: 0x4000)
        package static let ignored = Mask(rawValue: 0x8000)
        package static let isDirectory = Mask(rawValue: 0x4000_0000)
    }

    /// Watch descriptor; -1 for a queue overflow.
    package let watch: Int32
    package let mask: Mask
    /// The name within the watched directory; empty if the event is about the directory itself.
    package let name: [UInt8]

    package init(watch: Int32, mask: Mask, name: [UInt8] = []) {
        self.watch = watch
        self.mask = mask
        self.name = name
    }

    /// Decodes a buffer filled by read(2): `int wd; u32 mask, cookie, len; char name[len]`, padded with NUL. Ignores an
    /// incomplete record at the end; the kernel never writes one.
    package static func decode(_ buffer: UnsafeRawBufferPointer) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        var offset = 0
        while buffer.count - offset >= 16 {
            let watch = buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let length = Int(buffer.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            guard buffer.count - offset - 16 >= length else { break }
            let name = buffer[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
            events.append(InotifyEvent(watch: watch, mask: Mask(rawValue: mask), name: Array(name)))
            offset += 16 + length
        }
        return events
    }
}
