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
        let waves = watch.program.errors.split(separator: "\n").filter { $0.contains("] wave ") }
        #expect(
            waves.allSatisfy { $0.hasPrefix("[") && $0.dropFirst(3).first == ":" && $0.dropFirst(9).first == "]" },
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
        tree.eventually("it is removed") { watch.program.errors.contains("1 removed") }
        try tree.shell("rm -r p; mkdir p; echo 'x = 333' > p/a.py; echo 'x = 4' > p/new.py")
        tree.eventually("it is back") { tree.exists(tree.pyc("p/a.py")) }
        #expect(!tree.exists(tree.pyc("p/other.py")) && !tree.exists(tree.pyc("p/new.py")))
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
