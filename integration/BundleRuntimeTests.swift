// Bundles with their interpreter: they run where nothing but the C library is, and lay the interpreter out safely.

import BasicTypes
import Glibc
import LinuxSystem
import Testing

@Suite struct BundleRuntimeTests: BundleSuite {
    private static let python = TestPython.series("3.12") ?? TestPython.standard

    private static let store = Scratch.unique("store")

    /// Builds an executable in a directory of its own.
    private func build(
        _ source: String, _ options: [String] = [], python: TestPython? = python
    ) throws -> (program: BytePath, cache: BytePath) {
        let tree = try Tree(["pyproject.toml": "", "app.py": source], python: python)
        let program = try place("app")
        // The standard library is compiled once for all tests.
        let built = try tree.run(
            ["bundle", "app.py", "-o", program.description, "--with-interpreter"] + options,
            environment: ["FRESHPYC_STORE": Self.store.description])
        #expect(built.status == 0, "\(built)")
        return (program, program.parent.appending("cache"))
    }

    /// Imports the module that its first argument names. Built once for all tests.
    private static let shared = Result {
        try BundleRuntimeTests().build("import importlib, sys\nprint(importlib.import_module(sys.argv[1]).__name__)\n")
            .program
    }

    /// A cache of its own for one test, beside which a program may lie.
    private func emptyCache() throws -> BytePath {
        let folder = Scratch.unique("cache")
        _ = try Host.makeDirectory(folder, permissions: 0o755)
        return folder
    }

    private func run(_ program: BytePath, _ words: String..., in cache: BytePath, more: [String: String] = [:]) throws
        -> RunResult
    {
        try RunningProgram(
            [program] + words.map { BytePath($0) }, in: BytePath("/"),
            environment: ["XDG_CACHE_HOME": cache.description].merging(more) { $1 }
        ).finish()
    }

    private static let program = """
        import bz2, ctypes, hashlib, json, lzma, sqlite3, ssl, subprocess, sys, threading, unicodedata, zlib
        print(sqlite3.connect(':memory:').execute('select 41 + 1').fetchone()[0], hashlib.sha256(b'').hexdigest()[:6])
        print('\\N{SNOWMAN}'.encode('unicode_escape'), 'x'.encode('idna'), len(lzma.compress(bz2.compress(b''))) > 1)
        thread = threading.Thread(target=print, args=['in a thread'])
        thread.start()
        thread.join()
        done = subprocess.run([sys.executable, '-c', 'import json; print(json.dumps(1))'], stdout=subprocess.PIPE)
        print(done.stdout, sys.flags.isolated, sys.argv[1:])
        sys.exit(3)
        """
    private static let wanted = "42 e3b0c4\nb'\\\\u2603' b'x' True\nin a thread\nb'1\\n' 1 ['a', 'b c']\n"

    /// A root directory with the C library alone, without /proc and /dev.
    @Test(arguments: ["none", "deflate"])
    func runsWithoutPython(_ compression: String) throws {
        guard geteuid() == 0 else { return }
        let (program, _) = try build(Self.program, ["--compress", compression])
        defer { Scratch.remove(program.parent) }
        let root = program.parent.appending("root")
        let made = try Program.shell(
            """
            mkdir -p \(root)/tmp \(root)/lib64
            for file in /lib64/ld-linux* /lib/*-linux-gnu/lib[cm].so.6 /lib/*-linux-gnu/libdl.so.2 \
                /lib/*-linux-gnu/libpthread.so.0 /lib/*-linux-gnu/libutil.so.1; do
              mkdir -p \(root)$(dirname $file); cp -L $file \(root)$file
            done
            cp \(program) \(root)/app
            """, in: program.parent)
        #expect(made.status == 0, "\(made)")
        for _ in 0..<2 {
            let result = try Program.shell(
                "env -i PATH=/usr/sbin:/sbin:/usr/bin:/bin chroot \(root) /app a 'b c'", in: program.parent)
            #expect(result.status == 3 && result.output == Self.wanted, "\(result)")
        }
    }

    @Test func standardLibraryIsReachedOrAll() throws {
        let (reached, cache) = (try Self.shared.get(), try emptyCache())
        defer { Scratch.remove(cache) }
        #expect(try run(reached, "shutil", in: cache).output == "shutil\n")
        #expect(try run(reached, "wave", in: cache).errors.contains("No module named 'wave'"))
        let (all, other) = try build(
            "import importlib, sys\nprint(importlib.import_module(sys.argv[1]).__name__)\n", ["--stdlib", "all"])
        defer { Scratch.remove(all.parent) }
        for name in ["wave", "json.tool", "xml.dom.minidom", "zoneinfo", "curses.ascii", "unittest.mock"] {
            let result = try run(all, name, in: other)
            #expect(result.output == "\(name)\n", "\(result)")
        }
    }

