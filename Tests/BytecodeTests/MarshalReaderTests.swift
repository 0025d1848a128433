// Every type of the format, and the input that is refused.

import Testing

@testable import Bytecode

@Suite struct MarshalReaderTests {
    /// Reads marshalled bytes, or returns the error.
    static func read(_ bytes: [UInt8], _ layout: CodeLayout = .localsPlus) -> Result<MarshalArena, MarshalError> {
        bytes.withUnsafeBytes { body in
            do throws(MarshalError) {
                return .success(try MarshalReader.read(body, layout: layout))
            } catch {
                return .failure(error)
            }
        }
    }

    static func problem(_ bytes: [UInt8], _ layout: CodeLayout = .localsPlus) -> MarshalError.Problem? {
        guard case .failure(let error) = read(bytes, layout) else { return nil }
        #expect(error.offset <= bytes.count && !error.description.isEmpty)
        return error.problem
    }

    @Test(
        arguments: [
            ("N", [], .none, 0..<0), ("T", [], .true, 0..<0), ("F", [], .false, 0..<0),
            ("S", [], .stopIteration, 0..<0),
            (".", [], .ellipsis, 0..<0), ("i", [1, 2, 3, 4], .integer32, 1..<5),
            ("I", [1, 2, 3, 4, 5, 6, 7, 8], .integer64, 1..<9),
            ("l", [0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 1, 0], .bigInteger, 5..<9),
            ("g", [0, 0, 0, 0, 0, 0, 0xF8, 0x3F], .float, 1..<9), ("f", [3, 0x31, 0x2E, 0x35], .floatText, 2..<5),
            ("x", [1, 0x31, 2, 0x32, 0x33], .complexText, 1..<6),
            ("y", [UInt8](repeating: 0, count: 16), .complex, 1..<17),
            ("s", [2, 0, 0, 0, 0xFF, 0], .bytes, 5..<7), ("t", [1, 0, 0, 0, 0x61], .interned, 5..<6),
            ("u", [3, 0, 0, 0, 0xED, 0xA0, 0x80], .unicode, 5..<8), ("a", [1, 0, 0, 0, 0x61], .ascii, 5..<6),
            ("A", [1, 0, 0, 0, 0x61], .asciiInterned, 5..<6), ("z", [1, 0x61], .shortASCII, 2..<3),
            ("Z", [2, 0x61, 0x62], .shortASCIIInterned, 2..<4),
        ] as [(Character, [UInt8], MarshalType, Range<Int>)])
    func simpleObjects(_ byte: Character, _ rest: [UInt8], _ type: MarshalType, _ content: Range<Int>) throws {
        let first = try #require(byte.asciiValue)
        for flag: UInt8 in [0, 0x80] {
            // Bytes after the object are not read.
            let arena = try Self.read([first | flag] + rest + [0xEE]).get()
            #expect(arena.length == rest.count + 1)
            #expect(arena.count == 1)
            #expect(arena[arena.root].type == type)
            if !content.isEmpty { #expect(arena.content(of: arena.root) == content) }
            let isSingleton = rest.isEmpty
            #expect(arena.referenceNumber(of: arena.root) == (flag == 0 || isSingleton ? nil : 0))
        }
        for length in 0..<rest.count + 1 {
            #expect(Self.problem(Array(([first] + rest).prefix(length))) == .truncated)
        }
    }

    @Test(
        arguments: [
            ([0x29, 2, 0x4E, 0x54], .smallTuple, [.none, .true]), ([0x29, 0], .smallTuple, []),
            ([0x28, 1, 0, 0, 0, 0x4E], .tuple, [.none]), ([0x5B, 2, 0, 0, 0, 0x46, 0x2E], .list, [.false, .ellipsis]),
            ([0x3C, 1, 0, 0, 0, 0x54], .set, [.true]), ([0x3E, 1, 0, 0, 0, 0x54], .frozenSet, [.true]),
            ([0x3E, 0, 0, 0, 0], .frozenSet, []), ([0x7B, 0x30], .dictionary, []),
            ([0x7B, 0x4E, 0x54, 0x46, 0x29, 1, 0x4E, 0x30], .dictionary, [.none, .true, .false, .smallTuple]),
            ([0x3A, 0x4E, 0x54, 0x4E], .slice, [.none, .true, .none]),
        ] as [([UInt8], MarshalType, [MarshalType])])
    func containers(_ bytes: [UInt8], _ type: MarshalType, _ children: [MarshalType]) throws {
        let arena = try Self.read(bytes + [0x30]).get()
        #expect(arena.length == bytes.count)
        #expect(arena[arena.root].type == type)
        #expect(Int(arena[arena.root].count) == children.count)
        #expect(arena.children(of: arena.root).map { arena[$0].type } == children)
        for length in 0..<bytes.count { #expect(Self.problem(Array(bytes.prefix(length))) == .truncated) }
    }

    @Test func referencesNameWhatWasFlagged() throws {
        // ("a" flagged, None flagged, [itself, "a"])
        let arena = try Self.read(
            [0xA9, 3, 0xDA, 1, 0x61, 0xCE, 0xDB, 2, 0, 0, 0, 0x72, 2, 0, 0, 0, 0xF2, 1, 0, 0, 0]
        ).get()
        let children = Array(arena.children(of: arena.root))
        #expect(arena.numbered == [arena.root, children[0], children[2]])
        let inner = Array(arena.children(of: children[2]))
        #expect(arena.resolved(inner[0]) == children[2])
        #expect(arena.resolved(inner[1]) == children[0])
        #expect(arena.referenceNumber(of: inner[1]) == nil)
    }

    @Test func internedStringsOfPython2AreNumbered() throws {
        // ("a" interned, "b", the interned one)
        let bytes: [UInt8] = [
            0x28, 3, 0, 0, 0, 0x74, 1, 0, 0, 0, 0x61, 0x73, 1, 0, 0, 0, 0x62, 0x52, 0, 0, 0, 0,
        ]
        let arena = try Self.read(bytes, .python2).get()
        let children = Array(arena.children(of: arena.root))
        #expect(arena.resolved(children[2]) == children[0])
        #expect(Self.problem(Array(bytes.dropLast(4)) + [1, 0, 0, 0], .python2) == .invalidReference(1))
        #expect(Self.problem(bytes, .keywordOnly) == .unknownType(0x52))
    }

    @Test(
        arguments: [
            ([], .truncated), ([0x3F], .unknownType(0x3F)), ([0xBF], .unknownType(0xBF)), ([0], .unknownType(0)),
            ([0x30], .misplacedNull), ([0x29, 1, 0x30], .misplacedNull), ([0x7B, 0x4E, 0x30], .misplacedNull),
            ([0x28, 0xFF, 0xFF, 0xFF, 0xFF], .negativeLength), ([0x73, 0, 0, 0, 0x80], .negativeLength),
            ([0x72, 0, 0, 0, 0], .invalidReference(0)), ([0x72, 0xFF, 0xFF, 0xFF, 0xFF], .invalidReference(-1)),
            // A frozen set and a slice that refer to themselves: they do not exist yet at that point.
            ([0xBE, 1, 0, 0, 0, 0x72, 0, 0, 0, 0], .invalidReference(0)),
            ([0xBA, 0x72, 0, 0, 0, 0, 0x4E, 0x4E], .invalidReference(0)),
            ([0x6C, 1, 0, 0, 0, 0, 0x80], .malformedInteger), ([0x6C, 2, 0, 0, 0, 1, 0, 0, 0], .malformedInteger),
            ([0x6C, 0, 0, 0, 0x80], .truncated),
        ] as [([UInt8], MarshalError.Problem)])
    func malformed(_ bytes: [UInt8], _ problem: MarshalError.Problem) {
        #expect(Self.problem(bytes) == problem)
    }

    @Test(
        arguments: [
            (0x3A, .positionalOnly), (0x29, .python2), (0x72, .python2), (0x5A, .python2), (0xA8, .python2),
        ] as [(UInt8, CodeLayout)])
    func unknownToTheLayout(_ byte: UInt8, _ layout: CodeLayout) {
        #expect(Self.problem([byte, 0, 0, 0, 0], layout) == .unknownType(byte))
    }

    @Test(arguments: Array("([<>satuAl"))
    func giantLengthsAreRefusedAtOnce(_ type: Character) throws {
        let byte = try #require(type.asciiValue)
        for tail in [[UInt8](), [UInt8](repeating: 0x4E, count: 1000)] {
            #expect(Self.problem([byte, 0xFF, 0xFF, 0xFF, 0x7F] + tail) == .truncated)
        }
    }

    @Test(arguments: [[0x29, 1], [0x28, 1, 0, 0, 0], [0x5B, 1, 0, 0, 0], [0x7B], [0x3A]] as [[UInt8]])
    func nestingHasTheLimitOfCPython(_ opening: [UInt8]) {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeatElement(opening, count: depth).joined()) + [UInt8](repeating: 0x4E, count: 8)
        }
        #expect(Self.problem(nested(2000)) == .nestedTooDeeply)
        #expect(Self.problem(nested(100_000)) == .nestedTooDeeply)
        // Nesting that is complete is read up to the limit.
        #expect(Self.problem(nested(1999)) == (opening.contains(1) ? nil : .truncated))
    }

