// Imports in the small trees of `imports/cases.json`, which records Python's behavior, and a comparison with Python's own
// parser.

import BasicTypes
import BuildModel
import FoundationEssentials
import LinuxSystem
import Testing

/// A small tree, the imports in it, and the findings about them.
struct ImportCase: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let files: [String: String]
    /// `graph` or `check`; `nil` for both.
    let verb: String?
    /// Options for both verbs.
    let options: [String]?
    /// Options for `check` only.
    let checkOptions: [String]?
    /// By source: `LINE KIND TARGET`, then `through` for a package that the import only passes through, and `never` if a
    /// test of version or platform fails. Lists all edges of each source named; `nil` to skip `graph`.
    let edges: [String: [String]]?
    /// All findings about imports, as `PATH:LINE: SEVERITY [RULE]`. Those about a whole file have no line.
    let findings: [String]?

    var testDescription: String { name }

    static let folder = BytePath(#filePath).parent.appending("imports")

    /// Empty if the table cannot be read; `theTableCanBeRead` then fails.
    static let all: [ImportCase] = {
        let bytes = Host.contents(folder.appending("cases.json"), limit: 1 << 24) ?? []
        return (try? JSONDecoder().decode([ImportCase].self, from: Data(bytes))) ?? []
    }()
}

/// The parts of `graph --format json` that the table covers.
private struct GraphOutput: Decodable {
    struct Import: Decodable {
        let line: Int
        let kind: String
        let to: [String]?
        let through: [String]?
        let never: Bool?
    }

    struct Module: Decodable {
        let path: String
        let imports: [Import]

        var edges: Set<String> {
            var edges: Set<String> = []
            for one in imports {
                let end = one.never == true ? " never" : ""
                for path in one.to ?? [] { edges.insert("\(one.line) \(one.kind) \(path)\(end)") }
                for path in one.through ?? [] { edges.insert("\(one.line) \(one.kind) \(path) through\(end)") }
            }
            return edges
        }
    }

    let modules: [Module]
}

/// The parts of `check --format json` that the table covers.
private struct CheckOutput: Decodable {
    struct Diagnostic: Decodable {
        let path: String
        let rule: String
        let severity: String
        let line: Int?

        var text: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(severity) [\(rule)]" }
    }

    let diagnostics: [Diagnostic]
}

@Suite struct ImportCaseTests {
    private static let rules: Set<String> = [
        "unresolved-import", "missing-name", "import-cycle", "shadows-stdlib", "duplicate-module", "case-collision",
        "unknown-rule",
    ]

    @Test func theTableCanBeRead() {
        #expect(ImportCase.all.count >= 160)
        #expect(Set(ImportCase.all.map(\.name)).count == ImportCase.all.count)
    }

    @Test(arguments: ImportCase.all) func imports(_ row: ImportCase) throws {
        let tree = try Tree(row.files, isAged: false)
        let options = ["--no-daemon", "--format", "json"] + (row.options ?? [])
        if let expected = row.edges {
            let result = try tree.run(["graph"] + options)
            let graph = try JSONDecoder().decode(GraphOutput.self, from: Data(result.output.utf8))
            for (path, edges) in expected {
                let found = try #require(graph.modules.first { $0.path == path }, "\(path) is not in the graph").edges
                #expect(found.sorted() == edges.sorted(), "\(path)")
            }
        }
        guard row.verb != "graph" else { return }
        // One worker is enough, and starts faster than two.
        let result = try tree.run(["check", "--jobs", "1"] + options + (row.checkOptions ?? []))
        let report = try JSONDecoder().decode(CheckOutput.self, from: Data(result.output.utf8))
        let found = report.diagnostics.filter { Self.rules.contains($0.rule) }.map(\.text)
        #expect(found.sorted() == (row.findings ?? []).sorted())
    }

    // MARK: Python's own parser

    /// Files that every version can parse, but that are hard to scan.
    private static let nasty: [String: String] = [
        "joined.py": "import \\\n  a . b \\\n  as c ,\\\n d\nfrom \\\n . \\\n.. x import ( y # z\n , w as\n v , )\n",
        "lines.py":
            "x = 1 ; import a ; import b ;\nif x : import c ; from d import *\nelse : import e\n\u{0C}import f\n",
        "strings.py": """
        r'\\'' ; b"import a"; rb'''
        import b
        \\''' import c'''; f"{'import d'!r:>{10}}{{"; import e
        f'''{
        (lambda: {1: [2]})()[1]
        }import f'''; Rf"\\{1}" ; import g
        u'\\
        import h'
        import i; 'import j\\\\'; import k

        """,
        "crlf.py": "import a\r\nfrom b import (\r\n  c,\r\n)\r\nif 1:\r\n\timport \\\r\n d\r\n'''\r\nimport e'''\r\n",
        "cr.py": "import a\rif 1:\r  import b\r",
        "mark.py": "\u{FEFF}import a; import b\nimport c\n",
        "wide.py": "x = 'äöü€𝄞'; import ä_ö as größe\nfrom 世界 import 你好 as 再见\n",
        "words.py": """
        lazy = type = match = case = 1
        lazy; import a
        match [1]; import b
        type (1); import c
        case: int = {1: lambda: 2}[1:2] if 0 else 3; import d
        def f(): yield (yield); import e
        class import_(object): import f
        importlib = from_ = 1; import g.from_ as import_
        while lambda: 0: import h; break
        with open(__file__) as i, (open(__file__)) as (j): import k
        try: import l
        except (ImportError, *()) as m: import n
        else: import o
        finally: import p

        """,
        "deep.py": (0..<60).map { String(repeating: " ", count: $0) + "if x:\n" }.joined()
            + String(repeating: " ", count: 60) + "import a\nimport b\n",
        "end.py": "import a\nimport b;import c#d",
    ]

    private func compare(_ python: TestPython, _ folder: BytePath) throws -> RunResult {
        try Program.run(
            python.path.description, ImportCase.folder.appending("compare.py").description,
            Freshpyc.path.description, python.path.description, folder.description)
    }

    @Test func statementsMatchPythonsParser() throws {
        let tree = try Tree(Self.nasty)
        let result = try compare(tree.python, tree.path)
        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains(": \(Self.nasty.count) files, "), "\(result)")
        #expect(result.output.contains("0 differences (0 files do not parse)"), "\(result)")
    }

    @Test func statementsInPythonsOwnTestsMatchItsParser() throws {
        let python = try #require(TestPython.standard, "no python3 to test with")
        let script = "import sysconfig; print(sysconfig.get_path('stdlib'))"
        let place = try Program.run(python.path.description, "-c", script).lines.last ?? ""
        let folder = BytePath(place).appending("test")
        guard Host.contents(folder.appending("test_grammar.py"), limit: 1 << 24) != nil else {
            try Test.cancel("this Python is installed without its tests")
        }
        let result = try compare(python, folder)
        #expect(result.status == 0, "\(result)")
    }
}
