// Reads what a program or library needs from its ELF file, and changes where it looks for that (System V ABI, chapters 4 and 5; elf(5)).
//
// Only 64-bit little-endian files. Trusts nothing in the file: what cannot be read makes the file unknown.

import BasicTypes

struct ElfFile {
    private enum Segment {
        static let load: UInt32 = 1
        static let dynamic: UInt32 = 2
        static let note: UInt32 = 4
    }

    private enum Tag {
        static let null: UInt64 = 0
        static let needed: UInt64 = 1
        static let strings: UInt64 = 5
        static let stringsSize: UInt64 = 10
        static let searchPath: UInt64 = 15
        static let runPath: UInt64 = 29
        /// In the range for operating systems, and used by none: the dynamic linker ignores it.
        static let ignored: UInt64 = 0x6000_0FFF
    }

    private struct ProgramHeader {
        /// Where it is in the file.
        let place: Int
        let type: UInt32
        let offset: Int
        let address: Int
        let fileSize: Int
        let memorySize: Int
    }

    private static let headerSize = 56
    private static let entrySize = 16

    private(set) var bytes: [UInt8]
    /// `e_machine`
    let machine: UInt16
    /// The names of the libraries that it needs (DT_NEEDED).
    private(set) var needed: [String] = []
    /// Where it looks for them first (DT_RPATH, DT_RUNPATH). `$ORIGIN` is its directory.
    private(set) var searchPaths: [String] = []
    private var headers: [ProgramHeader] = []
    private var dynamic: [(tag: UInt64, value: UInt64)] = []
    private var dynamicOffset = 0
    private var strings: Range<Int> = 0..<0

