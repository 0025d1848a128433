// `verify` finds bad bytecode, no matter which program wrote it, and does not report good bytecode. CPython is the oracle.

import BuildModel
import FoundationEssentials
import LinuxSystem
import Testing

@Suite struct VerifyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// A script run in a built tree; `$A` is the bytecode of a.py, `$TAG` the cache tag.
        let script: String
        /// The expected output: the beginning of each line, in order.
        let lines: [String]
        let status: Int32
        /// The exit status with --strict.
        var strict: Int32?
        var testDescription: String { name }
    }

    private static let sources = ["a.py": "x = 1\n", "b.py": "y = 2\n", "pkg/__init__.py": "", "pkg/c.py": "z = 3\n"]

    private static func built(_ mode: String = "timestamp") throws -> Tree {
        let tree = try Tree(sources)
        let result = try tree.run("build", "--invalidation", mode)
        #expect(result.status == 0, "\(result)")
        return tree
    }

    private static func variables(_ tree: Tree) -> String {
        "A=\(tree.pyc("a.py")) TAG=\(tree.python.cacheTag); "
    }

    @Test(arguments: [
        Case(name: "nothing", script: "true", lines: [], status: 0, strict: 0),
        Case(
            name: "a longer source", script: "echo '# more' >> a.py",
            lines: ["$A: error: compiled from a source of 6 bytes; the source now has 13 [stale-bytecode]"], status: 1),
        Case(
            name: "a touched source", script: "touch -d '2020-01-01 00:00:00 UTC' a.py",
            lines: ["$A: error: compiled from a source modified at "], status: 1),
        Case(
            name: "one extra byte", script: "printf x >> $A",
            lines: ["$A: error: 1 byte after the code [damaged-bytecode]"], status: 1),
        Case(
            name: "one byte missing", script: "truncate -s -1 $A",
            lines: ["$A: error: its code cannot be read: the data ends within an object, at byte "], status: 1),
        Case(
            name: "an empty file", script: "truncate -s 0 $A",
            lines: ["$A: error: it is too short for a header (0 bytes) [damaged-bytecode]"], status: 1),
        Case(
            name: "only a header", script: "truncate -s 16 $A",
            lines: ["$A: error: its code cannot be read: the data ends within an object, at byte 0 of the code"],
            status: 1),
        Case(
            name: "unknown flags", script: #"printf '\004' | dd of=$A bs=1 seek=4 conv=notrunc status=none"#,
            lines: ["$A: error: its header has unknown flags [damaged-bytecode]"], status: 1),
        Case(
            name: "another magic number", script: #"printf '\001\002' | dd of=$A conv=notrunc status=none"#,
            lines: ["$A: error: its magic number is 513, and cpython "], status: 1),
        Case(
            name: "no code object", script: #"(head -c 16 $A; printf N) > x && mv x $A"#,
            lines: ["$A: error: its top object is not a code object [damaged-bytecode]"], status: 1),
        Case(
            name: "a removed source", script: "rm a.py",
            lines: ["$A: warning: its source does not exist; `freshpyc clean` removes it [orphan]"], status: 0,
            strict: 1),
        Case(
            name: "a source that is a broken link", script: "rm a.py; ln -s nowhere a.py",
            lines: ["$A: warning: its source does not exist"], status: 0, strict: 1),
        Case(name: "a source that is a link", script: "mv a.py d.txt; ln -s d.txt a.py", lines: [], status: 0),
        Case(
            name: "another level", script: "cp $A ${A%.pyc}.opt-2.pyc; printf x >> ${A%.pyc}.opt-2.pyc",
            lines: ["__pycache__/a.$TAG.opt-2.pyc: error: 1 byte after the code"], status: 1),
        Case(
            name: "two files for another interpreter",
            script: "cp $A __pycache__/a.cpython-30.pyc; cp $A __pycache__/b.cpython-30.pyc",
            lines: [
                "__pycache__/a.cpython-30.pyc: warning: made for another interpreter (cpython-30, and 1 more), so not verified; use `--python 3.0`"
            ], status: 0, strict: 1),
        Case(
            name: "written by pytest", script: "cp $A __pycache__/a.$TAG-pytest-8.1.1.pyc",
            lines: [], status: 0, strict: 0),
        Case(
            name: "without a source", script: "cp $A d.pyc",
            lines: ["d.pyc: note: there is no source next to it; Python imports it as it is [sourceless]"], status: 0,
            strict: 1),
        Case(
            name: "without a source, and truncated", script: "head -c 40 $A > d.pyc",
            lines: ["d.pyc: error: its code cannot be read: "], status: 1),
        Case(
            name: "without a source, and not bytecode", script: "echo hello, world > d.pyc",
            lines: ["d.pyc: error: its first four bytes are not a magic number [damaged-bytecode]"], status: 1),
        Case(name: "next to its source", script: "cp $A a.pyc", lines: [], status: 0, strict: 0),
        Case(
            name: "next to a changed source",
            script: "cp $A b.pyc; touch -d '2020-01-01' b.py; rm __pycache__/b.*",
            lines: ["b.pyc: error: compiled from a source modified at "], status: 1),
        Case(
            name: "a temporary file of an ended process", script: ": > __pycache__/.freshpyc-999999999-1-1",
            lines: ["__pycache__/.freshpyc-999999999-1-1: warning: a temporary file of a process that has ended"],
            status: 0, strict: 1),
        Case(
            name: "a temporary file of a running process", script: ": > __pycache__/.freshpyc-1-1-1", lines: [],
            status: 0,
            strict: 0),
        Case(
            name: "a link", script: "mv $A x; ln -s ../x $A",
            lines: ["$A: note: a symbolic link; not followed, not verified"], status: 0, strict: 1),
        Case(
            name: "a link to an excluded folder",
            script: "mkdir -p node_modules/out; head -c 20 $A > node_modules/out/d.pyc; ln -s node_modules/out linked",
            lines: [], status: 0, strict: 0),
        Case(name: "no bytecode", script: "rm $A", lines: [], status: 0, strict: 0),
        Case(name: "other files", script: "echo > __pycache__/a.nbi; echo > __pycache__/x.so", lines: [], status: 0),
        Case(
            name: "excluded folders",
            script:
                "mkdir -p venv/lib; touch venv/pyvenv.cfg; cp $A venv/lib/d.pyc; cp -r venv env; mkdir -p x/site-packages; cp $A x/site-packages/d.pyc",
            lines: [], status: 0, strict: 0),
    ])
    func eachDefectIsFound(_ one: Case) throws {
        let tree = try Self.built()
        try tree.shell(Self.variables(tree) + one.script)
        let before = try tree.everything()
        let result = try tree.run("verify")
        #expect(result.status == one.status, "\(result)")
        let expected = one.lines.map {
            $0.replacing("$A", with: tree.pyc("a.py")).replacing("$TAG", with: tree.python.cacheTag)
        }
        #expect(result.lines.count == expected.count, "\(result)")
        for (line, beginning) in zip(result.lines, expected) { #expect(line.hasPrefix(beginning), "\(result)") }
        if let strict = one.strict { #expect(try tree.run("verify", "--strict", "-q").status == strict) }
        #expect(try tree.everything() == before)
    }

    @Test(arguments: ["checked-hash", "unchecked-hash"])
    func hashesAreComparedWithTheSource(_ mode: String) throws {
        let tree = try Self.built(mode)
        // The time does not matter.
        try tree.shell("touch -d '2020-01-01' a.py b.py pkg/*.py")
        let fine = try tree.run("verify")
        #expect(fine.status == 0 && fine.output == "", "\(fine)")
        try tree.shell("stat -c %y a.py > ../$$; printf 'x = 2\\n' > a.py; touch -d \"$(cat ../$$)\" a.py; rm ../$$")
        let stale = try tree.run("verify")
        let runs = mode == "unchecked-hash" ? "; Python runs it anyway (unchecked hash)" : ""
        #expect(stale.status == 1)
        #expect(
            stale.output
                == "\(tree.pyc("a.py")): error: the source's contents changed since it was compiled\(runs) [stale-bytecode]\n"
        )
        #expect(stale.summary.hasSuffix(": 3 valid, 1 stale"), "\(stale)")
    }

    @Test func verifyingNothingIsAnError() throws {
        let tree = try Tree(["a.py": "", "__pycache__/a.cpython-30.pyc": ""])
        let foreign = try tree.run("verify")
        #expect(foreign.status == 2)
        #expect(foreign.errors.contains("freshpyc: nothing was verified: all bytecode belongs to other interpreters;"))
        try tree.shell("rm -r __pycache__")
        let none = try tree.run("verify")
        #expect(none.status == 2 && none.output == "")
        #expect(none.errors.hasPrefix("freshpyc: nothing to verify: no bytecode in . that is not excluded;"), "\(none)")
    }

    @Test func onlyNamedPathsAreVerified() throws {
        let tree = try Self.built()
        try tree.shell(
            Self.variables(tree)
                + "mkdir -p venv/lib/site-packages; touch venv/pyvenv.cfg; head -c 20 $A > venv/lib/site-packages/d.pyc; printf x >> $A"
        )
        #expect(try tree.run("verify", "pkg").status == 0)
        #expect(try tree.run("verify", "b.py", "pkg/c.py").summary.hasSuffix(": 2 valid"))
        #expect(try tree.run("verify", "a.py").status == 1)
        let named = try tree.run("verify", "venv")
        #expect(named.status == 1 && named.output.hasPrefix("venv/lib/site-packages/d.pyc: error: "), "\(named)")
        #expect(try tree.run("verify", "--exclude", "a.py").status == 0)
        let cache = try tree.run("verify", "__pycache__")
        #expect(cache.status == 2)
        #expect(
            cache.errors.hasSuffix("is a bytecode directory; name the directory that contains it: '\(tree.path)'\n"),
            "\(cache)")
    }

    @Test func reportsAsJSON() throws {
        struct Document: Decodable {
            struct Finding: Decodable, Equatable {
                let path: String
                let rule: String
                let severity: String
                let source: String?
                let cacheTag: String?
                let level: Int?
                let invalidation: String?
            }
            let schema: Int
            let verb: String
            let exitStatus: Int
            let counts: [String: Int]
            let findings: [Finding]
        }
        let tree = try Self.built()
        try tree.shell(Self.variables(tree) + "echo >> a.py; rm b.py; echo > d.py")
        let result = try tree.run("verify", "--format", "json", "--quiet")
        #expect(result.status == 1 && result.errors == "")
        let document = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
        #expect(document.schema == 1 && document.verb == "verify" && document.exitStatus == 1)
        #expect(
            document.counts == [
                "verified": 3, "valid": 2, "stale": 1, "damaged": 0, "wrongMagic": 0, "sourceless": 0, "orphans": 1,
                "foreign": 0, "leftovers": 0, "notVerified": 0, "sources": 4, "sourcesWithoutBytecode": 1,
            ])
        #expect(
            document.findings == [
                Document.Finding(
                    path: tree.pyc("a.py"), rule: "stale-bytecode", severity: "error", source: "a.py",
                    cacheTag: tree.python.cacheTag, level: 0, invalidation: "timestamp"),
                Document.Finding(
                    path: tree.pyc("b.py"), rule: "orphan", severity: "warning", source: nil, cacheTag: nil, level: nil,
                    invalidation: nil),
            ])
    }

    /// Bytecode in all modes and levels, some of it damaged at random. CPython runs the files that `verify` reports as valid,
    /// and does not run those that it reports as stale or damaged.
    @Test(arguments: 1...3)
    func cpythonAgrees(_ seed: Int) throws {
        let tree = try Tree()
        let script = #"""
            import os, py_compile, random, sys
            random.seed(int(sys.argv[1]))
            for i in range(120):
                name = 'm%03d.py' % i
                with open(name, 'w') as file:
                    file.write(''.join('def f%d(x, *y):\n    return [x, %r, y, %d]\n' % (j, 'té' * j, j << 40) for j in range(i % 7)))
                os.utime(name, (1.6e9 + i, 1.6e9 + i))
                mode = random.choice(list(py_compile.PycInvalidationMode))
                path = py_compile.compile(name, doraise=True, invalidation_mode=mode, optimize=random.choice([0, 1, 2]))
                data = bytearray(open(path, 'rb').read())
                choice = random.randrange(12)
                if choice == 0: data[random.randrange(len(data))] ^= 1 << random.randrange(8)
                elif choice == 1: del data[random.randrange(len(data)):]
                elif choice == 2: data += b'0'
                elif choice == 3:
                    with open(name, 'a') as file: file.write('#')
                elif choice == 4: os.utime(name, (1.5e9, 1.5e9))
                elif choice == 5: data[random.randrange(16)] ^= 1 << random.randrange(8)
                open(path, 'wb').write(data)
            """#
        let made = try Program.run(tree.python.path.description, "-c", script, "\(seed)", in: tree.path)
        try #require(made.status == 0, "\(made)")
        let oracle = #"""
            import glob, io, marshal, os, types, _imp
            import importlib._bootstrap_external as external, importlib.util
            def verdict(path):
                data = open(path, 'rb').read()
                source = importlib.util.source_from_cache(path)
                try:
                    flags = external._classify_pyc(data, path, {})
                    if flags & 1:
                        external._validate_hash_pyc(data, _imp.source_hash(external._RAW_MAGIC_NUMBER, open(source, 'rb').read()), path, {})
                    else:
                        status = os.stat(source)
                        external._validate_timestamp_pyc(data, int(status.st_mtime), status.st_size, path, {})
                except (ImportError, EOFError):
                    return 'refused'
                stream = io.BytesIO(data[16:])
                try: code = marshal.load(stream)
                except Exception: return 'unreadable'
                return 'runs' if isinstance(code, types.CodeType) and not stream.read(1) else 'refused'
            for path in sorted(glob.glob('__pycache__/*.pyc')): print(path, verdict(path))
            """#
        let told = try Program.run(tree.python.path.description, "-c", oracle, in: tree.path)
        try #require(told.status == 0 && told.lines.count == 120, "\(told)")
        let result = try tree.run("verify")
        let errors = Set(result.lines.filter { $0.contains(": error: ") }.compactMap { $0.split(separator: ":").first })
        for line in told.lines {
            let words = line.split(separator: " ")
            switch words[1] {
            case "runs": #expect(!errors.contains(words[0]), "\(line)\n\(result)")
            case "refused": #expect(errors.contains(words[0]), "\(line)\n\(result)")
            // A flipped bit within a string or a number: bytecode has no checksum, so it may not be noticed.
            default: break
            }
        }
        #expect(errors.count > 20)
    }

    /// With several interpreters at once, each verifies its own bytecode.
    @Test func allInterpreters() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        guard
            let other = ["3.8", "3.10", "3.12", "3.13"].compactMap({ TestPython.series($0) }).first(where: {
                $0.cacheTag != tree.python.cacheTag
            })
        else { return }
        for python in [tree.python, other] {
            _ = try Program.run(python.path.description, "-m", "py_compile", "a.py", in: tree.path)
        }
        let one = try tree.run("verify")
        #expect(
            one.summary.hasSuffix(": 1 valid; not counted: 1 of another interpreter"), "\(one)")
        let both = try tree.run("verify", "--python", other.path.description)
        #expect(both.status == 0 && both.summary.hasSuffix(": 2 valid"), "\(both)")
        let path = [tree.python, other].map(\.path.parent.description).joined(separator: ":")
        let all = try tree.run(
            ["verify", "--python", "all"], environment: ["PATH": path + ":/usr/bin:/bin"], usesPython: false)
        #expect(all.status == 0 && all.summary.hasSuffix(": 2 valid"), "\(all)")
    }

    /// The interpreter works only the first time that it is started.
    @Test func aRepairThatCannotBeginHasStatus2() throws {
        let tree = try Self.built()
        try tree.shell(
            """
            echo '# more' >> a.py
            printf '#!/bin/sh\\n[ -e asked ] && exit 1\\nprintf x > \(tree.path)/asked\\nexec \(tree.python.path) "$@"\\n' > once
            sed -i 's|-e asked|-e \(tree.path)/asked|' once; chmod +x once
            """)
        let result = try tree.run(["verify", "--repair", "--python", "./once"], usesPython: false)
        #expect(result.status == 2, "\(result)")
    }
}
