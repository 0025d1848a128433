// The place of a name in an import statement of one or more lines.

import Testing

@testable import Impact

@Suite struct StatementTextTests {
    @Test(arguments: [
        ("from a import b, c\n", 1, 1, "c", 1, 18),
        ("from a import (\n    b,\n    c as d,  # c\n    e,\n)\n", 1, 1, "e", 4, 5),
        ("from a import (\n    b,\n    c as d,\n)\n", 1, 1, "c", 3, 5), ("from b import \\\n  b\n", 1, 1, "b", 2, 3),
        ("x = 1; from a import b\n", 1, 8, "b", 1, 22), ("\n\nif x:\n    from é import ö, b\n", 4, 5, "b", 4, 24),
        ("\u{FEFF}from a import b\n", 1, 1, "b", 1, 15), ("from a import (  # b\n  bb, b)\n", 1, 1, "b", 2, 7),
    ])
    func importedNames(_ source: String, _ line: Int, _ column: Int, _ name: String, _ atLine: Int, _ atColumn: Int)
        throws
    {
        let text = try #require(StatementText(Array(source.utf8), line: line, column: column))
        let place = try #require(text.place(of: name, isImported: true))
        #expect(place == (atLine, atColumn))
    }

    @Test func modulesAreFoundInFrontOfImport() throws {
        let text = try #require(StatementText(Array("from a.b import b\n".utf8), line: 1, column: 1))
        #expect(try #require(text.place(of: "b", isImported: false)) == (1, 8))
        #expect(text.place(of: "c", isImported: false) == nil)
        #expect(
            StatementText([], line: 1, column: 1) == nil && StatementText(Array("a".utf8), line: 9, column: 1) == nil)
    }
}
