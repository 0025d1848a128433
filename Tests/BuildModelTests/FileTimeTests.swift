// Times over the whole range of stat(2): no arithmetic traps, and different times compare as different.

import BasicTypes
import Testing

@Suite struct FileTimeTests {
    private static let extremes: [FileTime] =
        [
            Int64.min, -11_676_096_000, -9_223_372_037, -9_223_372_036, -1, 0, 1, 2_147_483_648, 4_294_967_296,
            9_223_372_036,
            9_223_372_037, 15_032_385_535, .max,
        ].flatMap { seconds in [0, 1, 854_775_807, 999_999_999].map { FileTime(seconds: seconds, nanosecond: $0) } }

    @Test func nanosecondsAreExactThereAndBack() {
        for time in Self.extremes {
            #expect(FileTime(wideNanoseconds: time.wideNanoseconds) == time)
            if let narrow = Int64(exactly: time.wideNanoseconds) {
                #expect(FileTime(nanoseconds: narrow) == time)
                #expect(time.clampedNanoseconds == narrow)
            } else {
                #expect(time.clampedNanoseconds == (time.seconds < 0 ? .min : .max))
            }
        }
        #expect(FileTime(wideNanoseconds: .max) == nil && FileTime(wideNanoseconds: .min) == nil)
        #expect(FileTime(nanoseconds: .min).wideNanoseconds == Int128(Int64.min))
    }

    @Test func differentTimesAreDifferentAndInOrder() {
        #expect(Set(Self.extremes).count == Self.extremes.count)
        #expect(Self.extremes.shuffled().sorted() == Self.extremes)
        #expect(Self.extremes.map(\.wideNanoseconds) == Self.extremes.map(\.wideNanoseconds).sorted())
    }

    /// `int(os.stat(path).st_mtime) & 0xFFFFFFFF`, computed by CPython.
    @Test(
        arguments: [
            (-11_676_096_000, 0, 1_208_805_888), (-1, 500_000_000, 0), (-2, 500_000_000, 4_294_967_295),
            (4_294_967_296, 0, 0), (9_223_372_037, 999_999_999, 633_437_446), (.max, 0, 0), (.min, 0, 0),
        ] as [(Int64, Int, UInt32)])
    func theHeaderHasTheLowBitsThatImportCompares(_ seconds: Int64, _ nanosecond: Int, _ header: UInt32) {
        let time = FileTime(seconds: seconds, nanosecond: nanosecond)
        #expect(Stamp(device: 0, inode: 0, size: 0, modified: time, changed: time).headerSeconds == header)
    }

    @Test(arguments: [-1, 1_000_000_000, .max, .min]) func aDamagedFractionIsCut(_ nanosecond: Int) {
        #expect((0..<1_000_000_000).contains(FileTime(seconds: 1, nanosecond: nanosecond).nanosecond))
    }

    @Test func everyTimeIsWrittenAndReadAsOneNumber() throws {
        for time in Self.extremes {
            var writer = JSONLineWriter()
            writer.wideValue(time.wideNanoseconds)
            let number = try writer.bytes.withUnsafeBytes { bytes throws(MalformedState) in
                var reader = JSONLineReader(bytes)
                return try reader.wideInteger()
            }
            #expect(number == time.wideNanoseconds)
        }
        for text in ["", "-", "x", String(repeating: "9", count: 39), String(repeating: "9", count: 400)] {
            #expect(throws: MalformedState.self) {
                try Array(text.utf8).withUnsafeBytes { bytes throws(MalformedState) in
                    var reader = JSONLineReader(bytes)
                    return try reader.wideInteger()
                }
            }
        }
    }
}
