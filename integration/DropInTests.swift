// Compares `compileall` and `py-compile` with CPython's own modules: the same command lines, on two equal trees.
// integration/conformance has the longer version.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct DropInTests {
    private static let files = [
        "pkg/__init__.py": "", "pkg/a.py": "'''Text.'''\nassert True\n", "pkg/sub/b.py": "x = 1\n",
        "pkg/sub/deep/c.py": "y = 2\n", "bad/syntax.py": "def f(:\n", "bad/indent.py": "if 1:\nx = 1\n",
        "bad/late.py": "def f():\n    return x\n    global x\n", "bad/nul.py": "a = 1\u{0}\n", "bad/good.py": "x = 1\n",
        "warns.py": "x = 1\nx is 'a'\n", "list": "pkg/a.py\n\n  pkg/sub  \n", "other name/é.py": "x = 1\n",
        "returns": "pkg/a.py\r\npkg/sub/b.py\rbad/good.py\n", "late.py": "return 1\n", "always.py": "assert (1, 'x')\n",
        "script": "x = 1\n",
    ]

    /// Runs both with the same arguments, and compares status, output and files.
    ///
    /// - Parameter before: arguments of earlier runs, whose results are not compared.
    private func compare(
        _ words: [String], module: String = "compileall", before: [[String]] = [], environment: [String: String] = [:],
        change: String = "true", endsWithTraceback: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        guard let python = TestPython.series("3.13") else { try Test.cancel("needs Python 3.13") }
        var results: [(run: RunResult, files: String, tree: BytePath)] = []
        for isOurs in [false, true] {
            let tree = try Tree(Self.files, python: python)
            // Set the same time in both trees.
            try tree.shell("find . -type f -exec touch -d '2020-01-01' {} +")
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
            // File names, and the 16 bytes of each header.
            let listing = try Program.shell(
                "find . -name '*.pyc' | LC_ALL=C sort | while read -r f; do echo \"$f\" $(head -c 16 \"$f\" | od -An -tx1); done",
                in: tree.path)
            results.append((done, Self.shown(listing.output, tree.path), tree.path))
        }
        let name = "\(module) \(words.joined(separator: " "))"
        #expect(results[0].run.status == results[1].run.status, "\(name)\n\(results)", sourceLocation: sourceLocation)
        if endsWithTraceback {
            #expect(results[0].run.errors.hasPrefix("Traceback"), "\(name)", sourceLocation: sourceLocation)
            #expect(results[1].run.errors.split(separator: "\n").count == 1, "\(name)", sourceLocation: sourceLocation)
        } else {
            for part in [\RunResult.output, \RunResult.errors] {
                #expect(
                    Self.shown(results[0].run[keyPath: part], results[0].tree)
                        == Self.shown(results[1].run[keyPath: part], results[1].tree), "\(name)",
                    sourceLocation: sourceLocation)
            }
        }
        #expect(results[0].files == results[1].files, "\(name)", sourceLocation: sourceLocation)
    }

    /// Replaces text that differs between runs: the path of the tree, and the suffixes of temporary files.
    private static func shown(_ text: String, _ tree: BytePath) -> String {
        text.replacing(tree.description.dropFirst(), with: "TREE").replacing(/\.pyc\.\d+/, with: ".pyc.N")
    }

    @Test(
        arguments: [
            "pkg", "-q bad", "-qq bad", "bad", "-l pkg", "-r 1 pkg", "-b pkg", "-o 0 -o 2 pkg", "-o 3 pkg/a.py",
            "-d /opt pkg", "-s pkg -p /opt pkg", "-s nope pkg", "-x sub|late .", "-i list", "pkg/a.py pkg/a.py",
            "--invalidation-mode unchecked-hash pkg", "--hardlink-dupes -o0 -o1 pkg", "warns.py", "-j1 -q pkg bad",
            "--nope pkg", "-j x pkg", "-d x -s y pkg", "--hardlink-dupes pkg", "other\u{A0}name",
            // Each of these was once a bug.
            "pkg -q bad", "-r=1 pkg", "-lr0 pkg", "-lz pkg", "-q=1 pkg", "--hardlink-dupes=1 pkg", "--h pkg",
            "-r 99999999999999999999 pkg", "-o 99999999999999999999 pkg/a.py", "-j -1 pkg/a.py", "-o 0 -o 3 pkg",
            "-f pkg pkg/a.py", "bad/late.py bad/late.py", "./pkg/a.py pkg/a.py", "-b pkg pkg", "-b -o 0 -o 2 pkg",
            "-i returns", "late.py", "-d nowhere late.py", "-d . late.py", "-o 0 -o 1 always.py", "-d x always.py",
        ])
    func compileallMatchesCPython(words: String) throws {
        try compare(words.split(separator: " ").map { String($0.map { $0 == "\u{A0}" ? " " : $0 }) })
    }

    /// If Python's module fails with a traceback, freshpyc exits with the same status and has written the same files.
    @Test(arguments: [
        "-x (", "-x  pkg", "-j -1 pkg", "pkg/a.py pkg -j -1", "-s pkg/a.py pkg/a.py", "--hardlink-dupes -o1 -o1 pkg",
    ])
    func tracebacksBecomeOneLineErrors(words: String) throws {
        let words = words.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        try compare(words, endsWithTraceback: true)
    }

    @Test func linksAreHandledAsByCPython() throws {
        let link = "mv pkg/__pycache__/a.cpython-313.pyc there; ln -s ../../there pkg/__pycache__/a.cpython-313.pyc"
        try compare(["pkg"], before: [["-q", "pkg"]], change: link)
        try compare(["pkg"], before: [["-q", "pkg"]], change: link + "; touch -d 2021-01-01 pkg/a.py")
        try compare(["pkg/a.py"], module: "py_compile", before: [["pkg/a.py"]], change: link)
        try compare(["pkg", "too"], change: "ln -s pkg too")
        try compare(["pkg", "too"], environment: ["PYTHONPYCACHEPREFIX": "cache"], change: "ln -s pkg too")
        try compare(["pkg"], environment: ["PYTHONPYCACHEPREFIX": "cache"], change: "mkdir c; ln -s c cache")
    }

    @Test func nothingIsWrittenThroughALink() throws {
        let tree = try Tree(["pkg/a.py": "x = 1\n"])
        try tree.shell("mkdir elsewhere; ln -s ../elsewhere pkg/__pycache__")
        let result = try tree.run(["compileall", "pkg"], usesPython: false)
        #expect(
            result.status == 1 && result.output.contains("*** OSError: 'pkg/__pycache__' is a symbolic link"),
            "\(result)")
        #expect(try Program.shell("ls elsewhere", in: tree.path).output.isEmpty)
    }

    @Test func obstaclesAreReportedAsByCPython() throws {
        try compare(["pkg"], change: "touch pkg/__pycache__")
        try compare(["pkg/a.py"], module: "py_compile", change: "touch pkg/__pycache__")
        try compare(["pkg"], change: "mkdir -p pkg/__pycache__/a.cpython-313.pyc")
        try compare(["pkg"], environment: ["PYTHONPYCACHEPREFIX": "cache"], change: "touch cache")
    }

    @Test func existingBytecodeIsReusedAsByCPython() throws {
        try compare(["pkg"], before: [["-q", "pkg"]])
        try compare(["-f", "pkg"], before: [["-q", "pkg"]])
        try compare(["pkg"], before: [["-q", "pkg"]], change: "touch -d 2021-01-01 pkg/a.py")
        try compare(
            ["pkg"], before: [["-q", "pkg"]], change: "cd pkg/__pycache__ && ln -sf /dev/null a.cpython-313.pyc")
        try compare(["pkg"], before: [["-q", "--invalidation-mode", "checked-hash", "pkg"]])
    }

    @Test func environmentVariablesAreHonouredAsByCPython() throws {
        try compare(["pkg"], environment: ["SOURCE_DATE_EPOCH": "1234567890"])
        try compare(["pkg"], environment: ["PYTHONOPTIMIZE": "2"])
        try compare(["pkg"], environment: ["PYTHONOPTIMIZE": "0"])
        for filters in ["ignore", "error", "error::SyntaxWarning,ignore:assertion", "ignore::SyntaxWarning::1"] {
            try compare(["-o0", "-o1", "warns.py", "always.py"], environment: ["PYTHONWARNINGS": filters])
        }
        try compare(["pkg"], environment: ["PYTHONPYCACHEPREFIX": "cache"])
    }

    /// Without path arguments, compileall compiles sys.path. A cache prefix keeps the libraries' bytecode out of the way.
    @Test func withoutPathsTheInterpretersSearchPathIsCompiled() throws {
        for path in ["pkg", "pkg/sub::nowhere", "bad:pkg"] {
            try compare(
                ["-r", "1", "-d", "x", "-o", "2"], environment: ["PYTHONPATH": path, "PYTHONPYCACHEPREFIX": "cache"])
        }
        try compare(
            ["-q"], environment: ["PYTHONPATH": "pkg", "PYTHONSAFEPATH": "1", "PYTHONPYCACHEPREFIX": "cache"])
    }

    @Test func aMissingPathIsAnError() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let result = try tree.run(["compileall", "nowhere"], usesPython: false)
        #expect(result.status == 1 && result.output == "Listing 'nowhere'...\nCan't list 'nowhere'\n", "\(result)")
    }

    @Test(arguments: [
        "pkg/a.py", "pkg/a.py bad/syntax.py pkg/sub/b.py", "-q bad/indent.py", "nowhere.py", "", "list", "bad",
        "script",
        "pkg/a.py/x", "late.py", "pkg/a.py -q bad", "--quiet=1 pkg/a.py", "-qz", "always.py late.py",
    ])
    func pyCompileMatchesCPython(words: String) throws {
        try compare(words.split(separator: " ").map(String.init), module: "py_compile")
    }
}
