import Archive
import Testing

@Suite struct ZipTests {
    private static func read(_ bytes: [UInt8]) -> Result<[ZipEntry], ZipError> {
        bytes.withUnsafeBytes { bytes in
            do throws(ZipError) { return .success(try ZipReader(bytes).entries) } catch { return .failure(error) }
        }
    }

    private static func sample(prefix: [UInt8] = []) throws -> [UInt8] {
        var writer = ZipWriter(prefix: prefix)
        try writer.add("a.txt", Array("hello".utf8))
        try writer.add("dir/\u{E4}.py", Array("x = 1\n".utf8), permissions: 0o755)
        try writer.add("empty", [])
        writer.finish()
        return writer.bytes
    }

    @Test(
        arguments: [
            ("", 0), ("123456789", 0xCBF4_3926), ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
        ] as [(String, UInt32)])
    func checksums(_ text: String, _ expected: UInt32) { #expect(CRC32.of(Array(text.utf8)) == expected) }

    @Test(arguments: [[], Array("#!/usr/bin/env python3\n".utf8)] as [[UInt8]])
    func whatIsWrittenIsRead(_ prefix: [UInt8]) throws {
        let bytes = try Self.sample(prefix: prefix)
        let entries = try Self.read(bytes).get()
        #expect(entries.map(\.name) == ["a.txt", "dir/\u{E4}.py", "empty"])
        #expect(entries.map(\.size) == [5, 6, 0] && entries.map(\.permissions) == [0o644, 0o755, 0o644])
        #expect(bytes[entries[1].offset..<entries[1].offset + 6].elementsEqual("x = 1\n".utf8))
        #expect(try bytes.withUnsafeBytes { try ZipReader($0).start } == prefix.count)
    }

    @Test func theSameContentsGiveTheSameBytes() throws { #expect(try Self.sample() == Self.sample()) }

    @Test func aGapIsCounted() throws {
        let inner = Array("inner archive".utf8)
        var writer = ZipWriter()
        let entry = try writer.addGap("inner", count: inner.count, crc: CRC32.of(inner))
        try writer.add("after", Array("x".utf8))
        writer.finish()
        let gap = try #require(writer.gap)
        #expect(gap.index == entry.offset)
        let whole = writer.bytes[..<gap.index] + inner + writer.bytes[gap.index...]
        #expect(try Self.read(Array(whole)).get().map(\.name) == ["inner", "after"])
    }

    @Test(arguments: ["", "/etc/passwd", "a//b", "../a", "a/../b", "a/.", "./a", "a/", "a\\b", "a\0b"])
    func badNamesAreRefused(_ name: String) {
        var writer = ZipWriter()
        #expect(throws: ZipError.badName(name)) { try writer.add(name, []) }
    }

    @Test func doubledNamesAreRefused() throws {
        var writer = ZipWriter()
        try writer.add("a", [])
        #expect(throws: ZipError.doubledName("a")) { try writer.add("a", []) }
    }

    /// Days at the edges of what ZIP can store, as `time.gmtime` gives them.
    @Test(
        arguments: [
            (0, 1980, 1, 1, 0), (315_532_800, 1980, 1, 1, 0), (951_827_696, 2000, 2, 29, 12),
            (1_709_164_800, 2024, 2, 29, 0),
            (4_354_819_198, 2107, 12, 31, 23), (Int64.max, 2107, 12, 31, 23),
        ] as [(Int64, Int, Int, Int, Int)])
    func times(_ seconds: Int64, _ year: Int, _ month: Int, _ day: Int, _ hour: Int) throws {
        var writer = ZipWriter(time: .init(secondsSince1970: seconds))
        try writer.add("a", [])
        let bytes = writer.bytes
        let (time, date) = (Int(bytes[10]) | Int(bytes[11]) << 8, Int(bytes[12]) | Int(bytes[13]) << 8)
        #expect(date >> 9 + 1980 == year && date >> 5 & 15 == month && date & 31 == day && time >> 11 == hour)
    }

    @Test func everyTruncationIsRefused() throws {
        let bytes = try Self.sample(prefix: Array("#!x\n".utf8))
        for count in 0..<bytes.count {
            guard case .failure = Self.read(Array(bytes[..<count])) else {
                Issue.record("\(count) of \(bytes.count) bytes were accepted")
                continue
            }
        }
    }

    /// No byte that is changed makes the reader crash, or lead to contents outside the archive.
    @Test func anyDamageIsHarmless() throws {
        let bytes = try Self.sample()
        var generator = SystemRandomNumberGenerator()
        for position in bytes.indices {
            for value in [0, 0xFF, 0x80, bytes[position] ^ 1, UInt8.random(in: 0...255, using: &generator)] as [UInt8] {
                var damaged = bytes
                damaged[position] = value
                for entry in (try? Self.read(damaged).get()) ?? [] {
                    #expect(entry.offset >= 0 && entry.offset + entry.compressedSize <= damaged.count)
                }
            }
        }
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<4 { damaged[Int.random(in: 0..<damaged.count)] = UInt8.random(in: 0...255) }
            _ = Self.read(damaged)
        }
    }

    /// What other programs write and bundles do not have.
    @Test func otherArchives() throws {
        func damaged(_ change: (inout [UInt8]) -> Void) throws -> Result<[ZipEntry], ZipError> {
            var bytes = try Self.sample()
            change(&bytes)
            return Self.read(bytes)
        }
        // A comment after the end record.
        #expect(throws: ZipError.truncated) { try damaged { $0.append(0) }.get() }
        let directory = try #require(try Self.sample().firstRange(of: [0x50, 0x4B, 1, 2]))
        let flags = directory.lowerBound + 8
        #expect(throws: ZipError.unsupported("encrypted files")) { try damaged { $0[flags] |= 1 }.get() }
        #expect(throws: ZipError.unsupported("data descriptors")) { try damaged { $0[flags] |= 8 }.get() }
        #expect(throws: ZipError.unsupported("another compression than Deflate")) {
            try damaged { $0[flags + 2] = 12 }.get()
        }
        // A bomb: five bytes that claim to be four billion.
        #expect(throws: ZipError.inconsistent("'a.txt' claims an impossible size")) {
            try damaged {
                $0[flags + 2] = 8
                $0[flags + 18] = 0xF0
                $0[flags + 19] = 0xF0
            }.get()
        }
    }
}
