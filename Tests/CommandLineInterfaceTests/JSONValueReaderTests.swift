// JSON as RFC 8259 has it, and the place of each mistake.

import Testing

@testable import CommandLineInterface

@Suite struct JSONValueReaderTests {
    @Test(arguments: [
        (#"{}"#, JSONValue.table([:])), ("[ ]", .list([])), (" null ", .null), ("true", .truth(true)),
        ("-0", .number(0)),
        ("12.5e1", .number(125)), (#""a\u00e9\n\ud83d\ude00\/""#, .text("aé\n😀/")),
        (
            #"{"a": [1, {"b": false}], "": "x"}"#,
            .table(["a": .list([.number(1), .table(["b": .truth(false)])]), "": .text("x")])
        ),
    ])
    func values(_ text: String, _ expected: JSONValue) throws {
        #expect(try JSONValueReader.read(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        ("", 1, 1), ("{", 1, 2), ("{\"a\": 1,}", 1, 9), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("{\"a\" 1}", 1, 6),
        ("{\n \"a\": 1,\n \"a\": 2}", 3, 2), ("{'a': 1}", 1, 2), ("01", 1, 1), ("+1", 1, 1), (".5", 1, 1), ("1.", 1, 1),
        ("nan", 1, 1), ("truth", 1, 1), ("\"a", 1, 1), ("\"a\nb\"", 1, 3), (#""\x""#, 1, 2), (#""\ud800""#, 1, 2),
        (#""\u12""#, 1, 2), ("{} x", 1, 4), ("[1] // c", 1, 5), ("0x10", 1, 1),
    ])
    func mistakesHaveALineAndAColumn(_ text: String, _ line: Int, _ column: Int) {
        #expect {
            try JSONValueReader.read(Array(text.utf8))
        } throws: { error in
            guard let error = error as? JSONSyntaxError else { return false }
            return error.line == line && error.column == column && !error.message.isEmpty
        }
    }

    @Test func depthIsLimited() {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: JSONSyntaxError.self) { try JSONValueReader.read(deep) }
        #expect(throws: JSONSyntaxError.self) { try JSONValueReader.read(Array("\"".utf8) + [0xFF] + Array("\"".utf8)) }
    }
}
