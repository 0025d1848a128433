// Version specifiers of PEP 440, as far as they can select an interpreter.

import Testing

@testable import Interpreters

@Suite struct VersionSpecifierTests {
    @Test(arguments: [
        (">=3.9", "3.9.0", true), (">=3.9", "3.8.18", false), (">=3.9", "3.14.0rc1", true),
        (">=3.9,<3.13", "3.12.1", true),
        (">=3.9,<3.13", "3.13.0", false), ("==3.9.*", "3.9.18", true), ("==3.9.*", "3.10.1", false),
        ("!=3.9.*", "3.9.1", false), ("!=3.9.1", "3.9.2", true), ("==3.9", "3.9.0", true), ("==3.9", "3.9.1", false),
        ("~=3.9", "3.12.0", true), ("~=3.9", "4.0.0", false), ("~=3.9.2", "3.9.1", false), ("~=3.9.2", "3.9.9", true),
        ("~=3.9.2", "3.10.0", false), (">3", "3.0.1", true), (">3", "3.0.0", false), ("<=3.12", "3.12.0", true),
        ("<=3.12", "3.12.1", false), ("===3.12.1", "3.12.1", true), (" >= 3.9 , < 4 ", "3.9.0", true),
        ("<4", "pypy", false),
    ])
    func contains(_ text: String, _ version: String, _ expected: Bool) throws {
        let trimmed = text.drop { $0 == " " }
        #expect(try #require(VersionSpecifier(String(trimmed))).contains(version) == expected)
    }

    @Test(arguments: [
        "", "3.9", "python3", "/usr/bin/python3", ">=", ">=3.9,", "=3.9", ">=3.x", ">=3.9.*", "~=3", "all",
    ])
    func otherTextsAreNone(_ text: String) { #expect(VersionSpecifier(text) == nil) }

    @Test(arguments: [
        ("3.9", ["3.9"]), ("3.9,3.12", ["3.9", "3.12"]), (">=3.9,<3.13", [">=3.9,<3.13"]),
        ("3.8,>=3.10,<3.13", ["3.8", ">=3.10,<3.13"]), (">=3.10,<3.13,pypy3", [">=3.10,<3.13", "pypy3"]),
    ])
    func listsMayContainSpecifiers(_ list: String, _ items: [String]) {
        #expect(VersionSpecifier.separate(list) == items)
    }
}
