// Bad input and help: one line that says what to do, and the right exit status.

import LinuxSystem
import Testing

@Suite struct CommandLineTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let words: [String]
        let message: String
        var testDescription: String { words.joined(separator: " ") }
    }

    @Test(arguments: [
        Case(words: ["biuld"], message: "unknown verb 'biuld'; did you mean 'build'?"),
        Case(words: ["frobnicate"], message: "unknown verb 'frobnicate'; see `freshpyc --help`"),
        Case(words: ["build", "--forse"], message: "unknown option '--forse' for build; did you mean '--force'?"),
        Case(
            words: ["check", "--zzzzzz"], message: "unknown option '--zzzzzz' for check; see `freshpyc check --help`"),
        Case(words: ["build", "--force=1"], message: "option '--force' takes no value"),
        Case(words: ["build", "--python"], message: "option '--python' needs a value: --python SPEC"),
        Case(words: ["build", "-O", "3"], message: "'3' is not one of 0, 1, 2 (-O)"),
        Case(words: ["build", "--jobs", "0"], message: "'0' is not a number from 1 to 1024 (--jobs)"),
        Case(
            words: ["build", "--invalidation", "checked-hsah"],
            message:
                "'checked-hsah' is not one of timestamp, checked-hash, unchecked-hash (--invalidation); did you mean 'checked-hash'?"
        ),
        Case(words: ["build", "--format", "github"], message: "'github' is not one of text, json (--format)"),
        Case(words: ["graph", "--depth", "1"], message: "--depth needs --from PATH, where it begins"),
        Case(
            words: ["watch", "--log-level", "warn"],
            message: "'warn' is not one of error, warning, info, debug (--log-level)"),
        Case(words: ["help", "biuld"], message: "unknown verb 'biuld'; did you mean 'build'?"),
        Case(words: ["build", "missing"], message: "no such file, directory or module: 'missing'; check the path"),
        Case(
            words: ["check", "notes.txt"], message: "'notes.txt' is not a Python source; name a directory or a .py file"
        ),
        Case(words: ["watch", "missing"], message: "no such file, directory or module: 'missing'; check the path"),
        Case(
            words: ["build", "--python", "9.99"],
            message:
                "no Python '9.99' found (looked on PATH and in the directories of pyenv and uv); run `freshpyc interpreters`, or give a path with --python"
        ),
        Case(
            words: ["build", "--python", "./notes.txt"],
            message:
                "no Python './notes.txt' found (no executable file there); run `freshpyc interpreters`, or give a path with --python"
        ),
        Case(
            words: ["build", "--python", "/bin/true"],
            message:
                "/bin/true is not a usable Python interpreter: it cannot run the compiler; name another with --python"),
    ])
    func badInputIsOneLine(_ one: Case) throws {
        let tree = try Tree(["notes.txt": "", "a.py": ""])
        let result = try tree.run(one.words, usesPython: false)
        #expect(result.status == 2, "\(result)")
        #expect(result.errors == "freshpyc: \(one.message)\n")
        #expect(result.output == "")
        #expect(!tree.exists("__pycache__"))
    }

    @Test func nothingInScopeIsNeverGreen() throws {
        let tree = try Tree(["notes.txt": ""])
        for verb in ["build", "check"] {
            let result = try tree.run(verb)
            #expect(result.status == 2)
            #expect(result.errors.contains("nothing in scope: no .py file in ."), "\(result)")
        }
    }

    @Test func noInterpreterAtAll() throws {
        let tree = try Tree(["a.py": ""])
        let result = try tree.run(["build"], environment: ["PATH": "/nowhere"], usesPython: false)
        #expect(result.status == 2)
        #expect(
            result.errors.hasPrefix("freshpyc: no Python interpreter found (looked for $VIRTUAL_ENV, .venv and python3")
        )
    }

    @Test(arguments: [
        "watch", "build", "check", "wait", "status", "why", "stop", "graph", "affected", "cycles", "precompile",
        "verify", "clean", "inspect", "compileall", "py-compile", "interpreters",
    ])
    func everyVerbHasHelpWithExamples(_ verb: String) throws {
        let tree = try Tree()
        let result = try tree.run([verb, "--help"], usesPython: false)
        #expect(result.status == 0)
        #expect(result.output.contains("\nUsage: freshpyc \(verb) "))
        #expect(result.output.contains("\nExit status:\n  0  "))
        let examples = result.output.components(after: "\nExamples:\n")
        #expect(examples.contains("freshpyc \(verb)"))
        #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(result.output)")
        #expect(try tree.run(["help", verb], usesPython: false).output == result.output)
        #expect(try tree.run([verb, "-h"], usesPython: false).output == result.output)
    }

    @Test func overviewAndVersion() throws {
        let tree = try Tree()
        let overview = try tree.run(["--help"], usesPython: false)
        #expect(overview.status == 0 && overview.output.contains("Verbs:"))
        #expect(try tree.run([], usesPython: false).status == 2)
        #expect(try tree.run(["--version"], usesPython: false).output.hasPrefix("freshpyc 0."))
    }

    @Test func theRootIsFoundUpwards() throws {
        let tree = try Tree(["pyproject.toml": "[tool.freshpyc]\n", "a.py": "", "src/b.py": ""])
        let result = try tree.run("build", "src")
        #expect(result.summary.hasPrefix("1 module: 1 compiled"))
        #expect(tree.exists(".freshpyc/state.json") && !tree.exists("src/.freshpyc"))
    }

    @Test func interpretersAreListed() throws {
        let tree = try Tree()
        let path = tree.python.path.parent.description
        let listed = try tree.run(["interpreters"], environment: ["PATH": path], usesPython: false)
        #expect(listed.status == 0)
        #expect(listed.output.contains("cpython \(tree.python.version)"), "\(listed)")
        let json = try tree.run(["interpreters", "--format=json"], environment: ["PATH": path], usesPython: false)
        #expect(json.output.contains("\"cacheTag\":\"\(tree.python.cacheTag)\""), "\(json)")
    }

    @Test func emptyPathsAndSourcesInTheirPlaceAreRefused() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        for words in [
            ["build", "--state-dir", ""], ["build", "--store="], ["precompile", "--manifest", "a.py"],
            ["precompile", "--manifest", "__pycache__/a.cpython-312.pyc"],
        ] {
            let result = try tree.run(words)
            #expect(result.status == 2 && result.errors.split(separator: "\n").count == 1, "\(words) \(result)")
        }
        #expect(try tree.bytes("a.py") == Array("x = 1\n".utf8))
        #expect(try Program.shell("ls -A", in: tree.path).output == "a.py\n")
    }

    /// With too few descriptors, work would fail half way, and a daemon could not even be stopped.
    @Test(arguments: [5, 14, 20]) func tooFewDescriptorsAreRefusedAtTheStart(limit: Int) throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        for words in ["build", "watch -b"] {
            let result = try Program.run(
                "/bin/sh", "-c", "ulimit -n \(limit); exec \(Freshpyc.path) \(words)", in: tree.path)
            #expect(
                result.status == 2
                    && result.errors.hasSuffix("files may be open, and 64 are needed; raise the limit (ulimit -n)\n"),
                "\(result)")
        }
    }
}
