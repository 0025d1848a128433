// `watch` compiles each change once, and leaves no stale bytecode.

import BuildModel
import LinuxSystem
import Testing

@Suite struct WatchTests {
    @Test func reportsReadyAndStopsCleanly() throws {
        for signal in [Signal.interrupt, .terminate] {
            let tree = try Tree(["a.py": "x = 1\n", "p/b.py": "def\n"])
            let watch = try Watch(tree)
            #expect(
                watch.program.errors.contains("ready: 2 modules, 1 failed, watching 2 directories\n"),
                "\(watch.program.errors)")
            #expect(watch.program.outputSoFar.contains("p/b.py:1:4: error: invalid syntax [syntax-error]"))
            let result = watch.stop(signal)
            #expect(result.status == 0, "\(result)")
            #expect(try tree.bytes(".freshpyc/lock").isEmpty)
            #expect(try tree.run("build").summary.contains("0 compiled, 1 up to date, 1 failed"))
        }
    }

    @Test func scenario1FoldersAppearWithFilesInThem() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree)
        for round in 0..<10 {
            try tree.shell("mkdir -p r\(round)/b/c && echo 'y = 1' > r\(round)/b/c/m.py")
        }
        try watch.converges()
        #expect(watch.stop().status == 0)
    }

    @Test func scenario2MovedDirectories() throws {
        let source = try Tree(["lib/a.py": "x = 1\n", "lib/s/b.py": "y = 1\n", "lib/s/c.py": "z = 1\n"])
        let tree = try Tree(["keep.py": "x = 1\n"])
        let watch = try Watch(tree)
        try tree.shell("cp -r \(source.path)/lib unpacked")
        try watch.converges()
        try tree.shell("mv unpacked one && mv one two")
        try watch.converges()
        #expect(tree.exists(tree.pyc("two/s/b.py")) && !tree.exists("one"))
        try tree.shell("mv \(source.path)/lib moved; mv moved/s two/t; mv two/s/b.py moved/a.py")
        try watch.converges()
        // A moved directory is watched under its new name, and no longer under its old one.
        try tree.shell("echo 'changed = 1' > two/t/c.py; echo 'changed = 2' > moved/a.py")
        try watch.converges()
        try tree.shell("mv two \(source.path)/away; rm -rf moved")
        try watch.converges()
        try tree.shell("mkdir two; echo 'again = 1' > two/n.py")
        try watch.converges()
        let result = watch.stop()
        #expect(result.status == 0)
        #expect(try tree.run("build").summary.hasPrefix("2 modules: 0 compiled, 2 up to date"))
    }

    @Test func scenario3EachRealChangeIsCompiledOnce() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let watch = try Watch(tree)
        var expected = 0
        let edits = [
            "printf 'x = 1\\n' > m.py", "sed -i 's/x/y/' m.py",
            "printf 'x = 22\\n' > .m.py.swp; cp .m.py.swp m.py~; mv .m.py.swp m.py; rm m.py~",
            "mv m.py m.py~; printf 'x = 333\\n' > m.py; rm m.py~",
            "printf 'x = 4444\\n' > m.py___jb_tmp___; mv m.py m.py___jb_old___; mv m.py___jb_tmp___ m.py; rm m.py___jb_old___",
            "ln -s user@host.1 .#m.py; printf 'x = 55555\\n' > m.py; rm .#m.py",
            "printf 'x = 666666\\n' > ../$(basename $PWD)/new; cp -p new m.py; rm new",
        ]
        for edit in edits {
            try tree.shell(edit)
            expected += 1
            tree.eventually("\(edit)\n\(watch.program.errors)") { watch.compilations(of: "m.py") >= expected }
            try watch.converges()
            Pause.seconds(0.4)
            #expect(watch.compilations(of: "m.py") == expected, "\(edit)\n\(watch.program.errors)")
            expected = watch.compilations(of: "m.py")
        }
        // None of these change contents.
        try tree.shell("touch m.py; touch -d '3 days ago' m.py; ln m.py hard.link; rm hard.link; chmod 600 m.py")
        try watch.converges()
        #expect(watch.compilations(of: "m.py") == expected, "\(watch.program.errors)")
        #expect(watch.stop().status == 0)
    }

    @Test func scenario9EditsDuringCompilation() throws {
        let tree = try Tree(["big.py": String(repeating: "x = [1, (2, 3)]\n", count: 20_000), "half.py": "x = 1\n"])
        let watch = try Watch(tree)
        for round in 0..<20 {
            try tree.shell("sed -i '1s/.*/x = \(round % 10)/' big.py; sleep 0.0\(round)")
        }
        // A writer that pauses in the middle of a statement.
        try tree.shell("{ printf 'def f('; sleep 0.5; printf '):\\n    return 1\\n'; } > half.py")
        try watch.converges()
        // Saves of the same size within one second.
        for round in 0..<10 { try tree.shell("printf 'x = \(round)\\n' > half.py") }
        let imported = try Program.run(
            tree.python.path.description, "-B", "-c", "import half; print(half.x)", in: tree.path)
        #expect(imported.output == "9\n", "\(imported)")
        try watch.converges()
        #expect(try tree.run("check", "half.py").status == 0)
        // The guard is removed when the second is over.
        tree.eventually("the header gets its time") { (try? tree.differences()) == "" }
        #expect(watch.stop().status == 0)
    }

    @Test func scenario18RemovedBytecodeIsRebuilt() throws {
        let tree = try Tree(["p/a.py": "x = 1\n", "p/b.py": "y = 1\n"])
        let watch = try Watch(tree)
        try tree.shell("rm \(tree.pyc("p/a.py"))")
        try watch.converges()
        try tree.shell("rm -rf p/__pycache__ || true")
        try watch.converges()
        try tree.shell("printf 'rubbish' > \(tree.pyc("p/b.py"))")
        try watch.converges()
        #expect(watch.stop().status == 0)
    }

    @Test func scenario11LinksFollowTheirFiles() throws {
        let tree = try Tree(["tree/a.py": "x = 1\n", "tree/d/b.py": "x = 2\n", "outside/c.py": "x = 3\n"])
        try tree.shell("cd tree; ln -s ../outside/c.py c.py; ln -s d/b.py link.py; ln -s nowhere/n.py late.py")
        let watch = try Freshpyc.start(
            ["watch", "tree", "--python", tree.python.path.description], in: tree.path)
        tree.eventually("ready") { watch.errors.contains("ready: 4 modules") }
        func expectFresh(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let answer = try Freshpyc.start(["wait", "tree"], in: tree.path).finish()
            #expect(answer.status == 0, "\(what): \(answer)", sourceLocation: sourceLocation)
            let differences = try tree.differences(mode: "guarded", at: "tree")
            #expect(differences == "", "\(what)", sourceLocation: sourceLocation)
        }
        // Nothing in the tree is touched, so no directory in it has an event.
        try tree.shell("echo 'y = 33333' > outside/c.py")
        try expectFresh("the file outside was edited")
        try tree.shell("rm -rf tree/d")
        try expectFresh("the folder that a link leads into is gone")
        #expect(!tree.exists("tree/" + tree.pyc("link.py")))
        try tree.shell("mkdir tree/nowhere; echo 'z = 1' > tree/nowhere/n.py")
        try expectFresh("a link that led nowhere leads to a file")
        try tree.shell("rm -r outside")
        try expectFresh("the file outside is gone")
        watch.send(.terminate)
        #expect(watch.finish(within: 10).status == 0)
    }

    @Test func scenario8TheRootIsRemoved() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.shell("mkdir inner; mv a.py inner")
        let watch = try Freshpyc.start(
            ["watch", "inner", "--python", tree.python.path.description], in: tree.path)
        tree.eventually("ready") { watch.errors.contains("ready:") }
        try tree.shell("rm -rf inner || rm -rf inner")
        let result = watch.finish(within: 20)
        #expect(
            result.status == 2 && result.errors.contains("was removed; start freshpyc again once it exists"),
            "\(result)")
    }

    @Test func scenario21ASecondWatchNamesTheRunningOne() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree)
        let second = try tree.run("watch")
        #expect(second.status == 2, "\(second)")
        #expect(second.errors.contains("freshpyc watch (process "), "\(second)")
        // A build that cannot use it works without it.
        let alone = try tree.run("build", "--no-daemon")
        #expect(alone.status == 0 && !alone.errors.contains("without"), "\(alone)")
        // A check only reads.
        #expect(try tree.run("check").status == 0)
        #expect(watch.stop().status == 0)
    }

    @Test func eachWaveIsOneJSONObject() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree, "--format", "json")
        try tree.write("a.py", "x = 23\n")
        tree.eventually("a second object") { watch.program.outputSoFar.split(separator: "\n").count >= 2 }
        let lines = watch.program.outputSoFar.split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") && $0.contains("\"verb\":\"watch\"") })
        #expect(watch.stop().status == 0)
    }

    @Test func aBurstOfSavesMakesFewWaves() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree)
        try tree.shell(
            "for d in $(seq 20); do mkdir d$d; for i in $(seq 25); do echo \"x = $i\" > d$d/m$i.py; done; done")
        try watch.converges()
        #expect(watch.waves.count <= 40, "\(watch.program.errors)")
        try tree.shell("rm -rf d1 d2 d3; for i in $(seq 25); do echo \"y = $i\" > d4/m$i.py; done")
        try watch.converges()
        #expect(watch.stop().status == 0)
    }

    /// When an edit is undone, the code comes from the store. It is a change like any other.
    @Test func aSaveServedFromTheStoreIsShownAndRunsTheCommand() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let store = tree.path.appending(".freshpyc/../../store-\(tree.path.lastComponent.count)").description
        defer { _ = try? tree.shell("rm -rf '\(store)'") }
        let watch = try Watch(tree, "--store", store, "--exec", "echo {changed} >> runs.txt")
        tree.eventually("the first run") { tree.exists("runs.txt") }
        for (text, word) in [("x = 22\n", "compiled"), ("x = 1\n", "taken from the store")] {
            try tree.write("a.py", text)
            tree.eventually("\(word)\n\(watch.program.errors)") { watch.program.errors.contains("a.py \(word) in") }
        }
        tree.eventually("three runs") { (try? tree.bytes("runs.txt").count { $0 == 0x0A }) == 3 }
        #expect(watch.stop().status == 0)
    }
}
