// For any bytes, the canonical form loads as the same value, or there is none, and nothing traps.
//
// The short form runs with the suite. For the long form, use the variables of BytecodeFuzzTests.

import Glibc
import Testing

@testable import Bytecode

@Suite struct CanonicalTotalityTests {
    private static func number(_ name: String, or standard: UInt64) -> UInt64 {
        guard let value = getenv(name) else { return standard }
        return UInt64(String(cString: value)) ?? standard
    }

    private static let seed = number("FRESHPYC_FUZZ_SEED", or: 0x6361_6E6F_6E69_6361)
    private static let first = number("FRESHPYC_FUZZ_FIRST", or: 0)
    private static let inputs = number("FRESHPYC_FUZZ_INPUTS", or: 8_000)

    private static let samples: [CodeLayout: [[UInt8]]] = {
        let set = Piece.set([Piece.text("b"), Piece.set([Piece.int(2), Piece.int(1)]), Piece.tuple([Piece.int(2)])])
        let inner = Piece.code(
            [set, Piece.text("é", "u"), Piece.slice([Piece.int(1), Piece.none, Piece.none])], number: 1)
        let made = Piece.code([set, inner, Piece.float(-0.0), Piece.float(0)], names: [Piece.text("b", "Z")])
        return Dictionary(grouping: MarshalSample.all, by: \.layout).mapValues { $0.map(\.body) }
            .merging([.localsPlus: [made]]) { $0 + $1 + $1 }
    }()

    @Test(arguments: MarshalSample.all)
    func realBodies(_ sample: MarshalSample) throws {
        let body = sample.body
        let canonical = try #require(try CanonicalMarshalTests.canonical(body, sample.layout))
        #expect((canonical.fileName == nil) == (sample.layout == .python2))
        #expect(Self.problem(with: body, sample.layout) == nil)
        #expect(Self.problem(with: canonical.body, sample.layout) == nil)
        if sample.layout != .python2 { #expect(canonical.body.count < body.count + 8) }
    }

    @Test(arguments: CodeLayout.allCases)
    func damagedBodies(_ layout: CodeLayout) throws {
        let samples = try #require(Self.samples[layout])
        var accepted: UInt64 = 0
        let count = Self.inputs / UInt64(CodeLayout.allCases.count)
        for number in Self.first..<Self.first &+ max(count, 1) {
            let input = FuzzInput(samples, seed: Self.seed, input: number)
            if let problem = Self.problem(with: input.bytes, layout) {
                Issue.record(
                    "\(layout): \(problem): FRESHPYC_FUZZ_SEED=\(Self.seed) FRESHPYC_FUZZ_FIRST=\(number) FRESHPYC_FUZZ_INPUTS=1"
                )
                return
            }
            if Self.isAccepted(input.bytes, layout) { accepted += 1 }
        }
        // If the reader refused almost all inputs, the canonical form would not be tested.
        if count > 1000 { #expect(accepted > count / 20, "\(accepted) of \(count)") }
    }

    private static func isAccepted(_ bytes: [UInt8], _ layout: CodeLayout) -> Bool {
        (try? CanonicalMarshalTests.canonical(bytes, layout)) != nil
    }

    private static let names: [[UInt8]] = [
        Array("/somewhere/else/é.py".utf8), [0xFF, 0x2F, 0xC3], Array("x".utf8),
        [UInt8](repeating: 0x61, count: 300),
    ]

    /// - Returns: a problem with the canonical forms of a body, if there is one.
    private static func problem(with bytes: [UInt8], _ layout: CodeLayout) -> String? {
        bytes.withUnsafeBytes { body in
            guard let arena = try? MarshalReader.read(body, layout: layout) else { return nil }
            guard let canonical = CanonicalMarshal(arena, body: body) else { return nil }
            if let problem = difference(canonical.body, layout, arena, body, fileName: nil) { return problem }
            for name in names {
                let renamed = CanonicalMarshal(arena, body: body, fileName: name)
                if let renamed, let problem = difference(renamed.body, layout, arena, body, fileName: name) {
                    return "under another name: \(problem)"
                }
                guard let place = canonical.fileName else { continue }
                let spliced = CanonicalMarshal.splice(canonical.body, at: place, fileName: name, layout: layout)
                if spliced == nil || spliced != renamed?.body { return "a name put in is another than one given" }
            }
            // Splicing at a wrong place must not trap, even though the result is not code.
            for start in stride(from: -1, to: bytes.count + 2, by: 97) {
                _ = CanonicalMarshal.splice(bytes, at: start..<start + 3, fileName: names[0], layout: layout)
            }
            return nil
        }
    }

    private static func difference(
        _ canonical: [UInt8], _ layout: CodeLayout, _ arena: MarshalArena, _ body: UnsafeRawBufferPointer,
        fileName: [UInt8]?
    ) -> String? {
        canonical.withUnsafeBytes { bytes in
            let again: MarshalArena
            do throws(MarshalError) {
                again = try MarshalReader.read(bytes, layout: layout)
            } catch {
                return "cannot be read: \(error)"
            }
            if again.length != bytes.count { return "has an end too many" }
            if again.codes.count != arena.codes.count { return "\(again.codes.count) code objects" }
            guard let wanted = LoadedValue.digest(arena, body, fileName: fileName) else {
                // The form of Python 2 keeps objects that contain themselves.
                return layout == .python2 ? nil : "of what holds itself"
            }
            if LoadedValue.digest(again, bytes) != wanted { return "loads as something else" }
            if CanonicalMarshal(again, body: bytes)?.body != canonical { return "has another canonical form" }
            return nil
        }
    }
}
