import BasicTypes
import Testing

@testable import BuildModel

/// Tests of single rules. The expected answers are those of `git check-ignore`.
@Suite struct GlobPatternTests {
    struct Rule: Sendable, CustomTestStringConvertible {
        let pattern: String
        let path: String
        let matches: Bool
        var testDescription: String { "\(pattern) \(matches ? "matches" : "leaves") \(path)" }

        static func hit(_ pattern: String, _ path: String) -> Rule { Rule(pattern: pattern, path: path, matches: true) }
        static func miss(_ pattern: String, _ path: String) -> Rule {
            Rule(pattern: pattern, path: path, matches: false)
        }
    }

    @Test(
        arguments: [
            .hit("a.py", "a.py"), .hit("a.py", "x/a.py"), .miss("a.py", "a.pyc"), .miss("a.py", "ba.py"),
            .hit("*.py", "x/y/z.py"), .miss("*.py", "x.pyc"), .hit("*_pb2.py", "api/v1_pb2.py"),
            .miss("*_pb2.py", "pb2.py"),
            .hit("/a.py", "a.py"), .miss("/a.py", "x/a.py"), .hit("x/a.py", "x/a.py"), .miss("x/a.py", "y/x/a.py"),
            .hit("**/a.py", "a.py"), .hit("**/a.py", "x/y/a.py"), .hit("x/**", "x/y/z.py"), .miss("x/**", "x"),
            .hit("x/**/z.py", "x/z.py"), .hit("x/**/z.py", "x/a/b/z.py"), .miss("x/**/z.py", "y/x/z.py"),
            .hit("x/*", "x/y"), .miss("x/*", "x/y/z"), .hit("a?c", "abc"), .miss("a?c", "a/c"), .miss("a?c", "ac"),
            .hit("[abc].py", "b.py"), .miss("[abc].py", "d.py"), .hit("[a-c].py", "b.py"), .hit("[!a-c].py", "d.py"),
            .miss("[!a-c].py", "a.py"), .hit("[^a].py", "b.py"), .hit("[]x].py", "].py"), .hit("[[:digit:]]*", "1x"),
            .miss("[[:digit:]]*", "x1"), .hit("[a\\]b]", "]"), .hit("\\*.py", "*.py"), .miss("\\*.py", "a.py"),
            .hit("\\#x", "#x"),
            .hit("\\!x", "!x"), .hit("a\\ ", "a "), .hit("foo ", "foo"), .hit("a**b", "axxb"),
            .miss("a**b/c", "ax/yb/c"),
            .hit("*a*b*c", "xxaxxbxxc"), .miss("*a*b*c", "xxaxxbxx"), .hit("doc/*.txt", "doc/a.txt"),
            .miss("doc/*.txt", "doc/x/a.txt"),
            .hit("gen", "gen"), .hit("gen", "x/gen"), .hit("a.py\r", "a.py"),
        ] as [Rule])
    func matches(_ rule: Rule) throws {
        let pattern = try #require(GlobPattern(line: rule.pattern.utf8))
        #expect(pattern.matches(Array(rule.path.utf8)[...], isDirectory: false) == rule.matches)
    }

    @Test func directoriesAndNegation() throws {
        let pattern = try #require(GlobPattern(line: "!build/".utf8))
        #expect(pattern.isNegated && pattern.isDirectoryOnly)
        #expect(pattern.matches(Array("x/build".utf8)[...], isDirectory: true))
        #expect(!pattern.matches(Array("x/build".utf8)[...], isDirectory: false))
        for line in ["", "#comment", "/", "a\\", "[a"] { #expect(GlobPattern(line: line.utf8) == nil, "\(line)") }
    }

    @Test func deeperRulesWinAndTheLastOfAFileDecides() {
        let top = IgnoreRules(contents: Array("*.py\n!keep.py\n/only.py\n".utf8), directory: BytePath("/r"))
        let deep = IgnoreRules(contents: Array("!a.py\nkeep.py\n".utf8), directory: BytePath("/r/d"))
        let stack = IgnoreStack().adding(top).adding(deep)
        for (path, isIgnored) in [
            ("a.py", true), ("keep.py", false), ("d/a.py", false), ("d/keep.py", true), ("d/b.py", true), ("x", false),
        ] {
            #expect(stack.ignores(BytePath("/r").appending(path), isDirectory: false) == isIgnored, "\(path)")
        }
    }

    @Test func starsDoNotTakeForever() throws {
        let pattern = try #require(GlobPattern(line: "*a*a*a*a*a*a*a*a*a*a*a*a*b".utf8))
        #expect(!pattern.matches([UInt8](repeating: 0x61, count: 5000)[...], isDirectory: false))
    }
}
