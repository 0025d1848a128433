// `precompile`: deployed bytecode is correct, reproducible, and valid where it is deployed.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct DeploymentTests {
    private static let files = [
        "pkg/__init__.py": "", "pkg/a.py": "def f():\n    raise ValueError(1 if 'x' in {'x', 'y', (1, 2)} else 2)\n",
        "pkg/b.py": "'''Text.'''\nassert True\nx = 10 ** 20, -10 ** 20, 0.0, -0.0\n", "pkg/data.txt": "data\n",
    ]

    private func python(_ tree: Tree, _ script: String, _ environment: [String: String] = [:]) throws -> RunResult {
        try RunningProgram(
            [tree.python.path, BytePath("-B"), BytePath("-c"), BytePath(script)], in: tree.path,
            environment: environment
        ).finish()
    }

    /// The file name in the bytecode file. It is read from the file, because import replaces it with the source's path.
    private func embeddedName(_ tree: Tree, _ file: String) throws -> String {
        let script = "import marshal; print(marshal.loads(open('\(file)', 'rb').read()[16:]).co_filename)"
        return String(try python(tree, script).output.dropLast())
    }

    @Test func survivesNewTimesAndLeavesNoOtherFiles() throws {
        let tree = try Tree(Self.files)
        let result = try tree.run("precompile")
        #expect(result.status == 0 && result.summary.hasPrefix("3 modules: 3 compiled"), "\(result)")
        #expect(try tree.differences(mode: "unchecked-hash") == "")
        #expect(!tree.exists(".freshpyc"))
        try tree.shell("find . -name '*.py' -exec touch -d 2001-01-01 {} +")
        // Only the bytecode still has the old value.
        try tree.shell("sed -i 's/0\\.0, -0\\.0/1, 2/' pkg/b.py")
        let run = try python(tree, "import pkg.b; print(pkg.b.x[2:])")
        #expect(run.output == "(0.0, -0.0)\n", "\(run)")
    }

    @Test func validBytecodeIsResealedAndNotCompiled() throws {
        let tree = try Tree(Self.files)
        try tree.run("build", "--no-daemon")
        try tree.shell("rm -r .freshpyc")
        let (before, stamp) = (try tree.bytes(tree.pyc("pkg/a.py")), try tree.stamp(tree.pyc("pkg/a.py")))
        let result = try tree.run("precompile")
        #expect(result.summary.hasPrefix("3 modules: 0 compiled, 3 restamped"), "\(result)")
        let after = try tree.bytes(tree.pyc("pkg/a.py"))
        #expect(after.dropFirst(16) == before.dropFirst(16) && after.prefix(16) != before.prefix(16))
        #expect(try tree.stamp(tree.pyc("pkg/a.py")).inode == stamp.inode)
        #expect(try tree.differences(mode: "unchecked-hash") == "")
        #expect(try tree.run("precompile").summary.hasPrefix("3 modules: 0 compiled, 3 up to date"))
    }

    @Test(arguments: [
        "echo 'y = 1' >> pkg/a.py", "truncate -s -1 pkg/__pycache__/a.*.pyc",
        "printf x | dd of=$(echo pkg/__pycache__/a.*.pyc) conv=notrunc bs=1 2>/dev/null",
        "cp pkg/__pycache__/b.*.pyc $(echo pkg/__pycache__/a.*.pyc)", "rm pkg/__pycache__/a.*.pyc",
    ])
    func invalidBytecodeIsCompiled(damage: String) throws {
        let tree = try Tree(Self.files)
        try tree.run("precompile")
        try tree.shell(damage)
        let result = try tree.run("precompile")
        #expect(result.summary.hasPrefix("3 modules: 1 compiled, 2 up to date"), "\(damage)\n\(result)")
        #expect(try tree.differences(mode: "unchecked-hash") == "")
    }

    @Test func aSourceThatFailsHasNoBytecodeAndDoesNotStopOthers() throws {
        let tree = try Tree(Self.files)
        try tree.run("precompile")
        try tree.write("pkg/a.py", "def\n")
        let result = try tree.run("precompile", "--manifest", "m.json")
        #expect(result.status == 1 && result.output.contains("pkg/a.py:1:4: error: invalid syntax"), "\(result)")
        #expect(!tree.exists(tree.pyc("pkg/a.py")) && tree.exists(tree.pyc("pkg/b.py")))
        #expect(String(decoding: try tree.bytes("m.json"), as: UTF8.self).contains("does not compile with cpython"))
    }

    @Test func copiesInTwoDirectoriesGiveTheSameBytes() throws {
        let trees = [try Tree(Self.files), try Tree(Self.files)]
        for (tree, jobs) in zip(trees, ["1", "4"]) {
            let words = [
                "precompile", "--strip-prefix", tree.path.description, "--prepend-prefix", "/app", "-O", "0", "-O", "2",
                "--jobs", jobs, "--output", "out", "--manifest", "out/bytecode.json",
            ]
            let result = try tree.run(words)
            #expect(result.status == 0, "\(result)")
        }
        let difference = try Program.run(
            "diff", "-r", trees[0].path.appending("out").description, trees[1].path.appending("out").description)
        #expect(difference.status == 0, "\(difference)")
        #expect(try embeddedName(trees[0], "out/" + trees[0].pyc("pkg/a.py")) == "/app/pkg/a.py")
        let manifest = try python(
            trees[0],
            """
            import hashlib, json
            for source in json.load(open('out/bytecode.json'))['sources']:
                assert hashlib.sha256(open(source['path'], 'rb').read()).hexdigest() == source['sha256']
                for file in source['bytecode']:
                    assert hashlib.sha256(open('out/' + file['path'], 'rb').read()).hexdigest() == file['sha256']
            """)
        #expect(manifest.status == 0, "\(manifest)")
    }

    @Test func aCopyWithoutSourcesIsImported() throws {
        let tree = try Tree(Self.files)
        try tree.shell("ln -s data.txt pkg/inside; ln -s /etc/passwd pkg/outside")
        let result = try tree.run("precompile", "--output", "out", "--sourceless")
        #expect(result.status == 0, "\(result)")
        #expect(tree.exists("out/pkg/data.txt") && tree.exists("out/pkg/inside") && !tree.exists("out/pkg/outside"))
        #expect(!tree.exists("out/pkg/a.py") && !tree.exists("pkg/__pycache__"))
        // Python would import the sources of an earlier copy first.
        try tree.run("precompile", "--output", "again")
        try tree.run("precompile", "--output", "again", "--sourceless")
        #expect(!tree.exists("again/pkg/a.py") && tree.exists("again/pkg/a.pyc"))
        let run = try python(
            tree, "import sys; sys.path.insert(0, 'out'); import pkg.b; print(pkg.b.__file__, pkg.b.x[0])")
        #expect(run.output.hasSuffix("out/pkg/b.pyc 100000000000000000000\n"), "\(run)")
        let prefix = try tree.run("precompile", "--output", "cache", "--layout", "pycache-prefix")
        #expect(prefix.status == 0, "\(prefix)")
        let cached = try python(
            tree, "import pkg.b, os; print(os.path.exists(pkg.b.__cached__), 'cache' in pkg.b.__cached__)",
            ["PYTHONPYCACHEPREFIX": tree.path.appending("cache").description])
        #expect(cached.output == "True True\n", "\(cached)")
    }

    @Test func severalLevelsShareFilesAndTimesFollowTheEpoch() throws {
        let tree = try Tree(["a.py": "x = 1\n", "b.py": "'''Text.'''\nassert x\n"])
        let result = try tree.run(
            "precompile", "-O", "0", "-O", "1", "-O", "2", "--hardlink-dupes",
            environment: ["SOURCE_DATE_EPOCH": "1000000000"])
        #expect(result.status == 0, "\(result)")
        let inodes = try (0...2).map { try tree.stamp(tree.pyc("a.py", level: $0)).inode }
        #expect(Set(inodes).count == 1)
        #expect(Set(try (0...2).map { try tree.stamp(tree.pyc("b.py", level: $0)).inode }).count == 3)
        #expect(try tree.stamp(tree.pyc("a.py")).modified == FileTime(seconds: 1_000_000_000, nanosecond: 0))
        #expect(try tree.differences(levels: "0,1,2", mode: "unchecked-hash") == "")
    }

    @Test func installedPackagesAreFoundAndNotRun() throws {
        let tree = try Tree()
        try tree.shell("\(tree.python.path) -m venv --without-pip env")
        let folder = try Program.shell("echo env/lib/python3.*/site-packages", in: tree.path).output
            .trimmingPrefix("").split(separator: "\n").first.map(String.init)
        let site = try #require(folder)
        try tree.write("\(site)/thing/__init__.py", "x = 1\n")
        try tree.write("\(site)/thing/venv/__init__.py", "y = 1\n")
        try tree.write("\(site)/evil.pth", "import os; open('\(tree.path)/executed', 'w')\n")
        let python = tree.path.appending("env/bin/python")
        let result = try Freshpyc.start(
            ["precompile", "--environment", "--python", python.description], in: tree.path
        ).finish()
        #expect(result.status == 0 && result.summary.hasPrefix("2 modules: 2 compiled"), "\(result)")
        #expect(tree.exists(tree.pyc("\(site)/thing/venv/__init__.py")) && !tree.exists("executed"))
    }

    @Test func aLinkToASourceOutsideTheTreeIsCopiedAsAFile() throws {
        let (tree, elsewhere) = (try Tree(Self.files), try Tree(["far.py": "x = 'far'\n"]))
        try tree.shell("ln -s \(elsewhere.path)/far.py pkg/near.py")
        #expect(try tree.run("precompile", "--output", "out").status == 0)
        #expect(try tree.run("verify", "--strict", "out").status == 0)
        let run = try python(tree, "import sys; sys.path.insert(0, 'out'); import pkg.near; print(pkg.near.x)")
        #expect(run.output == "far\n", "\(run)")
    }

    @Test func nothingIsWrittenThroughALinkedCache() throws {
        let (tree, outside) = (try Tree(Self.files), try Tree())
        try tree.shell("ln -s \(outside.path) pkg/__pycache__")
        let result = try tree.run("precompile")
        #expect(result.status == 2, "\(result)")
        #expect(try outside.everything().split(separator: "\n").count == 1)
    }

    @Test func repairKeepsTheFileNameAndMode() throws {
        let tree = try Tree(Self.files)
        try tree.run("precompile", "--strip-prefix", tree.path.description, "--prepend-prefix", "/app")
        try tree.shell("printf xx >> $(echo pkg/__pycache__/a.*.pyc); echo 'z = 1' >> pkg/b.py; rm pkg/__init__.py")
        #expect(try tree.run("verify").status == 1)
        let result = try tree.run("verify", "--repair", "--strict")
        #expect(
            result.status == 0 && result.errors.hasPrefix("recompiled pkg/__pycache__/a.")
                && result.errors.contains("\n3 files repaired\n"), "\(result)")
        #expect(try embeddedName(tree, tree.pyc("pkg/a.py")) == "/app/pkg/a.py")
        let run = try python(tree, "import pkg.b; print(pkg.b.z)")
        #expect(run.output == "1\n", "\(run)")
    }
}
