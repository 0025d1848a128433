// A daemon gives the same answers as a fresh run, after any change to the tree.

import BuildModel
import LinuxSystem
import Testing

@Suite struct AgreementTests {
    private static let files = [
        "pkg/__init__.py": "", "pkg/a.py": "import pkg.b\n", "pkg/b.py": "import pkg.a\n",
        "c.py": "from pkg.a import NOPE\n", "lib/__init__.py": "", "lib/x.py": "X = 1\n",
    ]

    @Test func findingsFollowEveryChange() throws {
        let tree = try Tree(Self.files)
        let watch = try Watch(tree)
        let edits = [
            "touch json.py", "touch Json.py", "printf '\\n\\n\\nimport pkg.b\\n' > pkg/a.py",
            "printf 'def f():\\n    import pkg.b\\n' > pkg/a.py", "printf 'import pkg.b\\n' > pkg/a.py",
            "printf '# freshpyc: ignore[import-cycle]\\nimport pkg.b\\n' > pkg/a.py",
            "printf 'from pkg.a import NOPE  # freshpyc: ignore\\n' > c.py",
            "printf 'from pkg.a import NOPE\\n' > c.py",
            "mkdir json; touch json/__init__.py", "rm -r json Json.py json.py",
        ]
        for edit in edits {
            try tree.shell(edit)
            let asked = try tree.run("check", "--strict")
            let fresh = try tree.run("check", "--strict", "--no-daemon")
            #expect(asked.lines.sorted() == fresh.lines.sorted(), "after \(edit): \(asked)\n\(fresh)")
            #expect(asked.status == fresh.status, "after \(edit)")
        }
        // Commands that do not use the daemon work while it runs, and do not disturb it.
        let graph = try tree.run("graph", "--no-daemon")
        let answered = try tree.run("graph")
        #expect(graph.status == 0 && graph.output == answered.output, "\(graph)\n\(answered)")
        #expect(watch.stop().status == 0)
    }

    @Test func checkOfOneFileSeesChangesInOthers() throws {
        let tree = try Tree(Self.files)
        try tree.run("build")
        try tree.run("check")
        try tree.run("graph")
        try tree.shell("printf 'X = 1\\nNEW = 1\\n' > lib/x.py; printf 'from lib.x import NEW\\n' > c.py")
        #expect(try tree.run("check", "c.py").status == 0)
        try tree.shell("rm lib/x.py")
        let gone = try tree.run("check", "c.py")
        #expect(gone.status == 1 && gone.output.contains("unresolved-import"), "\(gone)")
    }

    @Test func failedWritesAreReportedAndRetried() throws {
        let tree = try Tree(["x/a.py": "x = 1\n", "y/b.py": "y = 1\n"])
        try tree.shell("touch x/__pycache__")
        let watch = try Watch(tree)
        #expect(try tree.run(["wait"], usesPython: false).status == 1)
        // A wave in another directory does not clear the failure.
        try tree.write("y/b.py", "y = 22\n")
        #expect(try tree.run(["wait"], usesPython: false).status == 1)
        try tree.shell("rm x/__pycache__")
        tree.eventually("bytecode of x/a.py") { tree.exists(tree.pyc("x/a.py")) }
        #expect(try tree.run(["wait"], usesPython: false).status == 0)
        #expect(watch.stop().status == 0)
    }

    /// Nothing is certain about the names of a module that does not compile, whatever it bound before.
    @Test func aModuleThatBreaksTakesItsFindingsWithIt() throws {
        let tree = try Tree(["m.py": "x = 1\n", "a.py": "from m import y\n"])
        let watch = try Watch(tree)
        #expect(watch.program.outputSoFar.contains("a.py:1:15: error: "))
        try tree.write("m.py", "y = 1\ndef (\n")
        #expect(try tree.run(["wait"], usesPython: false).status == 1)
        let daemon = try tree.run("check")
        let alone = try tree.run("check", "--no-daemon")
        #expect(daemon.output == alone.output && daemon.lines.count == 1, "\(daemon)\n\(alone)")
        #expect(watch.stop().status == 0)
    }

    @Test func aMistakeInTheConfigurationDoesNotStopTheDaemon() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Freshpyc.start(
            ["watch"], in: tree.path, environment: ["PATH": "\(tree.python.path.parent):/usr/bin:/bin"])
        tree.eventually("ready") { watch.errors.contains("ready:") }
        try tree.write("freshpyc.json", #"{"python": ["/nonexistent/python"]}"#)
        tree.eventually("a notice\n\(watch.errors)") { watch.errors.contains("the configuration stays as it was") }
        // A save before this belongs to the first wave, which is not reported source by source.
        tree.eventually("ready again") { watch.errors.split(separator: "\n").count { $0.hasPrefix("ready:") } >= 2 }
        try tree.write("a.py", "x = 22\n")
        tree.eventually("the daemon still works") { watch.errors.contains("] a.py ") }
        // It tried the configuration once, not again and again.
        #expect(watch.errors.split(separator: "\n").count { $0.hasPrefix("ready:") } == 2, "\(watch.errors)")
        watch.send(.terminate)
        #expect(watch.finish(within: 10).status == 0)
    }
}
