// `compileall` and `py-compile` beside CPython's own modules: the same command lines, on two equal trees.
// integration/conformance has the long form.

import BuildModel
import LinuxSystem
import Testing

@Suite struct DropInTests {
    private static let files = [
        "pkg/__init__.py": "", "pkg/a.py": "'''Text.'''\nassert True\n", "pkg/sub/b.py": "x = 1\n",
        "pkg/sub/deep/c.py": "y = 2\n", "bad/syntax.py": "def f(:\n", "bad/indent.py": "if 1:\nx = 1\n",
        "bad/late.py": "def f():\n    return x\n    global x\n", "bad/nul.py": "a = 1\u{0}\n", "bad/good.py": "x = 1\n",
        "warns.py": "x = 1\nx is 'a'\n", "list": "pkg/a.py\n\n  pkg/sub  \n", "other name/é.py": "x = 1\n",
    ]

    /// Runs the same words with both, and compares status, output and files.
    ///
    /// - Parameter before: words of runs whose results are not compared.
    private func compare(
        _ words: [String], module: String = "compileall", before: [[String]] = [], environment: [String: String] = [:],
        change: String = "true", sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        guard let python = TestPython.series("3.13") else { try Test.cancel("needs Python 3.13") }
        var results: [(run: RunResult, files: String)] = []
        for isOurs in [false, true] {
            let tree = try Tree(Self.files, python: python)
            // The same time in both trees.
            try tree.shell("find . -name '*.py' -exec touch -d '2020-01-01' {} +")
            func run(_ words: [String]) throws -> RunResult {
                var variables = ["PYTHONDONTWRITEBYTECODE": "1", "FRESHPYC_PYTHON": python.path.description]
                variables.merge(environment) { $1 }
                let verb = module == "compileall" ? "compileall" : "py-compile"
                let all =
                    isOurs ? [Freshpyc.path, BytePath(verb)] : [python.path, BytePath("-m"), BytePath(module)]
                return try RunningProgram(
                    all + words.map { BytePath($0) }, in: tree.path, environment: variables
                ).finish()
            }
            for words in before { _ = try run(words) }
            try tree.shell(change)
            let done = try run(words)
            // Names, and the 16 bytes of each header.
            let listing = try Program.shell(
                "find . -name '*.pyc' | LC_ALL=C sort | while read -r f; do echo \"$f\" $(head -c 16 \"$f\" | od -An -tx1); done",
                in: tree.path)
            results.append((done, listing.output.replacing(tree.path.description, with: "")))
        }
        let name = "\(module) \(words.joined(separator: " "))"
        #expect(results[0].run.status == results[1].run.status, "\(name)\n\(results)", sourceLocation: sourceLocation)
        #expect(results[0].run.output == results[1].run.output, "\(name)\n\(results)", sourceLocation: sourceLocation)
        #expect(results[0].run.errors == results[1].run.errors, "\(name)\n\(results)", sourceLocation: sourceLocation)
        #expect(results[0].files == results[1].files, "\(name)", sourceLocation: sourceLocation)
    }

    @Test(
        arguments: [
            "pkg", "-q bad", "-qq bad", "bad", "-l pkg", "-r 1 pkg", "-b pkg", "-o 0 -o 2 pkg", "-o 3 pkg/a.py",
            "-d /opt pkg", "-s pkg -p /opt pkg", "-s nope pkg", "-x sub|late .", "-i list", "pkg/a.py pkg/a.py",
            "--invalidation-mode unchecked-hash pkg", "--hardlink-dupes -o0 -o1 pkg", "warns.py", "-j1 -q pkg bad",
            "--nope pkg", "-j x pkg", "-d x -s y pkg", "--hardlink-dupes pkg", "other\u{A0}name",
        ])
    func compileallDoesAndSaysTheSame(words: String) throws {
        try compare(words.split(separator: " ").map { String($0.map { $0 == "\u{A0}" ? " " : $0 }) })
    }

    @Test func whatIsThereCounts() throws {
        try compare(["pkg"], before: [["-q", "pkg"]])
        try compare(["-f", "pkg"], before: [["-q", "pkg"]])
        try compare(["pkg"], before: [["-q", "pkg"]], change: "touch -d 2021-01-01 pkg/a.py")
        try compare(
            ["pkg"], before: [["-q", "pkg"]], change: "cd pkg/__pycache__ && ln -sf /dev/null a.cpython-313.pyc")
        try compare(["pkg"], before: [["-q", "--invalidation-mode", "checked-hash", "pkg"]])
    }

    @Test func variablesCount() throws {
        try compare(["pkg"], environment: ["SOURCE_DATE_EPOCH": "1234567890"])
        try compare(["pkg"], environment: ["PYTHONOPTIMIZE": "2"])
        try compare(["warns.py"], environment: ["PYTHONWARNINGS": "ignore"])
        try compare(["pkg"], environment: ["PYTHONPYCACHEPREFIX": "cache"])
    }

    @Test func whatIsNotThereIsAnError() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let result = try tree.run(["compileall", "nowhere"], usesPython: false)
        #expect(result.status == 1 && result.output == "Listing 'nowhere'...\nCan't list 'nowhere'\n", "\(result)")
    }

    @Test(arguments: [
        "pkg/a.py", "pkg/a.py bad/syntax.py pkg/sub/b.py", "-q bad/indent.py", "nowhere.py", "", "list", "bad",
    ])
    func pyCompileDoesAndSaysTheSame(words: String) throws {
        try compare(words.split(separator: " ").map(String.init), module: "py_compile")
    }
}
