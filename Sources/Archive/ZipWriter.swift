// Writes ZIP archives whose bytes depend on nothing but their contents (APPNOTE.TXT 6.3).
//
// No data descriptors, no extra fields except ZIP64, one time for all files. Entries appear in the order in which they are added.

/// Builds an archive in memory.
package struct ZipWriter {
    /// One time for all files, as ZIP stores it.
    package struct Time: Hashable, Sendable {
        let time: UInt16
        let date: UInt16

        /// 1980-01-01, the earliest, in seconds since 1970.
        package static let earliestSeconds: Int64 = 315_532_800

        /// 1980-01-01, the earliest.
        package static let earliest = Time(time: 0, date: 1 << 5 | 1)

        private init(time: UInt16, date: UInt16) {
            self.time = time
            self.date = date
        }

        /// - Parameter seconds: since 1970, in UTC. Times that ZIP cannot store (before 1980, after 2107) become the nearest one.
        package init(secondsSince1970 seconds: Int64) {
            guard seconds >= Self.earliestSeconds else {
                self = .earliest
                return
            }
            let clamped = min(seconds, 4_354_819_198)
            // Days to year, month and day, by Howard Hinnant's `civil_from_days`.
            let days = clamped / 86_400 + 719_468
            let era = days / 146_097
            let dayOfEra = days - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shifted = (5 * dayOfYear + 2) / 153
            let day = dayOfYear - (153 * shifted + 2) / 5 + 1
            let month = shifted < 10 ? shifted + 3 : shifted - 9
            let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
            let inDay = clamped % 86_400
            date = UInt16((year - 1980) << 9 | month << 5 | day)
            time = UInt16((inDay / 3600) << 11 | (inDay / 60 % 60) << 5 | (inDay % 60) / 2)
        }
    }

    /// The archive so far. What was there before the first entry, such as a `#!` line, belongs to it: all offsets count from the
    /// beginning.
    package private(set) var bytes: [UInt8]
    package private(set) var entries: [ZipEntry] = []
    /// The contents of one file that are not in `bytes`: where they belong, and how many they are.
    package private(set) var gap: (index: Int, count: Int)?
    private let time: Time
    private var headers: [Int] = []
    private var names: Set<String> = []

    /// - Parameter prefix: bytes before the first entry.
    package init(prefix: [UInt8] = [], time: Time = .earliest) {
        bytes = prefix
        self.time = time
    }

    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    /// Adds a file as it is.
    ///
    /// - Returns: its entry, with the place of its contents.
    @discardableResult
    package mutating func add(
        _ name: String, _ contents: [UInt8], permissions: UInt32 = 0o644
    ) throws(ZipError) -> ZipEntry {
        try add(
            name, contents, method: .stored, size: contents.count, crc: CRC32.of(contents), permissions: permissions)
    }

    /// Adds a file whose contents are written between the parts of `bytes` before and after the gap: a large one is then not
    /// copied. There can be one.
    package mutating func addGap(_ name: String, count: Int, crc: UInt32) throws(ZipError) -> ZipEntry {
        precondition(gap == nil, "an archive has one gap")
        let entry = try addHeader(name, method: .stored, compressed: count, size: count, crc: crc, permissions: 0o644)
        gap = (bytes.count, count)
        return entry
    }

    /// How much of the archive there is, with the gap.
    private var position: Int { bytes.count + (gap?.count ?? 0) }

    /// Adds a file whose contents are already compressed.
    @discardableResult
    package mutating func add(
        _ name: String, _ contents: [UInt8], method: ZipMethod, size: Int, crc: UInt32, permissions: UInt32 = 0o644
    ) throws(ZipError) -> ZipEntry {
        let entry = try addHeader(
            name, method: method, compressed: contents.count, size: size, crc: crc, permissions: permissions)
        bytes.append(contentsOf: contents)
        return entry
    }

    private mutating func addHeader(
        _ name: String, method: ZipMethod, compressed: Int, size: Int, crc: UInt32, permissions: UInt32
    ) throws(ZipError) -> ZipEntry {
        try ZipError.check(name: name)
        guard names.insert(name).inserted else { throw .doubledName(name) }
        headers.append(position)
        let isLarge = compressed >= Self.limit || size >= Self.limit
        append(0x0403_4B50, 4)
        appendCommon(method, crc, compressed, size, isLarge: isLarge)
        append(UInt64(name.utf8.count), 2)
        append(isLarge ? 20 : 0, 2)
        bytes.append(contentsOf: name.utf8)
        if isLarge {
            append(1, 2)
            append(16, 2)
            append(UInt64(size), 8)
            append(UInt64(compressed), 8)
        }
        let entry = ZipEntry(
            name: name, method: method, crc: crc, compressedSize: compressed, size: size, offset: position,
            permissions: permissions)
        entries.append(entry)
        return entry
    }

    /// Writes the directory, which ends the archive.
    package mutating func finish() {
        let start = position
        for (entry, header) in zip(entries, headers) {
            let isLarge = entry.compressedSize >= Self.limit || entry.size >= Self.limit
            let isFar = header >= Self.limit
            append(0x0201_4B50, 4)
            // Made on Unix, so that permissions count; by version 2.0 or 4.5 of the format.
            append(3 << 8 | (isLarge || isFar ? 45 : 20), 2)
            appendCommon(entry.method, entry.crc, entry.compressedSize, entry.size, isLarge: isLarge)
            append(UInt64(entry.name.utf8.count), 2)
            let extra = (isLarge ? 16 : 0) + (isFar ? 8 : 0)
            append(UInt64(extra == 0 ? 0 : extra + 4), 2)
            // Comment, disk, internal attributes.
            append(0, 6)
            append(UInt64(0o100000 | entry.permissions & 0o777) << 16, 4)
            append(isFar ? 0xFFFF_FFFF : UInt64(header), 4)
            bytes.append(contentsOf: entry.name.utf8)
            guard extra > 0 else { continue }
            append(1, 2)
            append(UInt64(extra), 2)
            if isLarge {
                append(UInt64(entry.size), 8)
                append(UInt64(entry.compressedSize), 8)
            }
            if isFar { append(UInt64(header), 8) }
        }
        let size = position - start
        let isLarge = entries.count >= 0xFFFF || size >= Self.limit || start >= Self.limit
        if isLarge {
            let record = position
            append(0x0606_4B50, 4)
            append(44, 8)
            append(3 << 8 | 45, 2)
            append(45, 2)
            append(0, 8)
            append(UInt64(entries.count), 8)
            append(UInt64(entries.count), 8)
            append(UInt64(size), 8)
            append(UInt64(start), 8)
            append(0x0706_4B50, 4)
            append(0, 4)
            append(UInt64(record), 8)
            append(1, 4)
        }
        append(0x0605_4B50, 4)
        append(0, 4)
        append(isLarge ? 0xFFFF : UInt64(entries.count), 2)
        append(isLarge ? 0xFFFF : UInt64(entries.count), 2)
        append(isLarge ? 0xFFFF_FFFF : UInt64(size), 4)
        append(isLarge ? 0xFFFF_FFFF : UInt64(start), 4)
        append(0, 2)
    }

    /// Sizes and offsets from here on need ZIP64.
    private static let limit = 0xFFFF_FFFF

    /// The fields from the needed version to the sizes, which both headers of a file share.
    private mutating func appendCommon(
        _ method: ZipMethod, _ crc: UInt32, _ compressed: Int, _ size: Int, isLarge: Bool
    ) {
        append(isLarge ? 45 : 20, 2)
        // Names are UTF-8.
        append(1 << 11, 2)
        append(UInt64(method.rawValue), 2)
        append(UInt64(time.time), 2)
        append(UInt64(time.date), 2)
        append(UInt64(crc), 4)
        append(isLarge ? 0xFFFF_FFFF : UInt64(compressed), 4)
        append(isLarge ? 0xFFFF_FFFF : UInt64(size), 4)
    }

    private mutating func append(_ value: UInt64, _ count: Int) {
        for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: place < 8 ? value >> (UInt64(place) * 8) : 0)) }
    }
}
