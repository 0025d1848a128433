// The canonical form of code: which objects are shared, which stay separate, and the embedded file name.

import Testing

@testable import Bytecode

@Suite struct CanonicalMarshalTests {
    static func canonical(
        _ body: [UInt8], _ layout: CodeLayout = .localsPlus, fileName: [UInt8]? = nil
    ) throws -> CanonicalMarshal? {
        try body.withUnsafeBytes { bytes in
            CanonicalMarshal(try MarshalReader.read(bytes, layout: layout), body: bytes, fileName: fileName)
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let what: String
        let constants: [[UInt8]]
        var names: [[UInt8]] = []
        /// `nil` if nothing changes.
        let expected: [[UInt8]]?
        var testDescription: String { what }
    }

    private static let rows: [Row] = [
        Row(
            what: "a flag is for what is used again", constants: [Piece.int(1, flagged: true)], expected: [Piece.int(1)]
        ),
        Row(
            what: "what is equal is one object", constants: [Piece.int(7), Piece.int(8), Piece.int(7)],
            expected: [Piece.int(7, flagged: true), Piece.int(8), Piece.reference(0)]),
        Row(
            what: "a reference stays one", constants: [Piece.int(7, flagged: true), Piece.reference(0)],
            expected: nil),
        Row(
            what: "references are numbered anew",
            constants: [Piece.int(1, flagged: true), Piece.int(2, flagged: true), Piece.reference(1)],
            expected: [Piece.int(1), Piece.int(2, flagged: true), Piece.reference(0)]),
        Row(
            what: "singletons are written again",
            constants: [Piece.none, Piece.none, Piece.true, Piece.true, Piece.ellipsis],
            expected: nil),
        Row(
            what: "1, True, 1.0, 1+0j",
            constants: [
                Piece.int(1), Piece.true, Piece.float(1),
                [Piece.type("y")] + Piece.float(1).dropFirst() + Piece.float(0).dropFirst(),
            ], expected: nil),
        Row(what: "0.0 and -0.0", constants: [Piece.float(0), Piece.float(-0.0)], expected: nil),
        Row(what: "0 and 0.0", constants: [Piece.int(0), Piece.float(0)], expected: nil),
        Row(
            what: "NaN and NaN",
            constants: [
                Piece.float(.nan), Piece.float(.nan), Piece.float(.nan, flagged: true), Piece.reference(0),
                [Piece.type("y")] + Piece.float(1).dropFirst() + Piece.float(.nan).dropFirst(),
                [Piece.type("y")] + Piece.float(1).dropFirst() + Piece.float(.nan).dropFirst(),
            ], expected: nil),
        Row(what: "infinities", constants: [Piece.float(.infinity), Piece.float(-.infinity)], expected: nil),
        Row(
            what: "big integers of both signs",
            constants: [Piece.big([1, 2, 3]), Piece.big([1, 2, 3], isNegative: true), Piece.big([1, 2, 3])],
            expected: [
                Piece.big([1, 2, 3], flagged: true), Piece.big([1, 2, 3], isNegative: true), Piece.reference(0),
            ]),
        Row(
            what: "text and bytes", constants: [Piece.text("a b"), Piece.bytes(Array("a b".utf8))], expected: nil),
        Row(
            what: "a text is the same text however it is written",
            constants: [Piece.text("a b", "u"), Piece.text("a b", "a"), Piece.text("a b", "A"), Piece.text("a b")],
            expected: [Piece.text("a b", "u", flagged: true)] + Array(repeating: Piece.reference(0), count: 3)),
        Row(
            what: "what could be part of a name is interned",
            constants: [Piece.text("a_9"), Piece.text("Z", "a"), Piece.text("_", "u"), Piece.text("0", "Z")],
            expected: [Piece.text("a_9", "Z"), Piece.text("Z", "A"), Piece.text("_", "t"), Piece.text("0", "Z")]),
        Row(
            what: "and nothing else",
            constants: [
                Piece.text("a b", "Z"), Piece.text(",", "A"), Piece.text("é", "t"), Piece.text("", "Z"),
            ],
            expected: [Piece.text("a b"), Piece.text(",", "a"), Piece.text("é", "u"), Piece.text("")]),
        Row(
            what: "but names", constants: [Piece.text("é", "t")], names: [Piece.text("<x>")],
            expected: [Piece.text("é", "u")]),
        Row(
            what: "sets are sorted",
            constants: [Piece.set([Piece.text("b"), Piece.int(2), Piece.none, Piece.int(1), Piece.text("a")])],
            expected: [Piece.set([Piece.none, Piece.int(1), Piece.int(2), Piece.text("a", "Z"), Piece.text("b", "Z")])]),
        Row(
            what: "equal sets are one",
            constants: [Piece.set([Piece.int(2), Piece.int(1)]), Piece.set([Piece.int(1), Piece.int(2)])],
            expected: [Piece.set([Piece.int(1), Piece.int(2)], flagged: true), Piece.reference(0)]),
        Row(
            what: "sets and tuples in sets",
            constants: [
                Piece.set([
                    Piece.set([Piece.int(4), Piece.int(3)]), Piece.set([Piece.int(2), Piece.int(1)]),
                    Piece.tuple([Piece.int(5), Piece.int(7)]), Piece.tuple([Piece.int(5), Piece.int(6)]),
                ])
            ],
            expected: [
                Piece.set([
                    Piece.tuple([Piece.int(5, flagged: true), Piece.int(6)]),
                    Piece.tuple([Piece.reference(0), Piece.int(7)]), Piece.set([Piece.int(1), Piece.int(2)]),
                    Piece.set([Piece.int(3), Piece.int(4)]),
                ])
            ]),
        Row(
            what: "a set is no tuple",
            constants: [Piece.set([Piece.int(1)]), Piece.tuple([Piece.int(2)]), Piece.set([])],
            expected: nil),
        Row(
            what: "tuples are one where all in them is",
            constants: [
                Piece.tuple([Piece.int(1), Piece.float(0)]), Piece.tuple([Piece.int(1), Piece.float(-0.0)]),
                Piece.tuple([Piece.int(1), Piece.float(0)]),
            ],
            expected: [
                Piece.tuple([Piece.int(1, flagged: true), Piece.float(0)], flagged: true),
                Piece.tuple([Piece.reference(1), Piece.float(-0.0)]), Piece.reference(0),
            ]),
        Row(
            what: "the short form of a tuple is no other tuple",
            constants: [[Piece.type("(")] + Piece.word(1) + Piece.int(1), Piece.tuple([Piece.int(1)])],
            expected: [[Piece.type("(", true)] + Piece.word(1) + Piece.int(1), Piece.reference(0)]),
        Row(
            what: "nothing is written again", constants: [Piece.tuple([]), Piece.text(""), Piece.text("")],
            expected: nil),
        Row(
            what: "slices",
            constants: [
                Piece.slice([Piece.int(1), Piece.none, Piece.none]),
                Piece.slice([Piece.none, Piece.int(1), Piece.none]),
                Piece.slice([Piece.int(1), Piece.none, Piece.none]),
            ],
            expected: [
                Piece.slice([Piece.int(1, flagged: true), Piece.none, Piece.none], flagged: true),
                Piece.slice([Piece.none, Piece.reference(1), Piece.none]), Piece.reference(0),
            ]),
    ]

    @Test(arguments: rows)
    func constants(_ row: Row) throws {
        let names = row.names.map { [Piece.type("Z")] + $0.dropFirst() }
        let expected = Piece.code(row.expected ?? row.constants, names: names)
        let canonical = try #require(try Self.canonical(Piece.code(row.constants, names: row.names)))
        #expect(canonical.body == expected)
        #expect(try Self.canonical(expected)?.body == expected)
    }

    /// Equal code objects are not merged, because they are two functions. Their contents are shared.
    @Test func codeStaysApart() throws {
        let inner = Piece.code([Piece.none], number: 1)
        let canonical = try #require(try Self.canonical(Piece.code([inner, inner])))
        let arena = try MarshalReaderTests.read(canonical.body).get()
        #expect(arena.codes.count == 3)
        #expect(canonical.body.count < Piece.code([inner, inner]).count)
        // A code object that is referenced twice stays one object.
        let flagged = Piece.code([Piece.code([Piece.none], number: 1, flagged: true), Piece.reference(0)])
        let shared = try #require(try Self.canonical(flagged))
        #expect(try MarshalReaderTests.read(shared.body).get().codes.count == 2)
    }

    /// Names are interned, even if they are not ASCII, and a constant with the same text becomes the same object.
    @Test func namesAreInterned() throws {
        let canonical = try #require(
            try Self.canonical(Piece.code([Piece.none, Piece.text("é", "u")], names: [Piece.text("é", "u")])))
        #expect(
            canonical.body
                == Piece.code([Piece.none, Piece.text("é", "t", flagged: true)], names: [Piece.reference(0)]))
    }

    @Test(
        arguments: [
            ("no code", Piece.tuple([])), ("a list", Piece.code([[Piece.type("[")] + Piece.word(1) + Piece.none])),
            ("a dictionary", Piece.code([[Piece.type("{"), Piece.type("0")]])),
            ("a set that can grow", Piece.code([[Piece.type("<")] + Piece.word(0)])),
            ("a tuple in itself", Piece.code([Piece.tuple([Piece.reference(0)], flagged: true)])),
        ])
    func refused(_ what: String, _ body: [UInt8]) throws {
        #expect(try Self.canonical(body) == nil, "\(what)")
        #expect(try Self.canonical(body, fileName: Array("a.py".utf8)) == nil, "\(what)")
    }

    @Test func whatFollowsIsNotCode() throws {
        let body = Piece.code([Piece.none])
        #expect(try Self.canonical(body + [1, 2, 3])?.body == body)
    }

    // MARK: File names

    private static let fileNames: [([UInt8], [UInt8])] = [
        (Array("/a/b.py".utf8), [0x7A, 7] + Array("/a/b.py".utf8)),
        ([UInt8](repeating: 0x61, count: 255), [0x7A, 255] + [UInt8](repeating: 0x61, count: 255)),
        ([UInt8](repeating: 0x61, count: 256), [0x61, 0, 1, 0, 0] + [UInt8](repeating: 0x61, count: 256)),
        (Array("é.py".utf8), [0x75, 5, 0, 0, 0] + Array("é.py".utf8)),
        (Array("😀".utf8), [0x75, 4, 0, 0, 0] + Array("😀".utf8)),
        // Bytes that are not UTF-8 (PEP 383): a single byte, half a sequence, a surrogate, a number above U+10FFFF, an
        // overlong slash.
        ([0xFF], [0x75, 3, 0, 0, 0, 0xED, 0xB3, 0xBF]),
        ([0x61, 0xC3], [0x75, 4, 0, 0, 0, 0x61, 0xED, 0xB3, 0x83]),
        ([0xED, 0xA0, 0x80], [0x75, 9, 0, 0, 0, 0xED, 0xB3, 0xAD, 0xED, 0xB2, 0xA0, 0xED, 0xB2, 0x80]),
        (
            [0xF4, 0x90, 0x80, 0x80],
            [0x75, 12, 0, 0, 0, 0xED, 0xB3, 0xB4, 0xED, 0xB2, 0x90, 0xED, 0xB2, 0x80, 0xED, 0xB2, 0x80]
        ), ([0xC0, 0xAF], [0x75, 6, 0, 0, 0, 0xED, 0xB3, 0x80, 0xED, 0xB2, 0xAF]),
        ([0xC3, 0xA9, 0x80, 0x2F], [0x75, 6, 0, 0, 0, 0xC3, 0xA9, 0xED, 0xB2, 0x80, 0x2F]),
    ]

    /// Replacing the file name afterwards gives the same bytes as encoding with it.
    @Test(arguments: fileNames)
    func anotherFileName(_ name: [UInt8], _ object: [UInt8]) throws {
        for inner in [[], [Piece.code([Piece.none], number: 1)]] {
            let body = Piece.code(inner)
            let flagged = [object[0] | (inner.isEmpty ? 0 : 0x80)] + object.dropFirst()
            let plain = try #require(try Self.canonical(body))
            let place = try #require(plain.fileName)
            #expect(Array(plain.body[place].dropFirst()) == Array(Piece.text("s.py").dropFirst()))
            let renamed = try #require(try Self.canonical(body, fileName: name))
            #expect(renamed.body[try #require(renamed.fileName)].elementsEqual(flagged))
            #expect(
                CanonicalMarshal.splice(plain.body, at: place, fileName: name, layout: .localsPlus) == renamed.body)
            #expect(try Self.canonical(renamed.body)?.body == renamed.body)
        }
    }

    /// This also holds for a name that looks like an identifier, which the compiler interns.
    @Test func aNameLikeAnIdentifier() throws {
        let compiled = try #require(try Self.canonical(Piece.code([], fileName: Piece.text("abc", "Z"))))
        #expect(try Self.canonical(Piece.code([]), fileName: Array("abc".utf8))?.body == compiled.body)
    }

    @Test func placesThatCannotBe() {
        let body = Piece.code([])
        for place in [0..<0, -1..<3, body.count - 1..<body.count + 1] {
            #expect(CanonicalMarshal.splice(body, at: place, fileName: [0x61], layout: .localsPlus) == nil)
        }
        #expect(CanonicalMarshal.splice(body, at: 1..<2, fileName: [0x61], layout: .python2) == nil)
    }

    /// A constant may be the same object as the file name, if an interpreter interns both. Replacing the file name must not
    /// change the constant.
    @Test func aConstantThatIsTheFileName() throws {
        let body = Piece.code([Piece.text("s.py", flagged: true)], fileName: Piece.reference(0))
        let canonical = try #require(try Self.canonical(body))
        #expect(canonical.fileName == nil)
        #expect(try Self.canonical(body, fileName: Array("t.py".utf8)) == nil)
        #expect(try Self.canonical(body, fileName: Array("s.py".utf8))?.body == canonical.body)
        // An equal text that is a separate object is not confused with it.
        let apart = try #require(try Self.canonical(Piece.code([Piece.text("s.py")]), fileName: Array("t.py".utf8)))
        #expect(apart.body == Piece.code([Piece.text("s.py")], fileName: Piece.text("t.py")))
    }

    /// Code that was combined from two files.
    @Test func severalFileNames() throws {
        let inner = Piece.code([Piece.none], fileName: Piece.text("t.py"), number: 1)
        #expect(try Self.canonical(Piece.code([inner]))?.fileName == nil)
        #expect(try Self.canonical(Piece.code([inner]), fileName: Array("u.py".utf8)) == nil)
    }

    @Test func python2() throws {
        let old = Piece.bytes(Array("s.py".utf8))
        let new = Piece.bytes(Array("longer.py".utf8))
        func body(_ name: [UInt8]) -> [UInt8] {
            Piece.python2([Piece.python2([old], fileName: name), Piece.none], fileName: name)
        }
        let plain = try #require(try Self.canonical(body(old) + [9], .python2))
        #expect(plain.body == body(old) && plain.fileName == nil)
        #expect(try Self.canonical(body(old), .python2, fileName: Array("longer.py".utf8))?.body == body(new))
        #expect(try Self.canonical(body(new), .python2, fileName: Array("s.py".utf8))?.body == body(old))
        // An interned name cannot be replaced without renumbering all references.
        let numbered = [Piece.type("t")] + old.dropFirst()
        #expect(try Self.canonical(body(numbered), .python2, fileName: Array("longer.py".utf8)) == nil)
        #expect(try Self.canonical(body(numbered), .python2, fileName: Array("s.py".utf8))?.body == body(numbered))
    }
}
