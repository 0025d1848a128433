// Constants as `repr` prints them, and how long ones are cut.

import Testing

@testable import Bytecode

@Suite struct ConstantTextTests {
    private static func show(_ bytes: [UInt8], _ layout: CodeLayout = .localsPlus, limit: Int = 80) throws
        -> ConstantText
    {
        try bytes.withUnsafeBytes { body in
            let arena = try MarshalReader.read(body, layout: layout)
            return ConstantText(arena.root, of: arena, body: body, limit: limit)
        }
    }

    private static func double(_ value: Double) -> [UInt8] {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }

    @Test(
        arguments: [
            (0.0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-1.5, "-1.5"), (0.1, "0.1"), (100, "100.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"), (12_345_678_901_234_568, "1.2345678901234568e+16"),
            (9_007_199_254_740_992, "9007199254740992.0"),
            (0.0001, "0.0001"), (0.00012345, "0.00012345"), (1e-5, "1e-05"), (1.5e-7, "1.5e-07"),
            (Double.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"), (123456.789, "123456.789"), (1e22, "1e+22"),
            (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"), (1e100, "1e+100"), (0x1p-1070, "8e-323"),
        ] as [(Double, String)])
    func floats(_ value: Double, _ expected: String) throws {
        let shown = try Self.show([0x67] + Self.double(value))
        #expect(shown == ConstantText(type: "float", text: expected))
    }

    @Test(
        arguments: [
            (1, 2, "(1+2j)"), (0, 2.5, "2.5j"), (-0.0, 1, "(-0+1j)"), (1.5, -0.0, "(1.5-0j)"), (0, .infinity, "infj"),
            (.nan, 1e20, "(nan+1e+20j)"),
        ] as [(Double, Double, String)])
    func complexNumbers(_ real: Double, _ imaginary: Double, _ expected: String) throws {
        #expect(try Self.show([0x79] + Self.double(real) + Self.double(imaginary)).text == expected)
    }

    @Test(
        arguments: [
            ([0x69, 0xFF, 0xFF, 0xFF, 0xFF], "-1"), ([0x69, 0, 0, 0, 0x80], "-2147483648"),
            ([0x6C, 0, 0, 0, 0], "0"), ([0x6C, 1, 0, 0, 0, 5, 0], "5"),
            ([0x6C, 0xFD, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 4], "-1099511627776"),
            (
                [0x6C, 5, 0, 0, 0, 0xFF, 0x7F, 0xFF, 0x7F, 0xFF, 0x7F, 0xFF, 0x7F, 0xFF, 0x7F],
                "37778931862957161709567"
            ),
            ([0x6C, 40, 0, 0, 0] + [UInt8](repeating: 1, count: 80), "<integer of 594 bits>"),
            ([0x6C, 216, 255, 255, 255] + [UInt8](repeating: 1, count: 80), "<negative integer of 594 bits>"),
        ] as [([UInt8], String)])
    func integers(_ bytes: [UInt8], _ expected: String) throws {
        #expect(try Self.show(bytes) == ConstantText(type: "int", text: expected))
        if bytes[0] == 0x6C {
            let suffix = expected.hasPrefix("<") ? "" : "L"
            #expect(try Self.show(bytes, .python2) == ConstantText(type: "long", text: expected + suffix))
        }
    }

    private static func text(_ type: Character, _ content: [UInt8]) -> [UInt8] {
        [type.asciiValue ?? 0, UInt8(content.count), 0, 0, 0] + content
    }

    @Test(
        arguments: [
            ("u", Array("é\n\t\r\\".utf8), .localsPlus, #"'é\n\t\r\\'"#),
            ("u", Array("it's".utf8), .localsPlus, #""it's""#),
            ("u", Array("a\"b'".utf8), .localsPlus, #"'a"b\''"#), ("u", [0xED, 0xA0, 0x80], .localsPlus, #"'\ud800'"#),
            ("u", Array("\u{202E}\u{0}\u{7F}\u{85}\u{A0}".utf8), .localsPlus, #"'\u202e\x00\x7f\x85\xa0'"#),
            ("u", Array("😀\u{E000}\u{10FFFF}".utf8), .localsPlus, #"'😀\ue000\U0010ffff'"#),
            ("u", [0xC3, 0x28, 0xFF, 0xF8], .localsPlus, "'\u{FFFD}(\u{FFFD}\u{FFFD}'"),
            ("u", [0xC0, 0x80], .localsPlus, "'\u{FFFD}\u{FFFD}'"),
            ("s", [0, 0xFF, 0x27, 0x41], .localsPlus, #"b"\x00\xff'A""#), ("s", [0xE9], .python2, #"'\xe9'"#),
            ("u", Array("é😀".utf8), .python2, #"u'\xe9\U0001f600'"#), ("t", [0x41], .python2, "'A'"),
            ("t", Array("é".utf8), .localsPlus, "'é'"),
        ] as [(Character, [UInt8], CodeLayout, String)])
    func strings(_ type: Character, _ content: [UInt8], _ layout: CodeLayout, _ expected: String) throws {
        #expect(try Self.show(Self.text(type, content), layout).text == expected)
    }

    @Test(
        arguments: [
            ([0x29, 0], "()"), ([0x29, 1, 0x4E], "(None,)"), ([0x29, 2, 0x4E, 0x54], "(None, True)"),
            ([0x5B, 0, 0, 0, 0], "[]"), ([0x3E, 0, 0, 0, 0], "frozenset()"), ([0x3C, 1, 0, 0, 0, 0x2E], "{Ellipsis}"),
            ([0x7B, 0x4E, 0x54, 0x46, 0x53, 0x30], "{None: True, False: StopIteration}"), ([0x7B, 0x30], "{}"),
            ([0x3A, 0x4E, 0xE9, 1, 0, 0, 0, 0x72, 0, 0, 0, 0], "slice(None, 1, 1)"),
        ] as [([UInt8], String)])
    func containers(_ bytes: [UInt8], _ expected: String) throws {
        #expect(try Self.show(bytes).text == expected)
    }

    /// A list that contains itself, nesting as deep as the reader accepts, and large constants.
    @Test func whatHasNoEndIsCut() throws {
        let own = try Self.show([0xDB, 2, 0, 0, 0, 0x4E, 0x72, 0, 0, 0, 0], limit: 20)
        #expect(own.text == "[None, [None, [None, …]]]", "\(own.text)")
        let deep = try Self.show([UInt8](repeating: 0, count: 1990).flatMap { _ in [0x29, 1] as [UInt8] } + [0x4E])
        #expect(deep.text.count < 300 && deep.text.contains("…"))
        let wide = try Self.show([0x28, 0xA0, 0x86, 1, 0] + [UInt8](repeating: 0x4E, count: 100_000))
        #expect(wide.text.count < 120 && wide.text.hasSuffix(", …)"))
        let long = try Self.show([0x61, 0xA0, 0x86, 1, 0] + [UInt8](repeating: 0x41, count: 100_000))
        #expect(long.text == "'" + String(repeating: "A", count: 79) + "…'")
    }
}

extension ConstantText {
    fileprivate init(type: String, text: String) {
        self.init(type: type, text: text, code: nil)
    }
}
