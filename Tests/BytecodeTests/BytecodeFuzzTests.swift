// Passes damaged files through everything that `inspect` and `verify` do with bytes: no trap, no hang, and bounded text.
//
// The short form runs with the suite. The long form is optimized (tests cannot be linked with the release flags):
//   FRESHPYC_FUZZ_INPUTS=10000000 swift test -Xswiftc -O --scratch-path .build/fuzz --filter BytecodeFuzzTests
// FRESHPYC_FUZZ_SEED sets another seed. Each input depends only on the seed and its number, so it can be repeated alone:
// FRESHPYC_FUZZ_FIRST=4711 FRESHPYC_FUZZ_INPUTS=1. The long form prints its progress to standard error, because a trap
// does not tell the input.

import Glibc
import Testing

@testable import Bytecode

/// splitmix64: the sequence for a seed is the same on every machine.
struct FuzzSource {
    private var state: UInt64

    init(seed: UInt64, input: UInt64) {
        state = seed ^ (input &* 0xD134_2543_DE82_EF95)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A number from 0 up to, but not including, the bound, which must be above 0.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// Damages a file in ways that happen to files, and in ways that readers often handle wrongly.
struct FuzzInput {
    private static let types = Array("NTFS.0iIlfgxystRuaAzZ()[]{<>:cr".utf8)
    /// Lengths and counts: zero, small, larger than the file, negative, and near the limits of 32 bits.
    private static let lengths: [Int32] = [0, 1, 2, 255, 256, 65_535, 65_536, 1 << 24, .max, .max - 1, -1, .min, -2]

    private(set) var bytes: [UInt8]
    private var random: FuzzSource

    init(_ samples: [[UInt8]], seed: UInt64, input: UInt64) {
        random = FuzzSource(seed: seed, input: input)
        bytes = samples[random.below(samples.count)]
        for _ in 0...random.below(5) { damage(samples) }
    }

    private mutating func damage(_ samples: [[UInt8]]) {
        guard !bytes.isEmpty else {
            bytes = samples[random.below(samples.count)]
            return
        }
        let place = random.below(bytes.count)
        switch random.below(12) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 2: bytes[place] = Self.types[random.below(Self.types.count)] | (random.below(2) == 0 ? 0 : 0x80)
        case 3: bytes.removeSubrange(place...)
        case 4: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(16)))
        case 5:
            // A piece of another file, or of this one.
            let other = random.below(2) == 0 ? bytes : samples[random.below(samples.count)]
            let start = random.below(other.count)
            let piece = other[start..<min(other.count, start + 1 + random.below(200))]
            if random.below(2) == 0 {
                bytes.insert(contentsOf: piece, at: place)
            } else {
                bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
            }
        case 6, 7: write(Self.lengths[random.below(Self.lengths.count)], at: place)
        case 8: write(Int32(random.below(64)), at: place)
        case 9:
            let run = min(bytes.count, place + 1 + random.below(32))
            let byte: UInt8 = [0xFF, 0, 0x80, 0x7F, 0x40][random.below(5)]
            for index in place..<run { bytes[index] = byte }
        case 10:
            // A reference, perhaps to the object that contains it.
            bytes.replaceSubrange(
                place..<min(bytes.count, place + 5), with: [0x72, UInt8(random.below(40)), 0, 0, 0])
        default:
            // Repeat a piece many times, which may also nest it.
            let piece = Array(bytes[place..<min(bytes.count, place + 1 + random.below(12))])
            let times = 1 + random.below(60)
            bytes.insert(contentsOf: repeatElement(piece, count: times).joined(), at: place)
        }
    }

    /// Overwrites four bytes, the size of lengths and numbers.
    private mutating func write(_ number: Int32, at place: Int) {
        let word = withUnsafeBytes(of: number.littleEndian) { Array($0) }
        bytes.replaceSubrange(place..<min(bytes.count, place + 4), with: word)
    }
}

@Suite struct BytecodeFuzzTests {
    private static func number(_ name: String, or standard: UInt64) -> UInt64 {
        guard let value = getenv(name) else { return standard }
        return UInt64(String(cString: value)) ?? standard
    }

    private static let seed = number("FRESHPYC_FUZZ_SEED", or: 0x6672_6573_6870_7963)
    private static let first = number("FRESHPYC_FUZZ_FIRST", or: 0)
    private static let inputs = number("FRESHPYC_FUZZ_INPUTS", or: 20_000)
    private static let parts: UInt64 = 2

    /// Whole files, a header alone, and a single byte.
    private static let samples: [[UInt8]] =
        PycSample.all.map(\.bytes)
        + MarshalSample.all.map { sample in
            let length = sample.layout == .python2 ? 8 : sample.layout == .keywordOnly ? 12 : 16
            return [0xCB, 0x0D, 0x0D, 0x0A] + [UInt8](repeating: 0, count: length - 4) + sample.body
        } + [[0xCB, 0x0D, 0x0D, 0x0A] + [UInt8](repeating: 0, count: 12), [0x63]]

    private static func tell(_ text: String) {
        let line = Array("BytecodeFuzzTests: \(text)\n".utf8)
        _ = write(2, line, line.count)
    }

