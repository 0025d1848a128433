// A daemon answers only for its own options and paths. For others, a command works without it or says why it cannot.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct DaemonOptionsTests {
    private static let files = [
        "pkg/__init__.py": "", "pkg/a.py": "import helper\nfrom pkg import b\n", "pkg/b.py": "from pkg import a\n",
        "libs/helper.py": "x = 1\n", "tests/test_a.py": "import pkg.a\n", "tests/test_b.py": "def (\n",
        ".gitignore": "tests/\n", "freshpyc.json": "{}\n",
    ]

    /// Commands with an option that makes the answer differ from the daemon's.
    private static let questions: [[String]] = [
        ["graph", "--exclude", "tests/"], ["graph", "--gitignore"], ["graph", "--source-root", "libs"],
        ["affected", "pkg/b.py", "--exclude", "tests/"], ["affected", "libs/helper.py", "--source-root", "libs"],
        ["cycles", "--exclude", "pkg/b.py"], ["why", "pkg/a.py", "-O", "2"], ["why", "pkg/a.py", "-O", "0", "-O", "1"],
        ["why", "pkg/a.py", "--invalidation", "checked-hash"], ["why", "tests/test_a.py", "--exclude", "tests/"],
        ["why", "libs/helper.py", "--source-root", "libs"], ["check", "--exclude", "tests/"],
        ["check", "--gitignore"], ["build", "--exclude", "tests/"], ["build", "-O", "2"],
    ]

    @Test(arguments: questions) func theAnswerIsTheSameAsWithoutADaemon(words: [String]) throws {
        let tree = try Tree(Self.files)
        let python = ["--python", tree.python.path.description]
        try tree.run("build")
        let daemon = try Daemon(tree)
        #expect(try daemon.ask("wait").status == 1)
        let plain = try tree.run(words.filter { $0.hasPrefix("pkg/") || $0.hasPrefix("libs/") || $0 == words[0] })
        let asked = try tree.run(words)
        let alone = try tree.run(words + ["--no-daemon"])
        #expect(asked.output == alone.output && asked.status == alone.status, "\(asked)\n\(alone)")
        if words[0] != "build" {
            #expect(
                asked.output != plain.output || asked.status != plain.status, "the option makes no difference\n\(plain)"
            )
        }
        // The daemon and its database are unchanged.
        #expect(try daemon.ask("wait").status == 1)
        #expect(try daemon.ask("stop").status == 0)
        let after = try Freshpyc.start(["build"] + python, in: tree.path).finish()
        #expect(after.errors.contains("6 modules: 0 compiled, 5 up to date, 1 failed"), "\(after)")
    }

    @Test func commandsForAnotherInterpreterDoNotUseTheDaemon() throws {
        guard let other = TestPython.series("3.8") ?? TestPython.series("3.9") else {
            try Test.cancel("needs a second interpreter")
        }
        let tree = try Tree(["a.py": "import sys\nif sys.version_info >= (3, 10):\n    import new\n", "new.py": ""])
        let daemon = try Daemon(tree)
        for words in [["graph", "--format", "json"], ["why", "a.py"], ["affected", "new.py", "--why"]] {
            let python = ["--python", other.path.description]
            let asked = try Freshpyc.start(words + python, in: tree.path).finish()
            let alone = try Freshpyc.start(words + python + ["--no-daemon"], in: tree.path).finish()
            #expect(asked.output == alone.output && asked.status == alone.status, "\(words)\n\(asked)\n\(alone)")
        }
        #expect(try daemon.ask("wait").status == 0)
    }

    @Test func aWaitWithOtherOptionsIsRefusedInOneLine() throws {
        let tree = try Tree(["a.py": "x = 1\n", "freshpyc.json": "{}\n"])
        let daemon = try Daemon(tree, "--exclude", "tests/")
        #expect(try daemon.ask("wait").status == 0)
        #expect(try daemon.ask("wait", "--exclude", "tests/", "-O", "0", usesPython: true).status == 0)
        for words in [["--exclude", "docs/"], ["-O", "1"], ["--gitignore"], ["--invalidation", "checked-hash"]] {
            let refused = try tree.run(["wait"] + words, usesPython: false)
            let lines = refused.errors.split(separator: "\n")
            #expect(
                refused.status == 2 && lines.count == 1
                    && refused.errors.contains("has different options"),
                "\(words) \(refused)")
        }
    }

    @Test func aDaemonForSomePathsAnswersForThosePaths() throws {
        let tree = try Tree(["src/a.py": "x = 1\n", "tests/b.py": "def (\n", "freshpyc.json": "{}\n"])
        let daemon = try Daemon(tree, "src")
        for words in [["wait"], ["wait", "src"], ["wait", "src/a.py"], ["status"]] {
            let answer = try tree.run(words, usesPython: false)
            #expect(answer.status == 0, "\(words) \(answer)")
        }
        let outside = try daemon.ask("wait", "tests")
        #expect(outside.status == 2 && outside.errors.contains("for other paths than tests"), "\(outside)")
        #expect(try daemon.ask("graph", usesPython: true).output.contains("tests/b.py"))
        #expect(try daemon.ask("why", "tests/b.py", usesPython: true).output.hasPrefix("tests/b.py: not built yet\n"))
        #expect(try daemon.ask("check", "tests", usesPython: true).status == 1)
        #expect(try daemon.ask("stop").status == 0)
    }

    @Test func aRelativeInterpreterPathIsRelativeToTheClient() throws {
        let tree = try Tree(["a.py": "x = 1\n", "deep/b.py": "y = 1\n"])
        try tree.shell("mkdir bin; ln -s \(tree.python.path) bin/python3")
        let started = try tree.run(["watch", "-b", "--python", "bin/python3"], usesPython: false)
        #expect(started.status == 0, "\(started)")
        let deep = tree.path.appending("deep")
        let same = try Freshpyc.start(["build", "--python", "../bin/python3"], in: deep).finish()
        #expect(same.status == 0 && !same.errors.contains("working without it"), "\(same)")
        try tree.shell("mkdir deep/bin; ln -s \(tree.python.path) deep/bin/python3")
        let other = try Freshpyc.start(["build", "--python", "bin/python3"], in: deep).finish()
        #expect(other.status == 0 && other.errors.contains("working without it"), "\(other)")
        #expect(try tree.run(["stop"], usesPython: false).status == 0)
    }
}
