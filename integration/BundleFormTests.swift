// The forms of a bundle other than an archive: a script and a directory.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct BundleFormTests: BundleSuite {
    /// For Python 2, too.
    private static let program = [
        "pyproject.toml": "",
        "app.py": """
        from __future__ import print_function
        import pkgutil, sys
        from shop import cart
        def double(n):
            return n * 2
        if __name__ == '__main__':
            print(cart.total(3), sys.argv[1:], pkgutil.get_data('shop', 'data/rates.txt') == b'2\\n')
            if 'spawn' in sys.argv:
                import multiprocessing
                for method in 'spawn', 'forkserver', 'fork':
                    with multiprocessing.get_context(method).Pool(1) as pool:
                        print(method, pool.map(double, [1, 2]))
            if 'fail' in sys.argv:
                cart.fail()
        """,
        "shop/__init__.py": "", "shop/data/rates.txt": "2\n",
        "shop/cart.py": "def total(n):\n    return n * 2\ndef fail():\n    raise ValueError('no')  # the line\n",
    ]

    private static let spawned = "spawn [2, 4]\nforkserver [2, 4]\nfork [2, 4]\n"

    private func run(_ python: TestPython, _ place: BytePath, _ words: String...) throws -> RunResult {
        try RunningProgram([python.path, BytePath("-B"), place] + words.map { BytePath($0) }, in: BytePath("/"))
            .finish()
    }

    // MARK: Scripts

    @Test func scriptRunsOnPython2And3() throws {
        guard let old = TestPython.series("2.7"), let new = TestPython.series("3.12") else { return }
        let tree = try Tree(Self.program, python: new)
        let script = try place("tool.py")
        defer { Scratch.remove(script.parent) }
        let built = try tree.run(
            "bundle", "app.py", "-o", script.description, "-p", new.path.description, "-p", old.path.description)
        #expect(built.status == 0, "\(built)")
        let text = try #require(Host.contents(script, limit: 1 << 22))
        #expect(text.allSatisfy { $0 == 10 || 32..<127 ~= $0 })
        #expect(text.split(separator: 10).allSatisfy { $0.count <= 76 })
        let others = ["3.6", "3.8", "3.9", "3.13"].compactMap(TestPython.series) + [TestPython.pypy].compactMap { $0 }
        for python in [old, new] + others {
            let result = try run(python, script, "a")
            #expect(result.status == 0 && result.output.hasPrefix("6 ['a'] True"), "\(python): \(result)")
        }
        for python in [new] + others {
            let result = try run(python, script, "spawn")
            #expect(result.status == 0 && result.output.hasSuffix(Self.spawned), "\(python): \(result)")
        }
        let failed = try run(new, script, "fail")
        #expect(failed.status == 1 && failed.errors.contains("raise ValueError('no')  # the line"), "\(failed)")
        #expect(!failed.errors.contains("<string>"), "\(failed)")
        let inspected = try tree.run(["inspect", script.description], usesPython: false)
        #expect(inspected.status == 0 && inspected.output.contains("kind           script"), "\(inspected)")
        #expect(try tree.run(["verify", script.description], usesPython: false).status == 0)
    }

    /// In transfer, scripts are cut, joined, and get other line ends.
    @Test func damagedScriptNeverRuns() throws {
        let tree = try Tree(Self.program)
        let script = try place("tool.py")
        defer { Scratch.remove(script.parent) }
        #expect(try tree.run("bundle", "app.py", "-o", script.description).status == 0)
        let text = try #require(Host.contents(script, limit: 1 << 22))
        let program = try #require(text.firstRange(of: Array("\n##\n".utf8))).upperBound
        let broken = script.parent.appending("broken.py")
        let cuts = [
            30, 200, program / 2, program - 6, program - 1, program + 1, program + 4000, text.count - 100,
            text.count - 3,
        ]
        for cut in cuts {
            try OutputFile.write(Array(text[..<cut]), to: broken)
            let result = try run(tree.python, broken)
            #expect(!result.output.contains("6 "), "cut at \(cut): \(result)")
            #expect(cut < 100 || result.status == 1, "cut at \(cut): \(result)")
            if cut > program {
                #expect(result.errors == "\(broken): this program is incomplete or damaged; copy it again\n")
                #expect(try tree.run(["verify", broken.description], usesPython: false).status == 1)
            }
        }
        try OutputFile.write(text + text, to: broken)
        #expect(try run(tree.python, broken).status == 1)
        try OutputFile.write(text.flatMap { $0 == 10 ? [13, 10] : [$0] }, to: broken)
        #expect(try run(tree.python, broken).output.hasPrefix("6 "))
        let piped = try Program.shell("\(tree.python.path) - < \(script)", in: script.parent)
        #expect(piped.status == 1 && piped.errors.contains("save it as a file"), "\(piped)")
    }

    /// A module beside the program is not a part of it.
    @Test func scriptIgnoresItsNeighbours() throws {
        let tree = try Tree(["pyproject.toml": "", "app.py": "import colorsys\nprint(colorsys.__file__)\n"])
        let script = try place("tool.py")
        defer { Scratch.remove(script.parent) }
        #expect(try tree.run("bundle", "app.py", "-o", script.description).status == 0)
        try OutputFile.write(Array("print('wrong')\n".utf8), to: script.parent.appending("colorsys.py"))
        let result = try run(tree.python, script)
        #expect(result.status == 0 && !result.output.contains("wrong"), "\(result)")
    }

    // MARK: Directories

    @Test(arguments: ["3.6", "3.8", "3.12", "3.13"])
    func directoryRunsFromItsBytecode(_ series: String) throws {
        guard let python = TestPython.series(series) else { return }
        let tree = try Tree(Self.program, python: python)
        let folder = try place("layer")
        defer { Scratch.remove(folder.parent) }
        for options in [[], ["--sourceless"]] {
            let built = try tree.run(["bundle", "app.py", "-o", folder.description + "/"] + options)
            #expect(built.status == 0, "\(built)")
            let result = try run(python, folder, "spawn")
            #expect(result.output.hasSuffix(Self.spawned), "\(result)")
            let log = try RunningProgram(
                [python.path, BytePath("-B"), BytePath("-v"), folder, BytePath("a")], in: BytePath("/")
            ).finish()
            #expect(
                log.errors.contains("code object from '\(folder)/shop/")
                    && !log.errors.contains("code object from \(folder)/shop/"))
            // The same for every user, umask and day.
            let status = try Program.run(
                "find", folder.description, "!", "(", "-type", "d", "-perm", "755", "-o", "-type", "f", "-perm", "644",
                ")")
            #expect(status.output == "", "\(status)")
            let times = try Program.run("find", folder.description, "-newermt", "1980-01-02")
            #expect(times.output == "", "\(times)")
        }
    }

    /// Only what bundle made is replaced, and only by a whole one.
    @Test func directoryIsReplacedWhole() throws {
        let tree = try Tree(Self.program)
        let folder = tree.path.appending("layer")
        _ = try Host.makeDirectory(folder, permissions: 0o755)
        #expect(try tree.run("bundle", "app.py", "--whole", "-o", "layer/").status == 0)
        let first = try Program.run("find", folder.description, "-printf", "%P %s\\n").output
        // An earlier bundle in the project is not a part of the next one.
        #expect(try tree.run("bundle", "app.py", "--whole", "-o", "layer/").status == 0)
        #expect(try Program.run("find", folder.description, "-printf", "%P %s\\n").output == first)
        try tree.shell("echo 'def' > shop/cart.py")
        #expect(try tree.run("bundle", "app.py", "-o", "layer", "--form", "dir").status == 1)
        #expect(try Program.run("find", folder.description, "-printf", "%P %s\\n").output == first)
        try tree.shell("rm layer/.freshpyc-bundle; echo > shop/cart.py; mkdir kept; touch kept/x; touch file")
        for name in ["layer/", "kept/", "file/"] {
            let refused = try tree.run("bundle", "app.py", "-o", name)
            #expect(refused.status == 2 && refused.errors.contains("was not made by bundle"), "\(refused)")
        }
        #expect(try Program.run("ls", "-A", tree.path.description).output.contains(".freshpyc-") == false)
    }

    /// It is not a part of the project around it.
    @Test func directoryIsNoPartOfTheProject() throws {
        let tree = try Tree(Self.program)
        #expect(try tree.run("bundle", "app.py", "-o", "layer/").status == 0)
        let checked = try tree.run("check")
        #expect(checked.errors.contains("3 modules checked"), "\(checked)")
        #expect(try tree.run("build").status == 0)
        #expect(try tree.run("verify", "-q").status == 0)
        let list = try tree.run("bundle", "app.py", "--whole", "--dry-run", "-o", "other/")
        #expect(!list.output.contains("layer"), "\(list)")
        // Its bytecode stays as it is: a mark that no source has to match.
        let header = try Program.shell("head -c 8 layer/__pycache__/app.*.pyc | tail -c 4 | od -An -tx1", in: tree.path)
        #expect(header.output == " 01 00 00 00\n", "\(header)")
    }

    /// A directory with a `__main__.py` and data beside it, in every form.
    @Test(arguments: ["app.pyz", "app.py", "layer/"])
    func dataBesideTheMainScript(_ name: String) throws {
        let tree = try Tree([
            "pyproject.toml": "", "tool/data.txt": "right\n", "tool/other.py": "",
            "tool/__main__.py": """
            import inspect, os, sys, other
            here = os.path.dirname(os.path.abspath(__file__))
            print(open(os.path.join(here, 'data.txt')).read().strip(), os.path.basename(__file__))
            assert 'import inspect' in inspect.getsource(sys.modules['__main__'])
            """,
        ])
        let bundle = try place(name.replacing("/", with: ""))
        defer { Scratch.remove(bundle.parent) }
        let built = try tree.run("bundle", "tool", "--include", "tool/data.txt", "-o", "\(bundle.parent)/\(name)")
        #expect(built.status == 0, "\(built)")
        let result = try run(tree.python, bundle)
        #expect(result.output == "right __main__.py\n", "\(result)")
    }

    /// Directories that are not finished, which another container's process may be writing, stay, and are no part of anything.
    @Test func unfinishedDirectoriesAreLeftAlone() throws {
        let tree = try Tree(Self.program)
        try tree.shell(
            """
            mkdir -p .freshpyc-999999-0123456789abcdef/x .freshpyc-1-0123456789abcdef .freshpyc-999999-fresh
            touch .freshpyc-999999-0123456789abcdef/x/y
            """)
        #expect(try tree.run("bundle", "app.py", "--whole", "-o", "layer/").status == 0)
        #expect(tree.exists(".freshpyc-999999-0123456789abcdef/x/y") && tree.exists(".freshpyc-1-0123456789abcdef"))
        #expect(!tree.exists("layer/x/y"))
    }

    /// The main module's namespace is the program's own, and it ends by a signal as any Python program does.
    @Test func mainModuleIsThatOfTheProgram() throws {
        let tree = try Tree([
            "pyproject.toml": "",
            "app.py": """
            if __name__ == '__main__':
                import os, signal, sys
                print(sorted(name for name in globals() if not name.startswith('__')), sorted(vars(sys.modules['__main__'])) == sorted(globals()))
                sys.stdout.flush()
                if len(sys.argv) > 1:
                    os.kill(os.getpid(), signal.SIGINT)
            """,
        ])
        let folder = try place("x").parent
        defer { Scratch.remove(folder) }
        for name in ["app.pyz", "tool.py", "layer/"] {
            #expect(try tree.run("bundle", "app.py", "-q", "-o", "\(folder)/\(name)").status == 0)
            let result = try run(tree.python, folder.appending(name.replacing("/", with: "")))
            #expect(result.output == "['os', 'signal', 'sys'] True\n", "\(name): \(result)")
            let killed = try Program.shell(
                "\(tree.python.path) -c 'import subprocess, sys; print(subprocess.run(sys.argv[1:], stderr=-1).returncode)' \(tree.python.path) \(folder)/\(name) x | tail -1",
                in: folder)
            #expect(killed.output == "-2\n", "\(name): \(killed)")
        }
    }

    /// A file that nothing imports does not matter.
    @Test func unreadableFiles() throws {
        let tree = try Tree(Self.program.merging(["locked.py": "", "needs.py": "import locked\n"]) { one, _ in one })
        try tree.shell("chmod 0 locked.py")
        func build(_ words: String...) throws -> RunResult {
            try Freshpyc.runWithoutPrivileges(
                ["bundle"] + words + ["-p", tree.python.path.description], in: tree.path)
        }
        guard let home = Host.environment("HOME"), !tree.python.path.isWithin(home) else { return }
        let result = try build("app.py", "--dry-run", "-o", "a.pyz")
        #expect(result.status == 0 && result.output.contains("locked.py is not in the bundle"), "\(result)")
        let needed = try build("needs.py", "--dry-run", "-o", "a.pyz")
        #expect(needed.status == 1, "\(needed)")
    }

    /// Every part of a file is covered by a checksum.
    @Test func verifyNoticesDamage() throws {
        let tree = try Tree(Self.program)
        for (name, places) in [("tool.py", [300, 4000, -300]), ("app", [40, 3000, -3000]), ("a.pyz", [-3000])] {
            #expect(try tree.run("bundle", "app.py", "-q", "-o", name).status == 0)
            #expect(try tree.run(["verify", name], usesPython: false).status == 0)
            for place in places {
                var bytes = try tree.bytes(name)
                let index = place < 0 ? bytes.count + place : place
                bytes[index] = bytes[index] == UInt8(ascii: "b") ? UInt8(ascii: "c") : UInt8(ascii: "b")
                try tree.write("damaged" + (name.hasSuffix(".py") ? ".py" : ""), bytes: bytes)
                let result = try tree.run(
                    ["verify", "damaged" + (name.hasSuffix(".py") ? ".py" : "")], usesPython: false)
                #expect(result.status == 1, "\(name) at \(place): \(result)")
            }
        }
        try tree.write("crlf.py", bytes: try tree.bytes("tool.py").flatMap { $0 == 10 ? [13, 10] : [$0] })
        #expect(try tree.run(["verify", "crlf.py"], usesPython: false).status == 0)
        // A script that claims to have three gigabytes.
        let text = String(decoding: try tree.bytes("tool.py"), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("# Bytes and checksum: ") })
        let words = line.split(separator: " ")
        try tree.write(
            "bomb.py", text.replacing(line, with: "# Bytes and checksum: 3000000000 \(words[words.count - 1])"))
        #expect(try Program.shell("ulimit -v 8000000; \(Freshpyc.path) verify bomb.py", in: tree.path).status == 1)
    }

    // MARK: What the user names

    @Test func excludedDataAndEntriesThatDoNotExist() throws {
        let tree = try Tree(Self.program.merging(["shop/page.html": "", "shop/unused.py": ""]) { one, _ in one })
        for pattern in ["*.html", "shop/page.html", "shop/*.html"] {
            let list = try tree.run("bundle", "app.py", "--whole", "--dry-run", "-o", "x.pyz", "--exclude", pattern)
            #expect(!list.output.contains("page.html") && !list.output.contains("matches nothing"), "\(list)")
            #expect(list.output.contains("shop/data/rates.txt"))
        }
        let sources = try tree.run(
            "bundle", "app.py", "--whole", "--dry-run", "-o", "x.pyz", "--exclude", "shop/unused.py")
        #expect(!sources.output.contains("unused") && !sources.output.contains("matches nothing"), "\(sources)")
        let nothing = try tree.run("bundle", "app.py", "--dry-run", "-o", "x.pyz", "--exclude", "*.nosuch")
        #expect(nothing.output.contains("--exclude *.nosuch matches nothing"), "\(nothing)")
        for (words, message) in [
            (["-m", "shop/cart.py", "-o", "x.pyz"], "or -m shop.cart"),
            (["app.py", "x.pyz"], "the file to write goes after -o"),
            (["app.py", "-o", "shop"], "'shop' is a directory; write shop/ for a bundle that is one"),
            (["app.py", "-o", "notes.txt"], "'notes.txt' exists, and was not made by bundle"),
        ] {
            try tree.write("notes.txt", "mine\n")
            let result = try tree.run(["bundle"] + words)
            #expect(result.status == 2 && result.errors.contains(message), "\(result)")
        }
        // A version is no suffix.
        #expect(try tree.run("bundle", "app.py", "-q", "-o", "shop-1.4.0").status == 0)
        #expect(
            try tree.run(["inspect", "shop-1.4.0"], usesPython: false).output.contains("kind           executable"))
        #expect(
            try tree.run("bundle", "app.py", "-q", "-o", "a.pyz", "--shebang", "#!/usr/bin/env python3").status == 0)
        #expect(try tree.bytes("a.pyz").starts(with: "#!/usr/bin/env python3\n".utf8))
    }

    // MARK: Libraries for old Pythons

    @Test func libraryForPython2() throws {
        guard let python = TestPython.series("2.7") else { return }
        let tree = try Tree(Self.program, python: python)
        let library = try place("lib.zip")
        defer { Scratch.remove(library.parent) }
        let ask = "import sys; sys.path.insert(0, '\(library)'); from shop import cart; print(cart.__file__)"
        for (options, name) in [([], "cart.py"), (["--sourceless"], "cart.pyc")] {
            let built = try tree.run(["bundle", "--whole", "-o", library.description] + options)
            #expect(built.status == 0, "\(built)")
            #expect(built.errors.contains("time zone") == options.isEmpty, "\(built)")
            for zone in ["UTC", "Asia/Tokyo"] {
                let result = try RunningProgram(
                    [python.path, BytePath("-c"), BytePath(ask)], in: BytePath("/"), environment: ["TZ": zone]
                ).finish()
                #expect(result.output == "\(library)/shop/\(name)\n", "\(result)")
            }
        }
        let refused = try tree.run("bundle", "app.py", "-o", library.description, "--form", "pyz")
        #expect(refused.status == 2 && refused.errors.contains("--form script"), "\(refused)")
    }
}