    @Test func sameBytesFromEveryPlace() throws {
        let one = try Self.shared.get()
        let (other, _) = try build("import importlib, sys\nprint(importlib.import_module(sys.argv[1]).__name__)\n")
        defer { Scratch.remove(other.parent) }
        #expect(Host.contents(one, limit: 1 << 28) == Host.contents(other, limit: 1 << 28))
        let tree = try Tree([:])
        let verified = try tree.run(["verify", one.description], usesPython: false)
        #expect(verified.status == 0, "\(verified)")
        let inspected = try tree.run(["inspect", one.description], usesPython: false)
        #expect(inspected.output.contains("interpreter    "), "\(inspected)")
    }

    // MARK: The cache

    /// Damage is repaired; what others could have written is not used.
    @Test func damagedCopyIsReplaced() throws {
        let (program, cache) = (try Self.shared.get(), try emptyCache())
        defer { Scratch.remove(cache) }
        let folder = cache.appending("freshpyc/bundles")
        #expect(try run(program, "shutil", in: cache).output == "shutil\n")
        let damages = [
            "rm */lib/python3*/os.pyc", "rm -r */lib", ": > $(echo */bin/*)", "chmod g+w */bin/python*",
            "rm */bin/* && ln -s /bin/true $(echo */bin)/python3.12", "chmod o+w .",
            "mv $(echo */lib) $(echo *)/lab",
            "for d in *; do rm -r $d; echo > $d; done",
        ]
        for damage in damages {
            let done = try Program.shell(damage, in: folder)
            #expect(done.status == 0, "\(damage): \(done)")
            let result = try run(program, "shutil", in: cache, more: ["TMPDIR": cache.description])
            #expect(result.output == "shutil\n" || damage.contains("echo >"), "\(damage): \(result)")
            _ = try Program.shell("chmod o-w .; rm -rf x .old* [0-9a-f]*", in: folder)
            #expect(try run(program, "shutil", in: cache).output == "shutil\n", "after \(damage)")
        }
    }

