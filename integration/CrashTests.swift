// Builds killed at every write, full disks and file size limits.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct CrashTests {
    private static let files = [
        "a.py": "import p.b\nx = {1, 2, 3}\n", "p/__init__.py": "", "p/b.py": "def f():\n    return 'text'\n",
        "p/broken.py": "def (\n",
    ]

    /// The system calls by which a build changes the disk. Of these, its workers make only `write`.
    private static let calls = [
        "mkdir", "mkdirat", "renameat", "unlinkat", "writev", "pwrite64", "fsync", "ftruncate", "write",
    ]

    /// Runs a build and kills it just before its n-th call of this kind.
    ///
    /// - Returns: whether the build made that many calls.
    private func isKilled(at call: String, _ count: Int, in tree: Tree) throws -> Bool {
        var words = ["strace", "-f", "-qq", "-o", "/dev/null"]
        if call == "write" {
            // Workers make the same call, also to pipes and terminals. Count only writes to the database.
            for name in ["state.json.tmp", "journal.jsonl", "lock"] {
                words += ["-P", tree.path.appending(".freshpyc").appending(name).description]
            }
        }
        words += [
            "-e", "trace=\(call)", "-e", "inject=\(call):signal=KILL:when=\(count)", Freshpyc.path.description, "build",
            "--python", tree.python.path.description,
        ]
        let result = try RunningProgram([BytePath("/usr/bin/env")] + words.map { BytePath($0) }, in: tree.path).finish()
        return result.status != 0 && result.status != 1
    }

    private func isStraceThere() throws -> Bool {
        try Program.run("strace", "-qq", "-o", "/dev/null", "-e", "inject=getppid:signal=KILL", "true").status == 0
    }

    /// Kills builds of a tree at each of their calls in turn. The next build must always succeed as if none was killed.
    private func killEverywhere(from base: Tree) throws {
        let tree = try Tree()
        var kills = 0
        for call in Self.calls {
            for count in 1...100 {
                try tree.shell("rm -rf ./* .freshpyc; cp -a '\(base.path)/.' .")
                guard try isKilled(at: call, count, in: tree) else { break }
                kills += 1
                let next = try tree.run("build")
                #expect(
                    next.status == 1 && next.summary.hasPrefix("4 modules: ") && next.summary.contains(", 1 failed"),
                    "killed at \(call) \(count): \(next)")
                #expect(!next.errors.contains("is damaged"), "killed at \(call) \(count): \(next)")
                #expect(try tree.differences(mode: "guarded") == "", "killed at \(call) \(count)")
                #expect(
                    try Program.shell("find . -name '.freshpyc-*' -o -name '*.tmp'", in: tree.path).output == "",
                    "killed at \(call) \(count)")
                let last = try tree.run("build")
                #expect(last.summary.hasPrefix("4 modules: 0 compiled, 3 up to date"), "\(last)")
            }
        }
        #expect(kills >= 5, "only \(kills) kills: are these still the calls that are made?")
    }

    @Test func scenario21KilledAtEveryWriteOfAFirstBuild() throws {
        guard try isStraceThere() else { try Test.cancel("needs strace") }
        try killEverywhere(from: try Tree(Self.files))
    }

    @Test func scenario21KilledAtEveryWriteOfALaterBuild() throws {
        guard try isStraceThere() else { try Test.cancel("needs strace") }
        let base = try Tree(Self.files)
        try base.run("build")
        try base.shell("echo 'y = 44' > a.py; touch -d '2 hours ago' p/b.py; rm p/__pycache__/__init__*")
        try killEverywhere(from: base)
    }

    @Test func scenario25ALimitOnTheSizeOfFiles() throws {
        let tree = try Tree(["small.py": "x = 1\n"])
        try tree.write("big.py", (0..<2_000).map { "name\($0) = 'text \($0)'\n" }.joined())
        try tree.age()
        let words = ["--fsize=8192", Freshpyc.path.description, "build", "--python", tree.python.path.description]
        let limited = try RunningProgram(
            [BytePath("/usr/bin/env"), BytePath("prlimit")] + words.map { BytePath($0) }, in: tree.path
        ).finish()
        #expect(limited.status == 2, "\(limited)")
        #expect(
            limited.output.contains("big.py: error: cannot write __pycache__: file too large"), "\(limited)")
        #expect(tree.exists(tree.pyc("small.py")) && !tree.exists(tree.pyc("big.py")))
        #expect(try Program.shell("find . -name '.freshpyc-*'", in: tree.path).output == "", "temporary files stay")
        #expect(try tree.run("build").status == 0)
        #expect(try tree.differences() == "")
    }

    @Test func scenario25ADatabaseThatCannotGrow() throws {
        var files: [String: String] = [:]
        for index in 0..<40 { files["m\(index).py"] = "x = \(index)\n" }
        let tree = try Tree(files)
        let words = ["--fsize=4096", Freshpyc.path.description, "build", "--python", tree.python.path.description]
        let limited = try RunningProgram(
            [BytePath("/usr/bin/env"), BytePath("prlimit")] + words.map { BytePath($0) }, in: tree.path
        ).finish()
        #expect(limited.status == 2 && limited.output.contains("the database cannot be written: "), "\(limited)")
        #expect(!tree.exists(".freshpyc/state.json") && !tree.exists(".freshpyc/state.json.tmp"))
        let healed = try tree.run("build")
        #expect(healed.status == 0 && healed.summary.hasPrefix("40 modules: "), "\(healed)")
        #expect(try tree.differences() == "")
    }
}