    /// - Returns: `nil` if these bytes are no such file, or it is not linked dynamically.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard bytes.count >= 64, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1]) else { return nil }
        machine = UInt16(truncatingIfNeeded: Self.number(bytes, 18, 2))
        let start = Int(truncatingIfNeeded: Self.number(bytes, 32, 8))
        let count = Int(Self.number(bytes, 56, 2))
        guard Self.number(bytes, 54, 2) == Self.headerSize, start >= 0, start <= bytes.count,
            count * Self.headerSize <= bytes.count - start
        else { return nil }
        for index in 0..<count {
            let place = start + index * Self.headerSize
            let header = ProgramHeader(
                place: place, type: UInt32(Self.number(bytes, place, 4)),
                offset: Int(truncatingIfNeeded: Self.number(bytes, place + 8, 8)),
                address: Int(truncatingIfNeeded: Self.number(bytes, place + 16, 8)),
                fileSize: Int(truncatingIfNeeded: Self.number(bytes, place + 32, 8)),
                memorySize: Int(truncatingIfNeeded: Self.number(bytes, place + 40, 8)))
            let limit = 1 << 40
            guard 0...bytes.count ~= header.offset, header.fileSize >= 0, 0..<limit ~= header.address,
                0..<limit ~= header.memorySize, header.fileSize <= bytes.count - header.offset
            else { return nil }
            headers.append(header)
        }
        guard readDynamic() else { return nil }
    }

    private mutating func readDynamic() -> Bool {
        guard let segment = headers.first(where: { $0.type == Segment.dynamic }) else { return false }
        dynamicOffset = segment.offset
        for place in stride(from: segment.offset, to: segment.offset + segment.fileSize - 15, by: Self.entrySize) {
            let tag = Self.number(bytes, place, 8)
            if tag == Tag.null { break }
            dynamic.append((tag, Self.number(bytes, place + 8, 8)))
        }
        func value(_ tag: UInt64) -> Int? { dynamic.first { $0.tag == tag }.map { Int(truncatingIfNeeded: $0.value) } }
        guard let address = value(Tag.strings), let size = value(Tag.stringsSize), size >= 0,
            let place = headers.first(where: {
                $0.type == Segment.load && $0.address <= address && address < $0.address + $0.fileSize
            })
        else { return false }
        let offset = place.offset + address - place.address
        guard size <= bytes.count - offset else { return false }
        strings = offset..<offset + size
        for (tag, value) in dynamic {
            switch tag {
            case Tag.needed:
                guard let name = string(value) else { return false }
                needed.append(name)
            case Tag.searchPath, Tag.runPath:
                searchPaths += string(value)?.split(separator: ":").map(String.init) ?? []
            default: break
            }
        }
        return true
    }

    private func string(_ offset: UInt64) -> String? {
        guard offset < strings.count else { return nil }
        let tail = bytes[(strings.lowerBound + Int(offset))..<strings.upperBound]
        guard let end = tail.firstIndex(of: 0) else { return nil }
        return String(decoding: tail[..<end], as: UTF8.self)
    }

    private static func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
        (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    private static func set(_ bytes: inout [UInt8], _ offset: Int, _ value: UInt64, _ size: Int = 8) {
        for index in 0..<size { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }

    // MARK: Changes

    /// Omits what only debuggers and linkers read: section headers, and what no segment has.
    mutating func strip() {
        let end = headers.reduce(64) { max($0, $1.place + Self.headerSize, $1.offset + $1.fileSize) }
        Self.set(&bytes, 40, 0)
        Self.set(&bytes, 58, 64, 2)
        Self.set(&bytes, 60, 0, 4)
        bytes.removeLast(bytes.count - end)
    }

    /// Removes the directories that it looks in, unless they are relative to its own: another machine may have something else
    /// there.
    mutating func removeAbsoluteSearchPaths() {
        for (index, entry) in dynamic.enumerated() where entry.tag == Tag.searchPath || entry.tag == Tag.runPath {
            let paths = string(entry.value)?.split(separator: ":") ?? []
            if paths.allSatisfy({ $0.hasPrefix("$ORIGIN") }) { continue }
            Self.set(&bytes, dynamicOffset + index * Self.entrySize, Tag.ignored)
        }
    }

    /// Makes a program look for libraries in a directory first, also for those that its libraries need (DT_RPATH).
    ///
    /// The names and the dynamic section move to a new segment at the end, which takes the place of a note in the program headers.
    ///
    /// - Parameter path: may begin with `$ORIGIN`.
    /// - Returns: whether there is a note to replace.
    mutating func setSearchPath(_ path: String) -> Bool {
        guard let lastLoad = headers.lastIndex(where: { $0.type == Segment.load }),
            let note = headers.indices.last(where: { $0 > lastLoad && headers[$0].type == Segment.note }),
            let table = headers.first(where: { $0.type == Segment.dynamic })
        else { return false }
        // The largest page that Linux has on these processors.
        let page = 1 << 16
        let end = headers.filter { $0.type == Segment.load }.reduce(0) { max($0, $1.address + $1.memorySize) }
        let address = (end + page - 1) / page * page
        bytes += [UInt8](repeating: 0, count: (page - bytes.count % page) % page)
        let offset = bytes.count
        var names = Array(bytes[strings])
        let pathOffset = names.count
        names += Array(path.utf8) + [0]
        names += [UInt8](repeating: 0, count: (8 - names.count % 8) % 8)
        var entries = dynamic.filter { $0.tag != Tag.searchPath && $0.tag != Tag.runPath }
        for index in entries.indices {
            if entries[index].tag == Tag.strings { entries[index].value = UInt64(address) }
            if entries[index].tag == Tag.stringsSize { entries[index].value = UInt64(names.count) }
        }
        entries += [(Tag.searchPath, UInt64(pathOffset)), (Tag.null, 0)]
        bytes += names
        for (tag, value) in entries {
            bytes += [UInt8](repeating: 0, count: Self.entrySize)
            Self.set(&bytes, bytes.count - 16, tag)
            Self.set(&bytes, bytes.count - 8, value)
        }
        let size = bytes.count - offset
        write(headers[note], Segment.load, 6, offset, address, size, alignment: page)
        let dynamicSize = entries.count * Self.entrySize
        write(
            table, Segment.dynamic, 6, offset + names.count, address + names.count, dynamicSize, alignment: 8)
        guard let changed = ElfFile(bytes) else { return false }
        self = changed
        return true
    }

    /// - Parameter flags: readable 4, writable 2: the dynamic linker writes to the dynamic section of a program.
    private mutating func write(
        _ header: ProgramHeader, _ type: UInt32, _ flags: UInt64, _ offset: Int, _ address: Int, _ size: Int,
        alignment: Int
    ) {
        Self.set(&bytes, header.place, UInt64(type), 4)
        Self.set(&bytes, header.place + 4, flags, 4)
        for (index, value) in [offset, address, address, size, size, alignment].enumerated() {
            Self.set(&bytes, header.place + 8 + index * 8, UInt64(value))
        }
    }
}
