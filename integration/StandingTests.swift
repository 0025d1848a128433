// What a watch says about how things stand: counts, what was fixed, and what became of the command.

import LinuxSystem
import Testing

@Suite struct StandingTests {
    /// Both with an empty store and with one that has the code already.
    @Test(arguments: [false, true])
    func everyWaveEndsWithTheCount(_ isWarm: Bool) throws {
        let tree = try Tree(["a.py": "x = 1\n", "p/b.py": "y = 1\n", "c.py": "from a import x\n"])
        let store = ["--store", tree.path.appending("../store-\(tree.path.lastComponent.count)-\(isWarm)").description]
        if isWarm {
            for text in ["def (\n", "x = 1\n", "z = 1\n"] {
                try tree.write("a.py", text)
                try tree.run(["build"] + store)
            }
            try tree.write("a.py", "x = 1\n")
        }
        let watch = try Watch(tree, store[0], store[1])
        func says(_ text: String) { tree.eventually(text) { watch.program.errors.contains(text) } }
        try tree.write("p/b.py", "def (\n")
        says("p/b.py failed in ")
        says("; 1 error in 1 file\n")
        try tree.write("a.py", "z = 1\n")
        says("; 2 errors in 2 files\n")
        try tree.write("p/b.py", "y = 1\n")
        says("] fixed: p/b.py\n")
        try tree.write("a.py", "x = 1\n")
        says("] fixed: c.py\n")
        says("; all clear\n")
        let waves = watch.waves
        #expect(
            waves.count >= 4
                && waves.allSatisfy {
                    $0.hasPrefix("[") && $0.dropFirst(3).first == ":" && $0.dropFirst(9).first == "]"
                },
            "\(waves)")
        #expect(watch.stop().status == 0)
    }

    @Test func readyCountsImportErrors() throws {
        let tree = try Tree(["a.py": "x = 1\n", "b.py": "from a import y\n"])
        let watch = try Watch(tree)
        #expect(
            watch.program.errors.contains("ready: 2 modules, 0 failed, 1 import error, watching 1 directory\n"),
            "\(watch.program.errors)")
        #expect(watch.program.outputSoFar.contains("b.py:1:15: error: "), "the findings come before `ready`")
        #expect(watch.stop().status == 0)
    }

    @Test func aSingleFileIsWatched() throws {
        let tree = try Tree(["freshpyc.json": "{}", "p/a.py": "x = 1\n", "p/other.py": "x = 1\n"])
        let watch = try Watch(tree, "p/a.py")
        #expect(
            watch.program.errors.contains("ready: 1 module, 0 failed, watching 2 directories\n"),
            "\(watch.program.errors)")
        try tree.write("p/other.py", "x = 22\n")
        try tree.write("p/a.py", "def (\n")
        tree.eventually("an error") { watch.program.outputSoFar.contains("p/a.py:1:5: error: ") }
        try tree.write("p/a.py", "x = 22\n")
        tree.eventually("it is fixed") { watch.program.errors.contains("fixed: p/a.py") }
        // Editors replace files, and so do checkouts.
        try tree.shell("rm p/a.py")
        tree.eventually("it is removed") { watch.program.errors.contains("p/a.py removed") }
        try tree.shell("rm -r p; mkdir p; echo 'x = 333' > p/a.py; echo 'x = 4' > p/new.py")
        tree.eventually("it is back") { tree.exists(tree.pyc("p/a.py")) }
        #expect(!tree.exists(tree.pyc("p/other.py")) && !tree.exists(tree.pyc("p/new.py")))
        #expect(watch.stop().status == 0)
    }

    /// While git changes the tree, its errors mean nothing.
    @Test func aCheckoutIsOneWave() throws {
        let tree = try Tree(["a.py": "x = 1\n", "b.py": "from a import x\n"])
        try tree.shell("mkdir .git")
        let watch = try Watch(tree)
        try tree.shell("touch .git/index.lock; echo 'from a import y' > b.py; sleep 0.7; echo 'y = 22' > a.py")
        #expect(watch.waves.isEmpty && watch.program.outputSoFar.isEmpty, "\(watch.program.errors)")
        try tree.shell("rm .git/index.lock")
        tree.eventually("a wave") { !watch.waves.isEmpty }
        // Another test may have put one of them into the store.
        let isBoth = ["a.py", "b.py"].allSatisfy { watch.compilations(of: $0) == 1 }
        #expect(watch.waves.count == 1 && isBoth, "\(watch.waves)")
        #expect(watch.program.outputSoFar.isEmpty)
        // Whoever asks gets an answer at once, and a lock that a crashed git left is ignored.
        try tree.shell("touch .git/index.lock; echo 'def (' > b.py")
        #expect(try tree.run(["wait"], usesPython: false).status == 1)
        try tree.shell("touch -d '1 hour ago' .git/index.lock; echo 'z = 333' > b.py")
        tree.eventually("all clear") { watch.program.errors.contains("all clear") }
        #expect(watch.stop().status == 0)
    }

    @Test func aChangedConfigurationTakesEffect() throws {
        let tree = try Tree(["freshpyc.json": "{}", "a.py": "x = 1\n", "b.py": "from a import y\n"])
        let watch = try Watch(tree)
        func says(_ text: String) { tree.eventually(text) { watch.program.errors.contains(text) } }
        try tree.write("freshpyc.json", #"{"exclude": ["b.py"]}"#)
        says("freshpyc: the configuration has changed; all modules are checked again\n")
        says("ready: 1 module, 0 failed, watching 1 directory\n")
        try tree.write("freshpyc.json", "{}")
        tree.eventually("ready again") {
            watch.program.errors.split(separator: "\n").count { $0.hasPrefix("ready: 2 modules, 0 failed, 1 ") } == 2
        }
        try tree.write("freshpyc.json", #"{"ignore": ["missing-name"]}"#)
        says("] other findings are selected; all clear\n")
        try tree.write("freshpyc.json", #"{"exclude": ["b.py"]}"#)
        tree.eventually("ready again") {
            watch.program.errors.split(separator: "\n").count { $0.hasPrefix("ready: 1 module, 0 failed,") } == 2
        }
        try tree.write("freshpyc.json", "{")
        says("freshpyc: freshpyc.json:1:2: ")
        says("; the configuration stays as it was\n")
        try tree.write("freshpyc.json", #"{"exec": "true", "exclude": ["b.py"]}"#)
        says("freshpyc: changed: exec; stop freshpyc and start it again to use the new values\n")
        // Most changes of pyproject.toml are about something else.
        try tree.shell("rm freshpyc.json; printf '[tool.freshpyc]\\nexclude = [\"b.py\"]\\n' > pyproject.toml")
        func readies() -> Int { watch.program.errors.split(separator: "\n").count { $0.hasPrefix("ready:") } }
        // The two commands may be noticed one after the other.
        var settled = -1
        while settled != readies() {
            settled = readies()
            Pause.seconds(4)
        }
        try tree.shell("printf '[project]\\nname = \"x\"\\n' >> pyproject.toml")
        Pause.seconds(0.3)
        #expect(readies() == settled)
        #expect(watch.stop().status == 0)
    }

    @Test func testsThatFailedAreRunAgainUntilTheySucceed() throws {
        let tree = try Tree([
            "freshpyc.json": "{}", "a.py": "x = 1\n", "b.py": "x = 1\n", "test_a.py": "import a\n",
            "test_b.py": "import b\n",
        ])
        let watch = try Watch(
            tree, "--exec", "echo {affected-tests} >> log; case '{affected-tests}' in *test_a*) test -e good;; esac")
        func logged(_ text: String) {
            tree.eventually(text) {
                String(decoding: Host.contents(tree.path.appending("log")) ?? [], as: UTF8.self) == text
            }
        }
        logged("\n")
        try tree.write("a.py", "x = 22\n")
        logged("\ntest_a.py\n")
        tree.eventually("it fails") { watch.program.errors.contains("the command failed with exit status 1 ") }
        try tree.write("b.py", "x = 22\n")
        logged("\ntest_a.py\ntest_a.py test_b.py\n")
        tree.eventually("it fails again") {
            watch.program.errors.split(separator: "\n").count { $0.contains("the command failed with ") } == 2
        }
        try tree.shell("touch good")
        try tree.write("b.py", "x = 333\n")
        logged("\ntest_a.py\ntest_a.py test_b.py\ntest_a.py test_b.py\n")
        tree.eventually("it succeeds") {
            watch.program.errors.split(separator: "\n").count { $0.contains("the command succeeded ") } == 2
        }
        try tree.write("b.py", "x = 4444\n")
        logged("\ntest_a.py\ntest_a.py test_b.py\ntest_a.py test_b.py\ntest_b.py\n")
        // A test that failed and was then deleted is forgotten.
        try tree.shell("rm good log")
        try tree.write("a.py", "x = 333\n")
        logged("test_a.py\n")
        tree.eventually("it fails a third time") {
            watch.program.errors.split(separator: "\n").count { $0.contains("the command failed with ") } == 3
        }
        try tree.shell("rm test_a.py")
        tree.eventually("nothing to run") { watch.program.errors.contains("] no test is affected") }
        try tree.write("b.py", "x = 55555\n")
        logged("test_a.py\ntest_b.py\n")
        #expect(watch.stop().status == 0)
    }

    /// Another module may set a name that a module lacks.
    @Test func whoSetsANameFromOutsideDecidesTheFinding() throws {
        let tree = try Tree(["a.py": "from b import Q\n", "b.py": "x = 1\n", "s.py": "import b\n"])
        let watch = try Watch(tree)
        tree.eventually("an error") { watch.program.outputSoFar.contains("a.py:1:15: error: cannot import 'Q'") }
        try tree.write("s.py", "import b\nb.Q = 3\n")
        tree.eventually("fixed") { watch.program.errors.contains("] fixed: a.py\n") }
        #expect(watch.program.outputSoFar.contains("which does not define it; s.py sets it [missing-name]"))
        try tree.write("s.py", "import b\nb.R = 3\n")
        tree.eventually("an error again") { watch.program.errors.contains("; 1 error in 1 file\n") }
        #expect(watch.stop().status == 0)
    }

    /// Another module may register a module that has no file.
    @Test func whoRegistersAModuleDecidesTheFinding() throws {
        let tree = try Tree(["a.py": "import p.made\n", "p/__init__.py": "", "s.py": "import sys\n"])
        let watch = try Watch(tree)
        tree.eventually("an error") {
            watch.program.outputSoFar.contains("a.py:1:10: error: there is no module 'made'")
        }
        try tree.write("s.py", "import sys\nsys.modules['p.made'] = sys\n")
        tree.eventually("fixed") { watch.program.errors.contains("] fixed: a.py\n") }
        #expect(watch.program.outputSoFar.contains("; s.py may register a module of this name [unresolved-import]"))
        #expect(try Program.run("rm", tree.path.appending("s.py").description).status == 0)
        tree.eventually("an error again") { watch.program.errors.contains("; 1 error in 1 file\n") }
        #expect(watch.stop().status == 0)
    }

    /// A link to a directory can be imported, although it is not entered.
    @Test func aPackageMayBecomeALink() throws {
        let tree = try Tree([
            "freshpyc.json": "{}", "pk/__init__.py": "", "pk/a.py": "x = 1\n", "m.py": "import pk.a\n",
        ])
        let watch = try Watch(tree)
        try tree.shell("mkdir other; mv pk other/; ln -s other/pk pk")
        #expect(try tree.run(["wait"], usesPython: false).status == 0)
        tree.eventually("all clear") {
            !watch.program.errors.contains("error in") || watch.program.errors.contains("all clear")
        }
        #expect(try tree.run("check", "--no-daemon").status == 0)
        let daemon = try tree.run("check")
        #expect(daemon.status == 0, "\(daemon)")
        #expect(watch.stop().status == 0)
    }

    @Test func aSingleFileHasNoFindingsOfOthers() throws {
        let tree = try Tree([
            "freshpyc.json": "{}", "a.py": "x = 1\n", "b.py": "from a import x\nfrom c import y\n", "c.py": "y = 1\n",
        ])
        let watch = try Watch(tree, "a.py")
        try tree.write("b.py", "import os\n")
        try tree.write("a.py", "z = 22\n")
        tree.eventually("a wave") { watch.compilations(of: "a.py") == 1 }
        Pause.seconds(0.1)
        #expect(
            watch.program.outputSoFar.isEmpty && !watch.program.errors.contains("error in"), "\(watch.program.errors)")
        #expect(watch.stop().status == 0)
    }

    @Test func aNamedDirectoryMayBeReplaced() throws {
        let tree = try Tree(["freshpyc.json": "{}", "p/a.py": "x = 1\n", "q.py": "y = 1\n"])
        let watch = try Watch(tree, "p")
        try tree.shell("rm -rf p; sleep 0.3; mkdir -p p/s; echo 'x = 22' > p/s/b.py; echo 'z = 1' > q.py")
        tree.eventually("the new one is built") { tree.exists(tree.pyc("p/s/b.py")) }
        #expect(!tree.exists(tree.pyc("q.py")))
        #expect(watch.stop().status == 0)
    }

    @Test func whatHappensToTheCommandIsSaid() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree, "--exec", "case \"$FRESHPYC_CHANGED\" in *a.py*) exit 3;; esac; true")
        func says(_ text: String) { tree.eventually(text) { watch.program.errors.contains(text) } }
        says("] running: case ")
        says("] the command succeeded after 0.")
        try tree.write("a.py", "x = 22\n")
        says("] the command failed with exit status 3 after 0.")
        #expect(watch.stop().status == 0)
        let tests = try Watch(tree, "--exec", "echo {affected-tests}")
        try tree.write("a.py", "x = 333\n")
        tree.eventually("a message") {
            tests.program.errors.contains("] no test is affected, so the command was not run")
        }
        #expect(tests.stop().status == 0)
    }

    @Test(arguments: ["keep", "stop"])
    func aSyntaxErrorKeepsOrStopsTheServer(_ action: String) throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree, "--exec", "echo start >> log; exec sleep 100", "--exec-on-error", action)
        func starts() -> Int { (Host.contents(tree.path.appending("log")) ?? []).count { $0 == UInt8(ascii: "\n") } }
        tree.eventually("a start") { starts() == 1 }
        try tree.write("a.py", "def (\n")
        tree.eventually("a failure") { watch.program.errors.contains("1 error in 1 file") }
        if action == "stop" {
            tree.eventually("its end") { watch.program.errors.contains("] the command was stopped") }
        }
        Pause.seconds(0.2)
        #expect(
            watch.program.errors.contains("the command was stopped") == (action == "stop"), "\(watch.program.errors)")
        try tree.write("a.py", "x = 22\n")
        tree.eventually("another start") { starts() == 2 }
        #expect(watch.stop().status == 0)
    }

    @Test(arguments: [
        (["--exec", ""], "--exec needs a command, not an empty string"),
        (["--exec", "  "], "--exec needs a command, not an empty string"),
        (
            ["--exec", "pytest {afected-tests}"],
            "unknown placeholder {afected-tests} in --exec; did you mean {affected-tests}?"
        ),
    ])
    func commandsAreChecked(_ words: [String], _ message: String) throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let result = try tree.run(["watch"] + words)
        #expect(result.status == 2 && result.errors == "freshpyc: \(message)\n", "\(result)")
    }

    @Test func aRunningDaemonThatFitsIsASuccess() throws {
        let tree = try Tree(["a.py": "def (\n", "b.py": ""])
        let daemon = try Daemon(tree)
        let process = try daemon.process
        let again = try daemon.ask("watch", "--background", usesPython: true)
        #expect(
            again.status == 0 && again.errors == "already running (process \(process)): 2 modules, 1 failed\n",
            "\(again)")
        let log = try tree.bytes(".freshpyc/log")
        let other = try daemon.ask("watch", "-b", "-O", "2", usesPython: true)
        #expect(
            other.status == 2
                && other.errors.contains(
                    "the daemon of this tree has different options: optimize; `freshpyc stop` stops it"),
            "\(other)")
        // A start in the foreground cannot share the tree, and does not touch the log of the daemon.
        let front = try daemon.ask("watch", usesPython: true)
        #expect(front.status == 2 && front.errors.contains("is already running on this tree"), "\(front)")
        #expect(try tree.bytes(".freshpyc/log") == log)
    }
}