    @Test(arguments: 0..<parts)
    func damagedFiles(_ part: UInt64) {
        var readable: UInt64 = 0
        for offset in stride(from: part, to: Self.inputs, by: Int(Self.parts)) {
            let number = Self.first &+ offset
            if offset % 1_000_000 == part, offset > part {
                Self.tell("at input \(number) of seed \(Self.seed)")
            }
            let input = FuzzInput(Self.samples, seed: Self.seed, input: number)
            if let problem = Self.problem(with: input.bytes) {
                Issue.record(
                    "\(problem): FRESHPYC_FUZZ_SEED=\(Self.seed) FRESHPYC_FUZZ_FIRST=\(number) FRESHPYC_FUZZ_INPUTS=1")
                return
            }
            if input.bytes.withUnsafeBytes({ PycFile.guessing($0)?.holdsCode ?? false }) { readable += 1 }
        }
        // If the reader refused almost all inputs, the code after it would not be tested.
        if Self.inputs > 1000 { #expect(readable > Self.inputs / Self.parts / 10) }
    }

    /// Does everything that freshpyc can do with a file, to find traps and hangs.
    ///
    /// - Returns: a description of a wrong result, if there is one.
    static func problem(with bytes: [UInt8]) -> String? {
        bytes.withUnsafeBytes { bytes in
            _ = CacheName(ArraySlice(bytes.prefix(60)))
            for format in [LineTable.Format.locations, .ranges, .signedSteps, .unsignedSteps] {
                let count = LineTable(bytes, format: format, firstLine: 1, codeLength: bytes.count)
                    .reduce(0) { count, _ in count + 1 }
                if count > bytes.count + 1 { return "\(count) entries of lines in \(bytes.count) bytes" }
            }
            // `verify` uses the shape of the interpreter; `inspect` guesses it.
            guard let file = PycFile.guessing(bytes) else { return bytes.count < 8 ? nil : "no shape at all" }
            for shape in PycShape.all {
                guard let other = PycFile(bytes, shape: shape) else { continue }
                if other.isWhole, other.header != nil, !file.isWhole { return "a whole file was not recognized" }
            }
            return problem(with: file, bytes)
        }
    }

    private static func problem(with file: PycFile, _ bytes: UnsafeRawBufferPointer) -> String? {
        guard let arena = file.arena else { return nil }
        let body = PycFile.body(of: bytes, file.shape)
        if file.trailing < 0 || arena.length > body.count { return "code beyond the end" }
        let root = ConstantText(arena.root, of: arena, body: body, limit: 40)
        if root.text.utf8.count > 600 { return "a constant of \(root.text.utf8.count) bytes" }
        _ = ModuleBindings(of: arena, body: body, opcodes: MarshalSample.wordcode)
        for limit in [80, 400] {
            var outliner = CodeOutliner(arena, body: body, magicNumber: file.magicNumber, limit: limit)
            if outliner.count != arena.codes.count { return "code objects are missing" }
            var shown = 0
            for place in 0..<outliner.count {
                let outline = outliner.outline(place)
                if let parent = outline.parent, parent >= place { return "an outer code object after its inner one" }
                if let lines = outline.lines, lines.lowerBound < 1 { return "lines \(lines)" }
                shown += size(of: outline)
                _ = outline.flags.words(in: file.shape.layout) + [outline.arguments]
            }
            // The bound that CodeOutliner promises, plus the minimum that each code object shows.
            let most = 65_536 + body.count * 4 + 2 * limit + outliner.count * 64
            if shown > most { return "\(shown) bytes of text for \(body.count) bytes" }
        }
        return nil
    }

    private static func size(of outline: CodeOutline) -> Int {
        let texts = [outline.names, outline.locals, outline.cells, outline.frees].flatMap(\.items)
        return (texts + [outline.name, outline.qualifiedName ?? "", outline.fileName]).reduce(0) { $0 + $1.utf8.count }
            + outline.constants.items.reduce(0) { $0 + $1.text.utf8.count }
    }

    /// Code objects that share everything they can through references: the text and the time are bounded by the file's size.
    @Test(arguments: [2, 16, 17, 100_000])
    func sharingCostsNothing(_ shared: Int) throws {
        func word(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } }
        let text: [UInt8] = [0x7A, 200] + [UInt8](repeating: 0x41, count: 200)
        let codes = 20_000
        // Object 0 is a tuple that contains one text (object 1) many times; object 2 is a line table.
        let tuple =
            [0xA8] + word(shared) + [0xFA] + text.dropFirst()
            + (1..<shared).flatMap { _ in [0x72, 1, 0, 0, 0] as [UInt8] }
        let table = [0xF3] + word(shared * 2) + [UInt8](repeating: 1, count: shared * 2)
        let empty: [UInt8] = [0x73, 0, 0, 0, 0]
        let sharedTuple: [UInt8] = [0x72, 0, 0, 0, 0]
        let sharedText: [UInt8] = [0x72, 1, 0, 0, 0]
        let code =
            [0x63] + [UInt8](repeating: 0, count: 20) + empty + sharedTuple + sharedTuple + sharedTuple + sharedTuple
            + sharedTuple + sharedText + sharedText + word(1) + [0x72, 2, 0, 0, 0]
        var body = [0x63] + [UInt8](repeating: 0, count: 20) + empty
        body += [0x28] + word(codes + 2) + tuple + table + Array(repeatElement(code, count: codes).joined())
        body += [0x29, 0, 0x29, 0, 0x29, 0, 0x29, 0] + sharedText + sharedText + word(1) + empty
        let file = [0x33, 0x0D, 0x0D, 0x0A] + [UInt8](repeating: 0, count: 8) + body
        let parsed = try #require(file.withUnsafeBytes { PycFile.guessing($0) })
        #expect(parsed.isWhole && parsed.arena?.codes.count == codes + 1)
        #expect(Self.problem(with: file) == nil)
    }
}
