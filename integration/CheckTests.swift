// `check` reports findings and writes nothing.

import LinuxSystem
import Testing

@Suite struct CheckTests {
    @Test func writesNothingAndFindsEverything() throws {
        let tree = try Tree([
            "ok.py": "x = 1\n", "syntax.py": "if x\n", "nul.py": "a = 1\u{0}\n",
            "mixed.py": "if 1:\n\tx = 1\n        y = 2\n",
            "cookie.py": "# coding: no-such-codec\n", "is.py": "x = 1\nx is 'a'\n",
        ])
        try tree.write("latin.py", bytes: Array("x = '".utf8) + [0xE9] + Array("'\n".utf8))
        try tree.age()
        let before = try tree.everything()
        let result = try tree.run("check")
        #expect(try tree.everything() == before)
        #expect(!tree.exists(".freshpyc") && !tree.exists("__pycache__"))
        #expect(result.status == 1)
        let rules = result.lines.map { line in
            "\(line.prefix { $0 != ":" }) \(line.split(separator: "[").last.map { $0.dropLast() } ?? "")"
        }
        #expect(
            rules == [
                "cookie.py undecodable", "is.py syntax-warning", "latin.py undecodable", "mixed.py syntax-error",
                "nul.py null-bytes", "syntax.py syntax-error",
            ], "\(result)")
        #expect(result.summary.contains(": 5 errors, 1 warning, 0 notes"))
    }

    @Test func warningsHaveColumnsAndCountWhenStrict() throws {
        let tree = try Tree(["w.py": "x = 1\nif True: x is 'a'; x is 'b'\n"])
        let plain = try tree.run("check")
        #expect(plain.status == 0)
        #expect(plain.lines.count == 2 && plain.lines[0].hasPrefix("w.py:2:10: warning: \"is\" with"), "\(plain)")
        #expect(plain.lines[1].hasPrefix("w.py:2:20: warning: "), "\(plain)")
        #expect(try tree.run("check", "--strict").status == 1)
        let github = try tree.run("check", "--format", "github", "--strict")
        #expect(github.output.hasPrefix("::warning file=w.py,line=2,"), "\(github)")
        #expect(github.output.contains("title=freshpyc%3A syntax-warning::"))
    }

    @Test func warningsAreShownAgainUntilTheyAreFixed() throws {
        let tree = try Tree(["w.py": "x = 1\nx is 'a'\n"])
        try tree.run("build")
        for _ in 0..<2 {
            let result = try tree.run("check", "--strict")
            #expect(result.status == 1 && result.lines.count == 1, "\(result)")
        }
        try tree.write("w.py", "x = 1\nx == 'a'\n")
        #expect(try tree.run("check", "--strict").lines.isEmpty)
    }

    @Test func verdictsAreKeptInTheNamedStateDirectory() throws {
        let tree = try Tree(["a.py": "x = 1\n", "b.py": "def\n"])
        let cache = try Tree()
        let words = ["check", "--format", "json", "--state-dir", cache.path.appending("c").description]
        let first = try tree.run(words)
        #expect(first.status == 1 && first.output.contains("\"compiled\":1"), "\(first)")
        let second = try tree.run(words)
        #expect(second.status == 1 && second.output.contains("\"compiled\":0"), "\(second)")
        #expect(second.output.contains("\"rule\":\"syntax-error\""))
        #expect(!tree.exists(".freshpyc"))
    }

    @Test func findingsOfSomeInterpretersNameThem() throws {
        guard let old = TestPython.series("3.8"), let new = TestPython.series("3.12") else {
            try Test.cancel("needs Python 3.8 and 3.12")
        }
        let tree = try Tree(["m.py": "match 1:\n    case 1: pass\n", "bad.py": "def\n"], python: new)
        let result = try tree.run("check", "--python", old.path.description)
        #expect(
            result.lines.contains { $0.hasPrefix("m.py:1:7: error: ") && $0.hasSuffix("(cpython \(old.version))") },
            "\(result)")
        #expect(result.lines.count { $0.hasPrefix("bad.py") } == 1, "\(result)")
    }

    /// The names that a module binds are read from its code. A CI pipeline may keep `.freshpyc` but not `__pycache__`.
    @Test(arguments: ["rm -r __pycache__", "rm __pycache__/money*"])
    func removedBytecodeLosesNoFindings(removal: String) throws {
        let tree = try Tree(["money.py": "Price = 1\n", "web.py": "from money import Prise\n"])
        #expect(try tree.run("build").status == 0)
        let first = try tree.run("check")
        #expect(first.status == 1 && first.output.contains("[missing-name]"), "\(first)")
        try tree.shell(removal)
        let second = try tree.run("check")
        #expect(second.output == first.output && second.status == 1, "\(second)")
        #expect(!tree.exists(tree.pyc("money.py")))
    }
}
