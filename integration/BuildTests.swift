// `build` as a user runs it: edit, build, expected recompiles.

import BuildModel
import LinuxSystem
import Testing

@Suite struct BuildTests {
    private static let files = [
        "pkg/__init__.py": "", "pkg/a.py": "import os\nX = {1, 2, 3}\n",
        "pkg/sub/b.py": "def f():\n    '''doc'''\n    assert f\n",
        "top.py": "print('hello')\n",
    ]

    /// Runs one build and checks its last line, without the time.
    private func expect(
        _ tree: Tree, _ summary: String, _ words: String..., status: Int32 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try tree.run(["build"] + words)
        #expect(result.status == status, "\(result)", sourceLocation: sourceLocation)
        #expect(
            result.summary.hasPrefix(summary + " in "), "\(result)", sourceLocation: sourceLocation)
    }

    @Test func otherPlacesOfBytecodeAreMentioned() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let result = try tree.run("build", environment: ["PYTHONPYCACHEPREFIX": "/nowhere"])
        #expect(
            result.status == 0 && tree.exists(tree.pyc("a.py"))
                && result.errors.contains("PYTHONPYCACHEPREFIX is set: Python looks for bytecode in /nowhere"),
            "\(result)")
        #expect(
            try tree.run("check", environment: ["PYTHONPYCACHEPREFIX": "/nowhere"]).errors.count { $0 == "\n" } == 1)
    }

    @Test func buildsOnceAndThenNothing() throws {
        let tree = try Tree(Self.files)
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed")
        #expect(try tree.differences() == "")
        let before = try tree.everything()
        let database = try tree.stamp(".freshpyc/state.json")
        try expect(tree, "4 modules: 0 compiled, 4 up to date, 0 failed")
        #expect(try tree.everything() == before)
        #expect(try tree.stamp(".freshpyc/state.json") == database)
        #expect(!tree.exists(".freshpyc/journal.jsonl"))
    }

    @Test func onlyEditsAreRecompiledAndTouchedFilesAreRestamped() throws {
        let tree = try Tree(Self.files)
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed")
        try tree.write("pkg/a.py", "import sys\n")
        try tree.age()
        try tree.shell("touch -d '2 hours ago' top.py pkg/__init__.py pkg/sub/b.py")
        // Every file has a new time; one has new contents.
        try expect(tree, "4 modules: 1 compiled, 3 restamped, 0 up to date, 0 failed")
        #expect(try tree.differences() == "")
        try tree.shell("touch -d '3 hours ago' top.py")
        try expect(tree, "4 modules: 0 compiled, 1 restamped, 3 up to date, 0 failed")
        #expect(try tree.differences() == "")
        // Same size, different contents.
        try tree.shell("printf \"print('hallo')\\n\" > top.py; touch -d '2 hours ago' top.py")
        try expect(tree, "4 modules: 1 compiled, 3 up to date, 0 failed")
        #expect(try tree.differences() == "")
    }

    @Test func movedSourcesAreCompiledWithTheirNewFileName() throws {
        let tree = try Tree(Self.files)
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed")
        try tree.shell("mv pkg lib")
        try expect(tree, "4 modules: 3 compiled, 1 up to date, 3 removed, 0 failed")
        #expect(try tree.differences() == "")
        try tree.shell("rm lib/a.py")
        try expect(tree, "3 modules: 0 compiled, 3 up to date, 1 removed, 0 failed")
        #expect(!tree.exists(tree.pyc("lib/a.py")))
        #expect(try tree.differences() == "")
    }

    @Test func hardLinkedBytecodeIsNotWrittenInPlace() throws {
        let tree = try Tree(Self.files)
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed")
        try tree.shell("ln \(tree.pyc("top.py")) kept.bin; touch -d '3 hours ago' top.py")
        let kept = try tree.bytes("kept.bin")
        try expect(tree, "4 modules: 0 compiled, 1 restamped, 3 up to date, 0 failed")
        #expect(try tree.bytes("kept.bin") == kept)
        #expect(try tree.differences() == "")
    }

    @Test func levelsAndModesAreBuiltAndResealed() throws {
        let tree = try Tree(Self.files)
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed", "-O", "0", "-O2")
        #expect(try tree.differences(levels: "0,2") == "")
        try expect(tree, "4 modules: 0 compiled, 4 restamped, 0 up to date, 0 failed", "--invalidation", "checked-hash")
        #expect(try tree.differences(mode: "checked-hash") == "")
        try expect(tree, "4 modules: 0 compiled, 4 restamped, 0 up to date, 0 failed", "--invalidation=unchecked-hash")
        #expect(try tree.differences(mode: "unchecked-hash") == "")
        try expect(tree, "4 modules: 0 compiled, 4 up to date, 0 failed", "--invalidation=unchecked-hash")
        try expect(tree, "4 modules: 0 compiled, 4 restamped, 0 up to date, 0 failed", "-O0", "-O2")
        #expect(try tree.differences(levels: "0,2") == "")
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed", "--force", "-O", "1")
        #expect(try tree.differences(levels: "0,1,2") == "")
        let epoch = try tree.run(["build"], environment: ["SOURCE_DATE_EPOCH": "0"])
        #expect(epoch.summary.hasPrefix("4 modules: 0 compiled, 4 restamped"))
        #expect(try tree.differences(mode: "checked-hash") == "")
    }

    @Test func missingOrDamagedBytecodeIsRebuilt() throws {
        let tree = try Tree(Self.files)
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed")
        let pyc = tree.pyc("pkg/a.py")
        let whole = try tree.bytes(pyc)
        try tree.shell("rm -r pkg/__pycache__")
        try expect(tree, "4 modules: 2 compiled, 2 up to date, 0 failed")
        #expect(try tree.differences() == "")
        try tree.shell("truncate -s 20 \(pyc)")
        try expect(tree, "4 modules: 1 compiled, 3 up to date, 0 failed")
        for offset in [0, 5, 9, 13, 40, whole.count - 1] {
            var flipped = try tree.bytes(pyc)
            flipped[offset] ^= 0x10
            try tree.write(pyc, bytes: flipped)
            try expect(tree, "4 modules: 1 compiled, 3 up to date, 0 failed")
            #expect(try tree.differences() == "", "bit at \(offset)")
        }
        // The same bytes in a new file, as after a copy or a restored backup: nothing is compiled.
        try tree.write(pyc, bytes: try tree.bytes(pyc))
        try expect(tree, "4 modules: 0 compiled, 4 up to date, 0 failed")
    }

    @Test func failuresAreReportedAndTheRestIsBuilt() throws {
        let tree = try Tree(["good.py": "x = 1\n", "bad.py": "x = 1\ndef f(:\n    pass\n"])
        let first = try tree.run("build")
        #expect(first.status == 1)
        #expect(first.lines == ["bad.py:2:7: error: invalid syntax [syntax-error]"], "\(first)")
        #expect(first.summary.hasPrefix("2 modules: 1 compiled, 0 up to date, 1 failed in "))
        // The error is recorded: nothing is compiled, and it is shown again.
        let second = try tree.run("build")
        #expect(second.status == 1)
        #expect(second.lines == first.lines)
        #expect(second.summary.hasPrefix("2 modules: 0 compiled, 1 up to date, 1 failed in "))
        #expect(try tree.differences() == "")
        // A source that no longer compiles leaves no bytecode that could still run.
        try tree.write("good.py", "x = = 1\n")
        try expect(tree, "2 modules: 0 compiled, 0 up to date, 2 failed", status: 1)
        #expect(!tree.exists(tree.pyc("good.py")))
        try tree.write("good.py", "x = 1\n")
        try tree.write("bad.py", "x = 2\n")
        try tree.age()
        try expect(tree, "2 modules: 2 compiled, 0 up to date, 0 failed")
    }

    @Test func aSaveWithinTheSameSecondNeverRunsStale() throws {
        let tree = try Tree(["m.py": "value = 1\n"])
        // Saved just now: another save of the same size could fall within the same second. On a slow machine the second
        // may be over before the source is read; then no guard is needed.
        var isWithinTheSecond = false
        for _ in 0..<20 where !isWithinTheSecond {
            try tree.write("m.py", "value = 2\n")
            try expect(tree, "1 module: 1 compiled, 0 up to date, 0 failed", "--force")
            isWithinTheSecond = try Host.realtime / 1_000_000_000 == tree.stamp("m.py").modified.seconds
        }
        try #require(isWithinTheSecond, "this machine takes a second to build one file")
        let flags = try tree.bytes(tree.pyc("m.py"))[4]
        #expect(flags == 0b11, "published as checked-hash")
        try tree.shell("stamp=$(stat -c %Y m.py); printf 'value = 3\\n' > m.py; touch -d \"@$stamp\" m.py")
        let imported = try Program.run(
            tree.python.path.description, "-c", "import m; print(m.value)", in: tree.path)
        #expect(imported.output == "3\n", "\(imported)")
        // A second run on the same tree writes nothing. A wave after that second writes the final header.
        try expect(tree, "1 module: 1 compiled, 0 up to date, 0 failed")
        let before = try tree.everything()
        try expect(tree, "1 module: 0 compiled, 1 up to date, 0 failed")
        #expect(try tree.everything() == before)
    }

    @Test func forceRebuildsAndJSONSaysWhy() throws {
        let tree = try Tree(Self.files)
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed")
        let forced = try tree.run("build", "--force", "--format", "json", "--quiet")
        #expect(forced.errors == "")
        #expect(forced.output.contains(#""compiled":4"#) && forced.output.contains(#""reason":"forced""#), "\(forced)")
        #expect(forced.output.contains(#""exitStatus":0"#))
    }

    @Test func onlyNamedPathsAreBuiltEvenIfExcluded() throws {
        var files = Self.files
        files[".venv/pyvenv.cfg"] = ""
        files[".venv/lib/site-packages/dep.py"] = "x = 1\n"
        files["node_modules/tool.py"] = "x = 1\n"
        files["env/pyvenv.cfg"] = ""
        files["env/bin/activate_this.py"] = "x = 1\n"
        files[".freshpyc/marker"] = ""
        let tree = try Tree(files)
        try expect(tree, "2 modules: 2 compiled, 0 up to date, 0 failed", "pkg/sub", "top.py")
        try expect(tree, "4 modules: 2 compiled, 2 up to date, 0 failed")
        try expect(tree, "1 module: 1 compiled, 0 up to date, 0 failed", ".venv")
        try expect(tree, "1 module: 1 compiled, 0 up to date, 0 failed", "node_modules/tool.py")
        try expect(tree, "3 modules: 0 compiled, 3 up to date, 0 failed", "--exclude", "sub/")
        // Files out of scope are not touched.
        #expect(tree.exists(tree.pyc("pkg/sub/b.py")))
    }

    @Test func gitignoreIsHonouredWhenAsked() throws {
        let tree = try Tree([
            ".gitignore": "*_pb2.py\n/gen/\n!keep_pb2.py\n", "a_pb2.py": "", "keep_pb2.py": "", "gen/x.py": "",
            "pkg/.gitignore": "!a_pb2.py\nlocal.py\n", "pkg/a_pb2.py": "", "pkg/local.py": "", "pkg/m.py": "",
        ])
        try tree.shell("git init -q . 2>/dev/null || mkdir -p .git")
        try expect(tree, "6 modules: 6 compiled, 0 up to date, 0 failed")
        // Compare with what git itself ignores.
        let kept = try Program.shell("git ls-files -co --exclude-standard '*.py' | wc -l", in: tree.path)
        #expect(kept.output.split(whereSeparator: \.isWhitespace).first == "3")
        try expect(tree, "3 modules: 0 compiled, 3 up to date, 0 failed", "--gitignore")
    }

    @Test func theDatabaseCanLiveElsewhere() throws {
        let tree = try Tree(Self.files)
        let elsewhere = try Tree()
        let state = elsewhere.path.appending("deep/state").description
        try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed", "--state-dir", state)
        #expect(!tree.exists(".freshpyc"))
        #expect(elsewhere.exists("deep/state/state.json"))
        try expect(tree, "4 modules: 0 compiled, 4 up to date, 0 failed", "--state-dir", state)
    }

    @Test func scenario26ADamagedDatabaseIsSetAsideWithANotice() throws {
        for rubbish in ["[]", "null", "", "{\"schema\":2", "\u{0}\u{1}", String(repeating: "9", count: 5000)] {
            let tree = try Tree(Self.files)
            try expect(tree, "4 modules: 4 compiled, 0 up to date, 0 failed")
            try tree.write(".freshpyc/state.json", rubbish)
            let result = try tree.run("build")
            #expect(result.errors.contains("is damaged and was set aside"), "\(rubbish): \(result)")
            #expect(tree.exists(".freshpyc/state.json.broken"))
            #expect(try tree.run("build").errors.contains("is damaged") == false)
            #expect(try tree.differences() == "")
        }
        let tree = try Tree(Self.files)
        try tree.run("build")
        try tree.write(".freshpyc/state.json", "{\"schema\":99,\"new\":true}")
        let newer = try tree.run("build")
        #expect(newer.status == 2 && newer.errors.contains("newer freshpyc (schema 99)"), "\(newer)")
        #expect(try tree.bytes(".freshpyc/state.json").starts(with: "{\"schema\":99".utf8))
    }

    @Test func interruptedBuildsKeepFinishedWork() throws {
        var files: [String: String] = [:]
        for index in 0..<400 { files["m\(index).py"] = String(repeating: "x = [1, 2, (3, 4)]\n", count: 800) }
        let tree = try Tree(files)
        let build = try Freshpyc.start(["build", "--python", tree.python.path.description], in: tree.path)
        tree.eventually("some bytecode") { tree.exists("__pycache__") }
        build.send(.interrupt)
        let result = build.finish(within: 20)
        #expect(result.status == 130, "\(result)")
        let next = try tree.run("build")
        #expect(next.status == 0 && !next.summary.contains(": 400 compiled"), "\(next)")
        #expect(try tree.differences() == "")
    }

    @Test func aKilledBuildLeavesNoPartialFiles() throws {
        var files: [String: String] = [:]
        for index in 0..<200 {
            files["p\(index % 7)/m\(index).py"] = String(repeating: "x = [1, 2, (3, 4)]\n", count: 400)
        }
        let tree = try Tree(files)
        for _ in 0..<4 {
            let build = try Freshpyc.start(
                ["build", "--force", "--python", tree.python.path.description], in: tree.path)
            Pause.seconds(Double.random(in: 0.1...0.5))
            build.send(.kill)
            _ = build.finish(within: 20)
        }
        let result = try tree.run("build")
        #expect(result.status == 0, "\(result)")
        #expect(try tree.differences() == "")
    }

    /// However few files may be open, and however many directories there are, every module is built.
    @Test(arguments: [64, 200, 700]) func fewDescriptorsAreEnough(_ limit: Int) throws {
        let tree = try Tree(["freshpyc.json": "{}"])
        try tree.shell("for i in $(seq 600); do mkdir d$i; echo x=$i > d$i/m.py; done; touch -d '1 hour ago' d*/m.py")
        for store in ["none", tree.path.appending("store").description] {
            let build = try Program.shell(
                "ulimit -n \(limit); FRESHPYC_STORE=\(store) \(Freshpyc.path) build --force --jobs 8 --python \(tree.python.path)",
                in: tree.path)
            #expect(build.summary.hasPrefix("600 modules: 600 compiled, 0 up to date, 0 failed"), "\(store): \(build)")
        }
    }

    /// Places that overlap are built and counted once.
    @Test func overlappingPlacesAreCountedOnce() throws {
        let tree = try Tree([
            "freshpyc.json": "{}", "env/pyvenv.cfg": "", "env/lib/p/a.py": "x = 1\n", "env/lib/p/b.py": "x = (\n",
        ])
        let build = try tree.run("build", "--force", "env", "env/lib/p")
        #expect(build.summary.hasPrefix("2 modules: 1 compiled, 0 up to date, 1 failed"), "\(build)")
        #expect(build.lines.count == 1, "\(build)")
    }
}
