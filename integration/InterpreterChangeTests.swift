// Interpreters that are replaced, removed or moved between runs and during them.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct InterpreterChangeTests {
    private let old: TestPython
    private let new: TestPython
    private let tree: Tree
    /// The directory for a test's interpreters.
    private let place: Tree

    init() throws {
        old = try #require(TestPython.series("3.12"))
        new = try #require(TestPython.series("3.13"))
        tree = try Tree(["a.py": "x = [1, 2, 3]\n", "p/__init__.py": "", "p/b.py": "def f():\n    return 'text'\n"])
        place = try Tree()
    }

    private func makeEnvironment(_ name: String, _ python: TestPython) throws {
        try place.shell("rm -rf \(name); \(python.path) -m venv --without-pip \(name)")
    }

    private func build(_ names: String..., verb: [String] = ["build"]) throws -> RunResult {
        let specs = names.flatMap { ["--python", place.path.appending($0).description] }
        return try tree.run(verb + specs, usesPython: false)
    }

    /// Bytecode with a valid header whose code differs from what the interpreter in its name compiles.
    private func wrongBytecode() throws -> String {
        var wrong = ""
        for python in [old, new] {
            let script = """
                import glob, importlib.util, marshal, os, struct
                for path in glob.glob('**/*.\(python.cacheTag).pyc', recursive=True):
                    source = importlib.util.source_from_cache(path)
                    data, name = open(path, 'rb').read(), '\(tree.path)/' + source
                    status = os.stat(source)
                    # Import would not take it.
                    if struct.unpack('<II', data[8:16]) != (int(status.st_mtime), status.st_size): continue
                    code = compile(open(source, 'rb').read(), name, 'exec', 0, True)
                    if data[:4] != importlib.util.MAGIC_NUMBER: print(path, 'has another magic number')
                    elif marshal.loads(data[16:]) != code: print(path, 'has other code')
                """
            let result = try Program.run(python.path.description, "-I", "-c", script, in: tree.path)
            wrong += result.status == 0 ? result.output : "\(result)"
        }
        return wrong
    }

    private func edit(_ name: String = "a.py") throws {
        try tree.write(name, "y = [\(UInt32.random(in: 0 ... .max)), {'k': 2}]\n")
        try tree.shell("touch -d '\(Int.random(in: 3600...9_000_000)) seconds ago' \(name)")
    }

    /// One of two environments that write the same files is skipped, until it is replaced with one that writes other files.
    @Test func aSkippedInterpreterThatIsReplacedCounts() throws {
        try makeEnvironment("a", old)
        try makeEnvironment("b", old)
        defer { _ = try? tree.run(["stop"], usesPython: false) }
        #expect(try build("a/bin/python", "b/bin/python", verb: ["watch", "-b"]).status == 0)
        try makeEnvironment("b", new)
        let answer = try tree.run(["wait"], usesPython: false)
        #expect(answer.status == 0, "\(answer)")
        #expect(tree.exists("__pycache__/a.\(new.cacheTag).pyc"))
        #expect(try wrongBytecode() == "")
    }

    /// Without `--python`, a daemon uses the interpreter of `.venv` as soon as one exists.
    @Test func aNewDefaultEnvironmentIsNoticed() throws {
        let path = ["PATH": "\(old.path.parent):/usr/bin:/bin"]
        defer { _ = try? tree.run(["stop"], usesPython: false) }
        #expect(try tree.run(["watch", "-b"], environment: path, usesPython: false).status == 0)
        for python in [new, old] {
            try tree.shell("rm -rf .venv; \(python.path) -m venv --without-pip .venv")
            try tree.write("a.py", "x = '\(python.version)'\n")
            let answer = try tree.run(["wait"], usesPython: false)
            #expect(answer.status == 0, "\(answer)")
            #expect(try tree.bytes("__pycache__/a.\(python.cacheTag).pyc").count > 0)
        }
        #expect(try wrongBytecode() == "")
    }

    /// The database records the first environment of an interpreter. Builds must still run the requested one.
    @Test func environmentsAreIndependentOfEachOther() throws {
        try makeEnvironment("a", old)
        try makeEnvironment("b", old)
        #expect(try build("a/bin/python").status == 0)
        #expect(try build("b/bin/python").status == 0)
        try place.shell("rm -rf a")
        try edit()
        let without = try build("b/bin/python")
        #expect(without.status == 0 && without.summary.contains("1 compiled"), "\(without)")
        try makeEnvironment("a", new)
        try edit()
        try edit("p/b.py")
        let beside = try build("b/bin/python")
        #expect(beside.status == 0 && beside.summary.contains("2 compiled"), "\(beside)")
        #expect(try wrongBytecode() == "")
        let imported = try Program.run(old.path.description, "-c", "import a, p.b; print(a.y[1]['k'])", in: tree.path)
        #expect(imported.output == "2\n", "\(imported)")
        #expect(try build("a/bin/python").status == 0)
        #expect(try wrongBytecode() == "")
        let last = try build("b/bin/python")
        #expect(last.status == 0 && last.summary.contains("0 compiled"), "\(last)")
    }

    /// A link that is switched back and forth always means the interpreter that it points to.
    @Test func aLinkSwitchedBetweenInterpreters() throws {
        for python in [old, new, old, new, old] {
            try place.shell("ln -sfn \(python.path) python")
            try edit()
            let result = try build("python")
            #expect(result.status == 0 && result.summary.contains("compiled"), "\(result)")
            #expect(tree.exists("__pycache__/a.\(python.cacheTag).pyc"))
            #expect(try wrongBytecode() == "", "\(python)")
            let again = try build("python")
            #expect(again.summary.contains("0 compiled"), "\(again)")
        }
    }

    /// A known path that is no longer an interpreter.
    @Test(arguments: [
        "mkdir python", "printf '#!/bin/sh\\necho hello\\n' > python; chmod +x python", "printf x > python", ":",
        "cp /bin/true python", "ln -s python python",
    ])
    func aPathThatIsNoLongerAnInterpreter(_ replacement: String) throws {
        try place.shell("ln -s \(old.path) python")
        #expect(try build("python").status == 0)
        let before = try tree.everything()
        try place.shell("rm python; \(replacement)")
        try edit()
        let failed = try build("python")
        #expect(failed.status == 2 && failed.errors.contains("python"), "\(failed)")
        #expect(try tree.everything().count == before.count, "nothing was added or removed")
        try place.shell("rm -rf python; ln -s \(old.path) python")
        let repaired = try build("python")
        #expect(repaired.status == 0 && repaired.summary.contains("1 compiled"), "\(repaired)")
        #expect(try wrongBytecode() == "")
    }

    /// A script in place of the interpreter runs another one, and the next run finds a third.
    @Test func aScriptThatRunsAnotherInterpreter() throws {
        for python in [old, new, old] {
            try place.shell(
                "rm -f python; printf '#!/bin/sh\\nexec \(python.path) \"$@\"\\n' > python; chmod +x python")
            try edit()
            #expect(try build("python").status == 0)
            #expect(try wrongBytecode() == "", "\(python)")
        }
    }

    /// The interpreter changes between the probe's worker and the next one of the same run.
    @Test(arguments: [["build"], ["check"]]) func theInterpreterChangesDuringARun(_ verb: [String]) throws {
        for number in 0..<60 { try tree.write("m\(number).py", "x = [\(number), {'k': 2}]\n") }
        try tree.age()
        let script = """
            #!/bin/sh
            if [ -e '\(place.path)/started' ]; then exec \(new.path) "$@"; fi
            : > '\(place.path)/started'
            exec \(old.path) "$@"

            """
        try place.write("python", script)
        try place.shell("chmod +x python")
        let result = try tree.run(
            verb + ["--python", place.path.appending("python").description, "--jobs", "4"], usesPython: false)
        let told = result.errors.split(separator: "\n").filter { $0.contains("has changed from cpython 3.12") }
        let said = result.output.split(separator: "\n").filter { $0.contains("has changed from cpython 3.12") }
        #expect(result.status == 2 && told.count + said.count == 1, "\(result)")
        #expect(try wrongBytecode() == "")
        let next = try tree.run(
            verb + ["--python", place.path.appending("python").description, "--jobs", "4"], usesPython: false)
        #expect(next.status == 0, "\(next)")
        #expect(try wrongBytecode() == "")
    }

    /// A watch continues with the new interpreter, however it was replaced.
    @Test func aWatchWhoseInterpreterIsReplaced() throws {
        try makeEnvironment("env", old)
        let python = place.path.appending("env/bin/python").description
        let daemon = try Freshpyc.start(["watch", "--python", python], in: tree.path)
        tree.eventually("ready") { daemon.errors.contains("ready:") }
        func settle() throws -> RunResult { try tree.run("wait", usesPython: false) }
        #expect(try settle().status == 0)
        // Recreated with another version.
        try makeEnvironment("env", new)
        try tree.write("a.py", "y = [4, {'k': 2}]\n")
        #expect(try settle().status == 0)
        tree.eventually("bytecode of 3.13") { tree.exists("__pycache__/a.\(new.cacheTag).pyc") }
        #expect(try wrongBytecode() == "")
        // Removed and recreated.
        try place.shell("rm -rf env")
        try tree.write("a.py", "y = [5, {'k': 2}]\n")
        let without = try settle()
        #expect(without.status != 0, "\(without)")
        #expect(try importedWrongly() == "")
        daemon.send(.terminate)
        _ = daemon.finish()
        try makeEnvironment("env", old)
        let repaired = try build("env/bin/python")
        #expect(repaired.status == 0, "\(repaired)")
        #expect(try importedWrongly() == "")
    }

    /// The interpreters that import something else than the sources contain.
    private func importedWrongly() throws -> String {
        var wrong = ""
        for python in [old, new] {
            let script = "import sys; sys.dont_write_bytecode = True; import a, p.b; print(a.y)"
            let result = try Program.run(python.path.description, "-c", script, in: tree.path)
            if result.output != "[5, {'k': 2}]\n" { wrong += "\(python): \(result)" }
        }
        return wrong
    }

    /// When a user exceeds the soft limit of pipe memory, a new pipe holds one or two pages, less than worker.py (pipe(7)).
    @Test func manyOtherPipesOfTheSameUser() throws {
        let rights = "-sys_resource,-sys_admin"
        let script = """
            import os, resource, subprocess, sys
            resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))
            pipes = [os.pipe() for _ in range(1200)]
            sys.exit(subprocess.run(sys.argv[1:]).returncode)
            """
        let words = [
            "/usr/bin/setpriv", "--bounding-set=\(rights)", "--inh-caps=\(rights)", old.path.description, "-c", script,
            Freshpyc.path.description, "build", "--python", old.path.description,
        ]
        let result = try RunningProgram(words.map { BytePath($0) }, in: tree.path).finish(within: 60)
        #expect(result.status == 0 && result.summary.contains("3 compiled"), "\(result)")
    }

    /// Finding the column of a warning costs a compilation. Many warnings in a large file must not cause a timeout.
    @Test func manyWarningsInALargeFile() throws {
        let body = String(repeating: "x = [1, 2, 3, {4: 5}, f(6)]\n", count: 15_000)
        let warnings = (0..<70).map { "y\($0) = '\\d'\n" }.joined()
        let tree = try Tree(python: old)
        try tree.write("large.py", body + warnings)
        try tree.age()
        let result = try tree.run("build", "--timeout", "8")
        #expect(result.status == 0 && result.summary.contains("1 compiled"), "\(result.summary)")
        let found = try tree.run("check", "--timeout", "8").output
        #expect(found.contains("large.py:15001:6: warning"), "\(found.prefix(500))")
        #expect(found.contains("large.py:15070"), "\(found.suffix(500))")
    }
}