    @Test(arguments: MarshalSample.all)
    func realBodies(_ sample: MarshalSample) throws {
        let body = sample.body
        let arena = try Self.read(body + [0x4E], sample.layout).get()
        #expect(arena.length == body.count)
        let names = arena.codes.map { code in
            arena.field(.name, of: code).map {
                String(decoding: body[arena.content(of: arena.resolved($0))], as: UTF8.self)
            }
        }
        #expect(names == ["<module>", "f", "<lambda>", "K"])
        #expect(arena.codes.map { arena.number(.firstLine, of: $0) } == lines(of: sample))
        #expect(
            arena.codes.map { arena.number(.argumentCount, of: $0) } == [0, sample.layout == .python2 ? 2 : 1, 0, 0])
        #expect(arena.number(.keywordOnlyCount, of: arena.codes[1]) == (sample.layout == .python2 ? nil : 1))
        for code in arena.codes {
            #expect(arena.children(of: code).map { $0 } == sample.layout.fields.map { arena.field($0, of: code) })
        }
        #expect(arena.field(.name, of: MarshalNodeID(1)) == nil)
    }

    private func lines(of sample: MarshalSample) -> [Int32] {
        let function: Int32 = sample.layout == .python2 ? 4 : 5
        return [1, function, function + 3, function + 4]
    }

    @Test func fieldsOfCodeHaveTheirTypes() throws {
        let sample = MarshalSample.all[3]
        let arena = try Self.read(sample.body, sample.layout).get()
        for field in sample.layout.fields {
            let id = try #require(arena.field(field, of: arena.root))
            let end = arena.children(of: arena.root).first { $0 > id }.map { Int(arena[$0].start) } ?? arena.length
            var body = sample.body
            // The number of the first line follows the qualified name.
            body.replaceSubrange(Int(arena[id].start)..<(field == .qualifiedName ? end - 4 : end), with: [0x4E])
            guard case .failure(let error) = Self.read(body, sample.layout) else {
                Issue.record("\(field)")
                continue
            }
            // References to an object that was cut out fail first.
            if case .wrongType(let found) = error.problem {
                #expect(found == field)
            } else if case .invalidReference = error.problem {
            } else {
                Issue.record("\(field): \(error)")
            }
        }
    }
}