    /// A damaged copy says so, and leaves nothing that another copy would take.
    @Test func damagedFileIsNotLaidOut() throws {
        let (program, cache) = (try Self.shared.get(), try emptyCache())
        defer { Scratch.remove(cache) }
        var bytes = try #require(Host.contents(program, limit: 1 << 28))
        let place = try #require(
            bytes.firstRange(of: Array("libpython".utf8))?.lowerBound ?? bytes.indices.dropFirst(500_000).first)
        for index in place + 4096..<place + 4160 { bytes[index] ^= 0xFF }
        let copy = cache.appending("copy")
        try OutputFile.write(bytes, to: copy)
        #expect(try Program.run("chmod", "+x", copy.description).status == 0)
        let result = try run(copy, "shutil", in: cache)
        #expect(
            result.status == 127 && result.errors == "\(copy): this bundle is damaged; copy it again\n", "\(result)")
        #expect(try run(program, "shutil", in: cache).output == "shutil\n")
        #expect(try Program.run("ls", cache.appending("freshpyc/bundles").description).output.count == 33)
    }

    /// An empty cache, and one that is damaged.
    @Test(arguments: ["true", "rm */lib/python3*/shutil.pyc", "chmod -x */bin/*"])
    func manyStartsAtOnce(_ damage: String) throws {
        let (program, cache) = (try Self.shared.get(), try emptyCache())
        defer { Scratch.remove(cache) }
        if damage != "true" {
            _ = try run(program, "json", in: cache)
            #expect(try Program.shell(damage, in: cache.appending("freshpyc/bundles")).status == 0)
        }
        let result = try Program.shell(
            "for i in $(seq 24); do XDG_CACHE_HOME=\(cache) \(program) shutil & done; wait", in: cache)
        #expect(result.output == String(repeating: "shutil\n", count: 24), "\(result)")
        #expect(try Program.run("ls", cache.appending("freshpyc/bundles").description).output.count == 33)
    }

    /// Without a place that can be written, or with a full one, it says what to do.
    @Test func sayWhatToDo() throws {
        guard geteuid() == 0 else { return }
        let (program, cache) = (try Self.shared.get(), try emptyCache())
        defer { Scratch.remove(cache) }
        let full = cache.appending("full")
        #expect(try Program.shell("mkdir full && mount -t tmpfs -o size=4m none full", in: cache).status == 0)
        defer { _ = try? Program.shell("umount full", in: cache) }
        let result = try run(program, "shutil", in: full, more: ["TMPDIR": full.description])
        #expect(
            result.status == 127
                && result.errors
                    == "\(program): cannot unpack the Python in this file: no space left; set XDG_CACHE_HOME or TMPDIR to a directory that can be written and that may have programs\n",
            "\(result)")
        #expect(try Program.shell("find full -type f ! -name .lock", in: cache).output == "")
        // Another one serves.
        let other = try run(program, "shutil", in: full, more: ["TMPDIR": cache.description])
        #expect(other.output == "shutil\n", "\(other)")
        #expect(try Program.shell("mount -o remount,noexec,size=400m full", in: cache).status == 0)
        let second = try run(program, "shutil", in: full, more: ["TMPDIR": cache.description])
        #expect(second.output == "shutil\n", "\(second)")
    }

    /// A mask that takes away the user's own rights, and the home directory of another user, as after sudo.
    @Test func strangeEnvironments() throws {
        guard geteuid() == 0 else { return }
        let (program, cache) = (try Self.shared.get(), try emptyCache())
        defer { Scratch.remove(cache) }
        let masked = try Program.shell("umask 0777; XDG_CACHE_HOME=\(cache) \(program) shutil", in: cache)
        #expect(masked.output == "shutil\n", "\(masked)")
        let home = try Program.shell(
            "mkdir home tmp; chown 65534 home; unset XDG_CACHE_HOME; HOME=$PWD/home TMPDIR=$PWD/tmp \(program) shutil; ls -A home tmp",
            in: cache)
        #expect(home.output == "shutil\nhome:\n\ntmp:\nfreshpyc-0\n", "\(home)")
    }

    /// What no bundle has used for a month is removed when another is laid out, unless it is running.
    @Test func oldCopiesAreRemoved() throws {
        let (program, cache) = try build("import wave\nprint('right')\n")
        let (waiting, _) = try build("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
        defer { for place in [program, waiting] { Scratch.remove(place.parent) } }
        let folder = cache.appending("freshpyc/bundles")
        let running = try RunningProgram(
            [waiting], in: BytePath("/"), environment: ["XDG_CACHE_HOME": cache.description])
        defer { running.send(.kill) }
        for _ in 0..<600 where !running.outputSoFar.contains("up") { Pause.seconds(0.05) }
        _ = try Program.shell(
            "mkdir -p $(printf %032d 0) other .new-1 .new-2 && touch -d '40 days ago' * && touch -d '2 days ago' .new-1",
            in: folder)
        #expect(try run(program, in: cache).output == "right\n")
        let left = try Program.run("ls", "-A", folder.description).output.split(separator: "\n")
        #expect(left.count == 5 && left.contains(".new-2") && left.contains("other"), "\(left)")
    }

    /// The mark of a first start must not reach another Python, whose neighbours are not ours to remove.
    @Test func nothingElseIsRemoved() throws {
        let (program, cache) = try build(
            "import os, sys\nprint(sys.orig_argv[1:2] == ['-I'], sys._xoptions)\nos.execv(sys.argv[1], [sys.argv[1]] + sys.orig_argv[1:3] + ['x'])\n"
        )
        defer { Scratch.remove(program.parent) }
        let python = try #require(Self.python)
        let tree = try Tree([:])
        try tree.shell("\(python.path) -m venv --without-pip env; mkdir old; touch -d '2 years ago' old")
        let result = try run(
            program, tree.path.appending("env/bin/python").description, in: cache, more: ["PYTHONEXECUTABLE": "/x"])
        #expect(result.output.hasPrefix("True {}\n") && tree.exists("old"), "\(result)")
        for flag in ["freshpyc=new", "freshpyc"] {
            let bundle = program.parent.appending("a.pyz")
            try tree.write("app.py", "print(1)\n")
            #expect(try tree.run("bundle", "app.py", "-o", bundle.description).status == 0)
            _ = try Program.run(tree.path.appending("env/bin/python").description, "-X", flag, bundle.description)
            #expect(tree.exists("old"))
        }
    }

    // MARK: Options

    @Test func optionsThatDoNotFit() throws {
        let tree = try Tree(["pyproject.toml": "", "app.py": ""])
        let cases: [([String], String)] = [
            (
                ["-o", "a.pyz", "--form", "pyz", "--with-interpreter"],
                "--with-interpreter needs --form executable or dir"
            ),
            (["-o", "a", "--stdlib", "all"], "--stdlib needs --with-interpreter"),
            (["-o", "a", "--with-interpreter", "-p", "3.12", "-p", "3.13"], "includes one Python"),
        ]
        for (words, message) in cases {
            let result = try tree.run(["bundle", "app.py"] + words, usesPython: false)
            #expect(result.status == 2 && result.errors.contains(message), "\(result)")
        }
        guard let pypy = TestPython.pypy else { return }
        let refused = try tree.run(
            ["bundle", "app.py", "-o", "a", "--with-interpreter", "-p", pypy.path.description], usesPython: false)
        #expect(refused.status == 2 && refused.errors.contains("only CPython can"), "\(refused)")
    }

    /// Before 3.10, the names of the standard library are those of its files.
    @Test(arguments: ["3.6", "3.8", "3.9"])
    func extensionModulesOfTheStandardLibraryAreKnown(_ series: String) throws {
        guard let python = TestPython.series(series) else { return }
        let tree = try Tree(["pyproject.toml": "", "app.py": "import zlib, math, unicodedata, _ssl\n"], python: python)
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        let built = try tree.run("bundle", "app.py", "-o", bundle.description)
        #expect(built.status == 0, "\(built)")
    }
}
