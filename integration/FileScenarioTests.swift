// Unusual files in a tree: links, odd names, special files, unreadable files, strange contents and times.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct FileScenarioTests {
    private func expectClean(_ tree: Tree, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try tree.differences() == "", sourceLocation: sourceLocation)
    }

    @Test func scenario11SymbolicLinks() throws {
        let outside = try Tree(["real.py": "x = 1\n", "dir/inner.py": "y = 1\n"])
        let tree = try Tree(["a.py": "x = 1\n", "pkg/b.py": ""])
        let target = outside.path.description
        try tree.shell(
            """
            ln -s . loop; ln -s ../pkg pkg/again; ln -s nowhere.py dangling.py; ln -s nowhere 'pkg/.#b.py'
            ln -s \(target)/real.py linked.py; ln -s \(target)/dir outdir
            mkdir linkedcache; echo 'z = 1' > linkedcache/z.py; mkdir \(target)/cache; ln -s \(target)/cache linkedcache/__pycache__
            find . -name '*.py' -type f -exec touch -d '1 hour ago' {} +
            """)
        let before = try outside.everything()
        let result = try tree.run("build")
        #expect(result.status == 2, "\(result)")
        #expect(
            result.lines.count == 1
                && result.lines[0].hasPrefix(
                    "linkedcache/z.py: error: cannot write linkedcache/__pycache__: it is a symbolic link;"),
            "\(result)")
        #expect(result.summary.hasPrefix("4 modules: 3 compiled, 0 up to date, 1 failed"), "\(result)")
        #expect(try outside.everything() == before, "something was written outside of the tree")
    }

    @Test func scenario12Names() throws {
        let tree = try Tree([
            "with space.py": "a = 1\n", "quote'\".py": "b = 1\n", "new\nline.py": "c = 1\n", "ünïcode.py": "d = 1\n",
        ])
        let odd = try #require(BytePath(Array("bytes-".utf8) + [0xFF, 0xFE] + Array(".py".utf8)))
        try tree.write(odd, bytes: Array("e = 1\n".utf8))
        let longest = String(repeating: "l", count: 252) + ".py"
        try tree.write(longest, "f = 1\n")
        try tree.age()
        let result = try tree.run("build")
        // The name is legal, but its bytecode's name is too long for the file system.
        #expect(result.status == 2 && result.lines.count == 1, "\(result)")
        #expect(result.output.contains("file name too long") && result.output.contains("shorten the file's name"))
        #expect(result.summary.hasPrefix("6 modules: 5 compiled, 0 up to date, 1 failed"), "\(result)")
        try tree.shell("rm \(longest)")
        try expectClean(tree)
        #expect(try tree.run("build").summary.hasPrefix("5 modules: 0 compiled, 5 up to date"))
        // A name with a line break is printed as one line, also in JSON. JSON keeps its exact bytes.
        try tree.write("new\nline.py", "def\n")
        try tree.write(odd, bytes: Array("def\n".utf8))
        let failing = try tree.run("check", "--format", "json")
        #expect(failing.output.contains("\"pathBytes\":\"62797465732dfffe2e7079\""), "\(failing)")
        #expect(try tree.run("check").lines.count == 2)
    }

    @Test func scenario12PathsLongerThanPathMax() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let script =
            "import os\nfor _ in range(25):\n  os.mkdir('d' * 200); os.chdir('d' * 200)\nopen('deep.py', 'w').write('x = 1')"
        #expect(try Program.run(tree.python.path.description, "-c", script, in: tree.path).status == 0)
        let result = try tree.run("build")
        #expect(result.summary.contains("1 compiled"), "\(result)")
        #expect(result.output.contains("file name too long"), "\(result)")
        #expect(result.status == 2)
    }

    @Test func scenario13SpecialFiles() throws {
        let tree = try Tree(["a.py": "x = 1\n", "d.py/inside.py": "y = 1\n"])
        try tree.shell(
            "mkfifo fifo.py; ln -s fifo.py tofifo.py; ln -s /dev/zero zero.py; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock.py\")'"
        )
        let result = try tree.run("build")
        #expect(result.status == 0 && result.summary.hasPrefix("2 modules: 2 compiled"), "\(result)")
        let named = try tree.run("build", "fifo.py")
        #expect(named.status == 2 && named.errors.contains("is not a Python source"), "\(named)")
    }

    @Test func scenario14UnreadableFiles() throws {
        let tree = try Tree(["a.py": "x = 1\n", "b.py": "y = 1\n", "dir/c.py": "z = 1\n"])
        try tree.shell("chmod 0 b.py dir; chmod 777 .")
        let root = try asNobody(tree, "build")
        #expect(root.status == 2, "\(root)")
        #expect(root.output.contains("b.py: error: cannot read the file: permission denied"), "\(root)")
        #expect(root.output.contains("dir: error: cannot read the directory: permission denied"), "\(root)")
        #expect(root.summary.hasPrefix("2 modules: 1 compiled, 0 up to date, 1 failed"), "\(root)")
        try tree.shell("chmod 644 b.py; chmod 755 dir; chmod 777 . dir")
        let later = try asNobody(tree, "build")
        #expect(later.status == 0 && later.summary.hasPrefix("3 modules: 2 compiled, 1 up to date"), "\(later)")
    }

    @Test func scenario15StrangeContents() throws {
        let tree = try Tree([
            "empty.py": "", "bom.py": "\u{FEFF}x = 1\n", "crlf.py": "x = 1\r\ny = '''a\r\nb'''\r\n",
            "cr.py": "x = 1\ry = 2\r",
            "formfeed.py": "x = 1\n\u{0C}\ny = 2\n", "noend.py": "x = 1", "latin1.py": "# coding: latin-1\nx = 'a'\n",
            "nest.py": "x = " + String(repeating: "(", count: 5000) + String(repeating: ")", count: 5000) + "\n",
            "deep.py": "x = " + String(repeating: "-", count: 200_000) + "1\n", "cookie.py": "# coding: bogus\n",
            "surrogate.py": "x = '\\ud800'\n", "bytes.py": "x = b'\\xff'\n",
        ])
        try tree.write("nul.py", bytes: [0x78, 0x3D, 0x31, 0, 0x0A])
        try tree.age()
        let result = try tree.run("build")
        #expect(result.status == 1, "\(result)")
        let failed = Set(result.lines.map { String($0.prefix { $0 != ":" }) })
        #expect(failed.isSuperset(of: ["nest.py", "cookie.py", "nul.py"]), "\(result)")
        #expect(result.lines.count == failed.count, "one diagnostic each\n\(result)")
        try expectClean(tree)
    }

    @Test func scenario15And20AFileThatKillsTheCompiler() throws {
        let tree = try Tree(["a.py": "x = 1\n", "b.py": "y = 1\n"])
        // Large enough to keep a worker busy for a while.
        try tree.write("big.py", String(repeating: "x = [1, 2, (3, 4), {5: 6}]\n", count: 150_000))
        let timed = try tree.run("build", "--timeout", "0.5")
        #expect(timed.status == 1, "\(timed)")
        #expect(
            timed.lines.count == 1 && timed.output.contains("big.py: error: ") && timed.output.contains("[timeout]"),
            "\(timed)")
        #expect(timed.summary.hasPrefix("3 modules: 2 compiled, 0 up to date, 1 failed"), "\(timed)")
        // Again, with workers that are killed whenever they compile it.
        let build = try Freshpyc.start(
            ["build", "--force", "--jobs", "2", "--python", tree.python.path.description], in: tree.path)
        for _ in 0..<60 where build.errors.isEmpty {
            Pause.seconds(0.4)
            _ = try Program.shell("kill -KILL $(cat /proc/\(build.identifier)/task/*/children) || true", in: tree.path)
        }
        let killed = build.finish()
        #expect(killed.status == 1 && killed.output.contains("[compiler-crash]"), "\(killed)")
        #expect(killed.output.contains("was killed whenever it compiled this file (signal 9"), "\(killed)")
    }

    @Test func scenario15AndA100MegabyteSource() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.shell(
            "{ yes '# a comment of some length that fills the file' | head -c 100000000; echo; echo 'x = 1'; } > large.py; touch -d '1 hour ago' large.py"
        )
        let result = try tree.run("build")
        #expect(result.status == 0 && result.summary.hasPrefix("2 modules: 2 compiled"), "\(result)")
    }

    @Test func scenario16TimesAndSizes() throws {
        let tree = try Tree([
            "past.py": "a = 1\n", "future.py": "b = 1\n", "epoch.py": "c = 1\n", "round.py": "d = 1\n",
        ])
        try tree.shell(
            """
            touch -d '1960-01-01 00:00:00.5 UTC' past.py; touch -d '2110-06-01 UTC' future.py; touch -d '@0' epoch.py
            touch -d '2020-01-01 00:00:00.99999999 UTC' round.py
            truncate -s 5G sparse.py
            """)
        let result = try tree.run("build")
        #expect(
            result.status == 1 && result.output.contains("sparse.py: error: the file is larger than 256 MiB"),
            "\(result)")
        #expect(result.summary.hasPrefix("5 modules: 4 compiled"), "\(result)")
        try tree.shell("rm sparse.py")
        // A later save could have the same time if it is in the future, so the file stays guarded.
        #expect(try tree.differences(mode: "guarded") == "")
        #expect(try tree.run("build").summary.hasPrefix("4 modules: 0 compiled, 4 up to date"))
    }

    @Test func scenario17UnwritableDirectories() throws {
        let tree = try Tree(["a/x.py": "x = 1\n", "a/y.py": "y = 1\n", "b/z.py": "z = 1\n", "c.py": "c = 1\n"])
        try tree.shell(
            "mkdir b/__pycache__ a/__pycache__; chmod 555 a/__pycache__; rmdir b/__pycache__; echo file > b/__pycache__; chmod 777 . b"
        )
        let result = try asNobody(tree, "build")
        #expect(result.status == 2, "\(result)")
        #expect(result.lines.count == 2, "reported once for each directory\n\(result)")
        #expect(result.output.contains("cannot write a/__pycache__: permission denied; make it writable"))
        #expect(result.output.contains("cannot write b/__pycache__: not a directory; remove or rename"))
        #expect(result.summary.hasPrefix("4 modules: 1 compiled, 0 up to date, 3 failed"), "\(result)")
        try tree.shell("chmod 777 a/__pycache__; rm b/__pycache__")
        #expect(try asNobody(tree, "build").summary.hasPrefix("4 modules: 3 compiled, 1 up to date"))
        // A read-only tree can still be checked.
        try tree.shell("chmod -R a-w .")
        #expect(try asNobody(tree, "check").status == 0)
        let denied = try asNobody(tree, "build", "--state-dir", "/proc/nowhere")
        #expect(denied.status == 2 && denied.errors.contains("use --state-dir DIR"), "\(denied)")
    }

    @Test func aDirectoryInThePlaceOfBytecodeIsNamed() throws {
        let tree = try Tree(["a.py": "x = 1\n", "b.py": "x = 1\n", "c.py": "x = 1\n"])
        try tree.run("build")
        try tree.shell("cd __pycache__; for file in a*.pyc b*.pyc; do rm $file; mkdir $file; done")
        let result = try tree.run("build")
        #expect(result.status == 2 && result.lines.count == 2, "\(result)")
        for name in ["a", "b"] {
            #expect(
                result.output.contains("\(name).py: error: cannot write __pycache__/\(name).")
                    && result.output.contains(".pyc: is a directory; remove or rename what is in its place"),
                "\(result)")
        }
        try tree.shell("rmdir __pycache__/a*.pyc __pycache__/b*.pyc")
        #expect(try tree.run("build").summary.hasPrefix("3 modules: 2 compiled, 1 up to date"))
    }

    /// Runs as a user subject to permissions, if the tests run as root.
    private func asNobody(_ tree: Tree, _ words: String...) throws -> RunResult {
        guard try Program.run("id", "-u").output == "0\n" else { return try tree.run(words) }
        let python = try #require(
            ["/usr/bin/python3"].first { Host.isExecutable(BytePath($0)) },
            "needs an interpreter that everybody may run")
        try tree.shell("chown -R nobody .")
        let binary = Scratch.unique("binary")
        defer { Scratch.remove(binary) }
        // The user `nobody` may have no access to the build directory.
        try Program.run("install", "-m", "755", Freshpyc.path.description, binary.description)
        let libraries = try Program.shell(
            "ldd \(binary) | awk '/swift|dispatch|Foundation|Blocks/ {print $3; exit}' | xargs -r dirname",
            in: tree.path)
        let prefix = libraries.output.split(separator: "\n").first.map { "LD_LIBRARY_PATH=\($0)" } ?? "A=1"
        return try RunningProgram(
            ["/usr/bin/env", "setpriv", "--reuid=65534", "--clear-groups", "env", prefix, binary.description].map {
                BytePath($0)
            }
                + words.map { BytePath($0) } + [BytePath("--python"), BytePath(python)], in: tree.path
        ).finish()
    }

    @Test func scenario19BytecodeOfAnotherInterpreter() throws {
        guard let other = TestPython.series("3.11") ?? TestPython.series("3.10") else {
            try Test.cancel("needs Python 3.11 or 3.10 besides the standard one")
        }
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.run("build")
        try tree.shell(
            "\(other.path) -c \"import py_compile; py_compile.compile('a.py', cfile='\(tree.pyc("a.py"))')\"")
        let result = try tree.run("build", "--format", "json")
        if other.cacheTag != tree.python.cacheTag {
            #expect(result.output.contains("\"compiled\":1"), "\(result)")
        }
        try expectClean(tree)
    }

    @Test func scenario25AFullDisk() throws {
        let tree = try Tree()
        let mount = tree.path.appending("disk")
        try tree.shell("mkdir disk")
        let mounted = try Program.run("mount", "-t", "tmpfs", "-o", "size=1m", "none", mount.description)
        guard mounted.status == 0 else { try Test.cancel("no permission to mount a file system") }
        defer { _ = try? Program.run("umount", mount.description) }
        try tree.shell(
            "for i in 1 2 3 4 5 6; do for j in $(seq 300); do echo \"x$j = [$j, 'text', {$j: $i}]\"; done > disk/m$i.py; done; "
                + "touch -d '1 hour ago' disk/*.py; cat /dev/zero > disk/filler 2>/dev/null || true")
        let full = try tree.run("build", "disk", "--state-dir", tree.path.appending("state").description)
        #expect(full.status == 2 && full.output.contains("no space left on device"), "\(full)")
        #expect(try Program.shell("find disk -name '.freshpyc-*'", in: tree.path).output == "", "temporary files stay")
        try tree.shell("rm disk/filler")
        let healed = try tree.run("build", "disk", "--state-dir", tree.path.appending("state").description)
        #expect(healed.status == 0, "\(healed)")
        try expectClean(tree)
    }
}
