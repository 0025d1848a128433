// For any bytes, reading ends without a trap, and every property of the result can be read.

import Testing

@testable import Bytecode

@Suite struct MarshalTotalityTests {
    /// Reads every property of an arena, and checks that all of it lies within the bytes.
    private func look(at bytes: [UInt8], _ sample: MarshalSample) {
        bytes.withUnsafeBytes { body in
            guard let arena = try? MarshalReader.read(body, layout: sample.layout) else { return }
            guard arena.length <= body.count, arena.count <= body.count, arena.numbered.count <= arena.count else {
                Issue.record("more than there is, in \(bytes)")
                return
            }
            var id = arena.root
            for index in 0..<arena.count {
                id = MarshalNodeID(UInt32(index))
                let content = arena.content(of: id)
                let children = arena.children(of: id).reduce(0) { count, _ in count + 1 }
                let counted = arena[id].type == .code ? arena.layout.fields.count : Int(arena[id].count)
                if content.upperBound > arena.length || arena[id].type.isContainer && children != counted
                    || arena[arena.resolved(id)].type.isReference
                {
                    Issue.record("\(arena[id]) in \(bytes)")
                }
            }
            for code in arena.codes {
                for field in arena.layout.fields where arena.field(field, of: code) == nil {
                    Issue.record("no \(field) in \(bytes)")
                }
            }
            let bindings = ModuleBindings(of: arena, body: body, opcodes: sample.opcodes)
            if (bindings == nil) == (arena[arena.root].type == .code) { Issue.record("bindings of \(bytes)") }
        }
    }

    @Test(arguments: MarshalSample.all)
    func everyPrefixIsRefused(_ sample: MarshalSample) {
        let body = sample.body
        #expect(body.count > 600)
        for length in 0..<body.count {
            guard case .failure(let error) = MarshalReaderTests.read(Array(body[..<length]), sample.layout) else {
                Issue.record("\(length) bytes were enough")
                continue
            }
            if error.offset > length { Issue.record("\(error) in \(length) bytes") }
        }
    }

    @Test(arguments: MarshalSample.all)
    func twentyThousandMutations(_ sample: MarshalSample) {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            // xorshift64
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let interesting = Array("NTFS.0iIlfgxystRuaAzZ()[]{<>:cr".utf8) + [0, 1, 0x7F, 0x80, 0xE3, 0xF2, 0xFF]
        let original = sample.body
        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0...random(6) {
                let index = random(bytes.count)
                let byte = random(3) == 0 ? UInt8(random(256)) : interesting[random(interesting.count)]
                switch random(5) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(byte, at: index)
                case 2:
                    let end = min(bytes.count, index + 1 + random(20))
                    bytes.insert(contentsOf: Array(bytes[index..<end]), at: random(bytes.count))
                default: bytes[index] = byte
                }
            }
            look(at: bytes, sample)
        }
    }

    /// Ten thousand code objects share one large piece of code or tuple of names, which is not read ten thousand times.
    @Test(arguments: [true, false])
    func sharingCostsNothing(_ sharesCode: Bool) throws {
        let large = 200_000
        // A code object of 3.6, which begins with five numbers.
        func code(_ instructions: [UInt8], names: [UInt8]) -> [UInt8] {
            [0x63] + [UInt8](repeating: 0, count: 20) + instructions + [0x29, 0] + names + [0x29, 0, 0x29, 0, 0x29, 0]
                + [0x7A, 0, 0x7A, 0, 0, 0, 0, 0, 0x73, 0, 0, 0, 0]
        }
        func length(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } }
        let word: [UInt8] = [0x7A, 7] + Array("globals".utf8)
        let store: [UInt8] = [0x73, 2, 0, 0, 0, 97, 0]
        // The shared object is object 0.
        let shared: [UInt8]
        let repeated: [UInt8]
        if sharesCode {
            let instructions = Array(repeatElement([97, 0] as [UInt8], count: large).joined())
            shared = [0xF3] + length(instructions.count) + instructions
            // The first few code objects read all of it, until the budget, which depends on the file's size, is used up.
            repeated = code([0x72, 0, 0, 0, 0], names: [0x29, 1] + word)
        } else {
            shared = [0xA8] + length(large) + Array(repeatElement(word, count: large).joined())
            repeated = code(store, names: [0x72, 0, 0, 0, 0])
        }
        let constants = [0x28] + length(10_001) + shared + Array(repeatElement(repeated, count: 10_000).joined())
        var body: [UInt8] = [0x63] + [UInt8](repeating: 0, count: 20) + store + constants + [0x29, 1] + word
        body += [0x29, 0, 0x29, 0, 0x29, 0, 0x7A, 0, 0x7A, 0, 0, 0, 0, 0, 0x73, 0, 0, 0, 0]
        try body.withUnsafeBytes { bytes in
            let arena = try MarshalReader.read(bytes, layout: .keywordOnly)
            #expect(arena.codes.count == 10_001)
            let bindings = ModuleBindings(of: arena, body: bytes, opcodes: MarshalSample.wordcode)
            #expect(bindings?.names == [Array("globals".utf8)])
            #expect(bindings?.uncertainties == (sharesCode ? [.mentionsGlobals, .hasOddCode] : [.mentionsGlobals]))
        }
    }
}
