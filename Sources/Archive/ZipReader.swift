// Reads the directory of a ZIP archive. Total: any bytes give entries or an error. Refuses what different programs understand
// differently: doubled names, files that overlap, paths that lead elsewhere, bytes between the files.

/// The files of an archive.
package struct ZipReader: Sendable {
    package let entries: [ZipEntry]
    /// Where the first file begins: after a `#!` line or a program.
    package let start: Int

    /// More files than any archive here has.
    private static let maximumCount = 1 << 22

    /// - Parameter bytes: the whole archive.
    package init(_ bytes: UnsafeRawBufferPointer) throws(ZipError) {
        let fields = Fields(bytes)
        let end = try Self.end(fields)
        guard end.count <= Self.maximumCount else { throw .unsupported("more than 4 million files") }
        // Each record takes at least 46 bytes, so that the count cannot make the reader allocate much more than there is.
        guard end.count * 46 <= end.size else { throw .inconsistent("its directory is too short") }
        var entries: [ZipEntry] = []
        entries.reserveCapacity(end.count)
        var spans: [Range<Int>] = []
        var names: Set<String> = []
        var position = end.offset
        for _ in 0..<end.count {
            let (entry, header, next) = try Self.entry(fields, at: position, before: end.offset + end.size)
            guard names.insert(entry.name).inserted else { throw .doubledName(entry.name) }
            entries.append(entry)
            spans.append(header..<entry.offset + entry.compressedSize)
            position = next
        }
        guard position == end.offset + end.size else { throw .inconsistent("its directory has more than it lists") }
        self.entries = entries
        start = try Self.checkSpans(spans, until: end.offset)
    }

    package func find(_ name: String) -> ZipEntry? { entries.first { $0.name == name } }

    /// - Returns: where the first file begins.
    private static func checkSpans(_ spans: [Range<Int>], until end: Int) throws(ZipError) -> Int {
        let sorted = spans.sorted { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(sorted, sorted.dropFirst()) where one.upperBound != next.lowerBound {
            throw .inconsistent(
                one.upperBound > next.lowerBound ? "files overlap" : "there are bytes between its files")
        }
        guard let first = sorted.first, let last = sorted.last else { return end }
        guard last.upperBound == end else { throw .inconsistent("its directory does not follow its files") }
        return first.lowerBound
    }

    // MARK: The end record

    private struct End {
        let count: Int
        let size: Int
        let offset: Int
    }

    private static func end(_ fields: Fields) throws(ZipError) -> End {
        let place = fields.count - 22
        // Bundles have no comment: an archive in the comment of another would be two archives in one.
        guard place >= 0, fields.number(place, 4) == 0x0605_4B50, fields.number(place + 20, 2) == 0 else {
            throw fields.count >= 4 && fields.holdsSignature ? .truncated : .notAnArchive
        }
        guard fields.number(place + 4, 4) == 0 else { throw .unsupported("several disks") }
        var end = End(
            count: fields.number(place + 10, 2), size: fields.number(place + 12, 4),
            offset: fields.number(place + 16, 4))
        var limit = place
        if end.count == 0xFFFF || end.size == 0xFFFF_FFFF || end.offset == 0xFFFF_FFFF {
            let locator = place - 20
            guard locator >= 0, fields.number(locator, 4) == 0x0706_4B50, let record = fields.large(locator + 8),
                record <= locator - 56, fields.number(record, 4) == 0x0606_4B50,
                let count = fields.large(record + 32), let size = fields.large(record + 40),
                let offset = fields.large(record + 48)
            else { throw .inconsistent("its ZIP64 end record is missing") }
            end = End(count: count, size: size, offset: offset)
            limit = record
        }
        guard end.offset <= limit, end.size == limit - end.offset else {
            throw .inconsistent("its directory is not where it should be")
        }
        return end
    }

    // MARK: Files

    private static func entry(
        _ fields: Fields, at position: Int, before end: Int
    ) throws(ZipError) -> (entry: ZipEntry, header: Int, next: Int) {
        guard position + 46 <= end, fields.number(position, 4) == 0x0201_4B50 else {
            throw .inconsistent("a record of its directory is missing")
        }
        let (nameCount, extraCount) = (fields.number(position + 28, 2), fields.number(position + 30, 2))
        let next = position + 46 + nameCount + extraCount + fields.number(position + 32, 2)
        guard next <= end, let name = fields.text(position + 46, nameCount) else {
            throw .inconsistent("a name of its directory is not UTF-8, or too long")
        }
        try ZipError.check(name: name)
        let flags = fields.number(position + 8, 2)
        guard flags & 1 == 0 else { throw .unsupported("encrypted files") }
        guard flags & 8 == 0 else { throw .unsupported("data descriptors") }
        guard let method = ZipMethod(rawValue: UInt16(fields.number(position + 10, 2))) else {
            throw .unsupported("another compression than Deflate")
        }
        var size = fields.number(position + 24, 4)
        var compressed = fields.number(position + 20, 4)
        var header = fields.number(position + 42, 4)
        var extra = position + 46 + nameCount
        while extra + 4 <= position + 46 + nameCount + extraCount {
            let (kind, count) = (fields.number(extra, 2), fields.number(extra + 2, 2))
            let stop = extra + 4 + count
            guard stop <= position + 46 + nameCount + extraCount else { throw .inconsistent("an extra field is cut") }
            if kind == 1 {
                var field = extra + 4
                for (value, set) in [
                    (size, { (new: Int) in size = new }), (compressed, { compressed = $0 }), (header, { header = $0 }),
                ] where value == 0xFFFF_FFFF {
                    guard field + 8 <= stop, let large = fields.large(field) else {
                        throw .inconsistent("a ZIP64 field is cut")
                    }
                    set(large)
                    field += 8
                }
            }
            extra = stop
        }
        guard method == .deflated || size == compressed else { throw .inconsistent("'\(name)' has two sizes") }
        guard compressed <= fields.count, size <= 1 << 40 else { throw .truncated }
        // Deflate cannot make anything smaller than 1/1032 (zlib's technical notes), so that more is a bomb.
        guard size <= compressed * 1032 + 1032 else { throw .inconsistent("'\(name)' claims an impossible size") }
        guard header >= 0, header <= fields.count - 30, fields.number(header, 4) == 0x0403_4B50,
            fields.number(header + 26, 2) == nameCount, fields.text(header + 30, nameCount) == name
        else { throw .inconsistent("'\(name)' is not where the directory says") }
        // From the needed version to the length of the name, both headers say the same.
        guard (0..<24).allSatisfy({ fields.number(header + 4 + $0, 1) == fields.number(position + 6 + $0, 1) }) else {
            throw .inconsistent("the two headers of '\(name)' differ")
        }
        let offset = header + 30 + nameCount + fields.number(header + 28, 2)
        guard offset <= fields.count, compressed <= fields.count - offset else { throw .truncated }
        let entry = ZipEntry(
            name: name, method: method, crc: UInt32(fields.number(position + 16, 4)), compressedSize: compressed,
            size: size, offset: offset, permissions: UInt32(fields.number(position + 40, 2)) & 0o777)
        return (entry, header, next)
    }
}

/// Little-endian numbers in bytes that may be anything. What lies outside reads as zero.
private struct Fields {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var count: Int { bytes.count }

    /// Whether the bytes begin like an archive, or hold the beginning of a file.
    var holdsSignature: Bool {
        let signature: [UInt8] = [0x50, 0x4B, 0x03, 0x04]
        return bytes.prefix(1 << 16).indices.contains { bytes[$0...].starts(with: signature) }
    }

    func number(_ place: Int, _ count: Int) -> Int {
        guard place >= 0, place <= bytes.count - count else { return 0 }
        return (0..<count).reduce(0) { $0 | Int(bytes[place + $1]) << ($1 * 8) }
    }

    /// A 64-bit number; `nil` if it is larger than any offset.
    func large(_ place: Int) -> Int? {
        let high = number(place + 4, 4)
        return high < 1 << 24 ? high << 32 | number(place, 4) : nil
    }

    func text(_ place: Int, _ count: Int) -> String? {
        guard place >= 0, place <= bytes.count - count else { return nil }
        return String(validating: bytes[place..<place + count], as: UTF8.self)
    }
}
