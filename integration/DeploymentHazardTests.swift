// Attempts to make `precompile` deploy wrong bytecode or write outside its output. All must fail.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct DeploymentHazardTests {
    private func loaded(_ tree: Tree, _ file: String) throws -> String {
        let script =
            "import marshal; d = {}; exec(marshal.loads(open('\(file)', 'rb').read()[16:]), d); print(d['x'])"
        return try RunningProgram(
            [tree.python.path, BytePath("-I"), BytePath("-c"), BytePath(script)], in: tree.path
        ).finish().output
    }

    @Test func twoSavesWithinOneSecondAreToldApart() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.shell("touch -d '2020-01-01 00:00:00.1' a.py")
        try tree.shell("\(tree.python.path) -m compileall -q a.py")
        // Compile between two saves within one second, early in that second.
        try tree.shell(
            """
            until [ $(date +%N | cut -c1-1) -lt 3 ]; do sleep 0.05; done
            printf 'x = 1\\n' > a.py; \(tree.python.path) -m compileall -q -f a.py; printf 'x = 2\\n' > a.py; sleep 1.3
            """)
        try tree.run("precompile")
        #expect(try loaded(tree, tree.pyc("a.py")) == "2\n")
    }

    @Test func timesLimitedByTheEpochProveNothing() throws {
        let tree = try Tree(["a.py": "x = 1\n", "d.txt": "data1\n"], isAged: false)
        let epoch = ["SOURCE_DATE_EPOCH": "1000000000"]
        for (mode, file) in [("timestamp", tree.pyc("a.py")), ("unchecked-hash", "out/" + tree.pyc("a.py"))] {
            let words = ["precompile", "--invalidation", mode] + (mode == "timestamp" ? [] : ["--output", "out"])
            try tree.write("a.py", "x = 1\n")
            try tree.run(words, environment: epoch)
            try tree.write("a.py", "x = 2\n")
            try tree.write("d.txt", "data2\n")
            Pause.seconds(1.2)
            try tree.run(words, environment: epoch)
            #expect(try loaded(tree, file) == "2\n", "\(mode)")
        }
        #expect(try tree.bytes("out/a.py") == Array("x = 2\n".utf8) && tree.bytes("out/d.txt") == Array("data2\n".utf8))
    }

    @Test func nothingIsWrittenThroughALinkInACopy() throws {
        let tree = try Tree(["src/pkg/a.py": "x = 1\n", "src/pkg/sub/b.py": "x = 1\n", "victim/a.py": "mine\n"])
        try tree.shell("mkdir out; ln -s ../victim out/pkg")
        let result = try tree.run("precompile", "src", "--output", "out")
        #expect(result.status == 0, "\(result)")
        #expect(try tree.bytes("victim/a.py") == Array("mine\n".utf8) && !tree.exists("victim/sub"))
        #expect(try tree.bytes("out/pkg/a.py") == Array("x = 1\n".utf8))
    }

    @Test func anOutputInsideTheTreeWithAnOddNameIsNotCopied() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        for _ in 0..<3 {
            let result = try tree.run("precompile", "--output", "out[1]*")
            #expect(result.status == 0 && result.summary.hasPrefix("1 module:"), "\(result)")
        }
        #expect(!tree.exists("out[1]*/out[1]*"))
    }

    /// `--manifest /dev/null` must not replace the device with a file.
    @Test func aManifestIsWrittenIntoWhatIsNoRegularFile() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.shell("mkfifo fifo; echo text > target; ln -s target link; ln -s /dev/null null")
        let words = "precompile --quiet --python '\(tree.python.path)' --manifest"
        let read = try Program.shell("timeout 20 cat fifo & '\(Freshpyc.path)' \(words) fifo; wait", in: tree.path)
        #expect(read.status == 0 && read.output.contains("\"a.py\""), "\(read)")
        let shown = try Program.shell("'\(Freshpyc.path)' \(words) /dev/stdout | cat", in: tree.path)
        #expect(shown.status == 0 && shown.output.contains("\"a.py\""), "\(shown)")
        #expect(try tree.run("precompile", "--manifest", "link").status == 0)
        #expect(String(decoding: try tree.bytes("target"), as: UTF8.self).contains("\"a.py\""))
        #expect(try tree.run("precompile", "--manifest", "null").status == 0)
        try tree.shell("test -p fifo; test -L link; test -L null; test -c /dev/null")
        let full = try tree.run("precompile", "--manifest", "/dev/full")
        #expect(full.status == 2 && full.errors.contains("/dev/full: no space left on device"), "\(full)")
    }

    @Test func aFileThatClaimsToBeHugeIsNoTrap() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.run("precompile")
        try tree.shell("truncate -s 8T $(echo __pycache__/*.pyc)")
        #expect(try tree.run("verify").status != 0)
        #expect(try tree.run("precompile").summary.hasPrefix("1 module: 1 compiled"))
    }
}
