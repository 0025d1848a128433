// Settings: their sources, their precedence, and the errors for bad ones.

import LinuxSystem
import Testing

@Suite struct ConfigurationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let file: String
        let message: String
        var testDescription: String { file }
    }

    @Test(arguments: [
        Case(file: #"{"pyhton": "3.12"}"#, message: "freshpyc.json: unknown key 'pyhton'; did you mean 'python'?"),
        Case(
            file: #"{"colour": 1}"#,
            message: "freshpyc.json: unknown key 'colour'; the keys are affects, bundles, exclude, exec, "),
        Case(file: #"{"jobs": 0}"#, message: "freshpyc.json: 'jobs' must be a number from 1 to 1024"),
        Case(file: #"{"jobs": "2"}"#, message: "freshpyc.json: 'jobs' must be a number from 1 to 1024"),
        Case(file: #"{"exclude": [1]}"#, message: "freshpyc.json: 'exclude' must be a string or a list of strings"),
        Case(file: #"{"optimize": 3}"#, message: "freshpyc.json: 'optimize' must be 0, 1, 2 or a list of these"),
        Case(
            file: #"{"invalidation": "hash"}"#,
            message: "freshpyc.json: 'invalidation' must be timestamp, checked-hash or unchecked-hash"),
        Case(file: "[]", message: "freshpyc.json:1:1: not an object: the settings belong in { }"),
        Case(file: "{", message: "freshpyc.json:1:2: expected a key in double quotes"),
        Case(file: "{\n  \"jobs\": 2,\n}", message: "freshpyc.json:3:1: expected a key in double quotes"),
        Case(
            file: "{\"jobs\": 2, \"jobs\": 3}", message: "freshpyc.json:1:13: the key 'jobs' is there twice"),
        Case(file: "{\"jobs\" 2}", message: "freshpyc.json:1:9: expected ':' after the key 'jobs'"),
        Case(
            file: #"{"select": "unresolved"}"#,
            message: "freshpyc.json: 'select' must be a rule or a list of rules: syntax-warning"),
        Case(
            file: #"{"source-roots": "lib"}"#, message: "freshpyc.json: 'source-roots': there is no directory $ROOT/lib"
        ),
        Case(
            file: #"{"affects": {"a": 1}}"#,
            message: "freshpyc.json: affects: the value of 'a' must be a pattern or a list of patterns"),
    ])
    func badFilesAreOneLineErrors(_ one: Case) throws {
        let tree = try Tree(["freshpyc.json": one.file, "a.py": ""])
        let result = try tree.run("build")
        #expect(
            result.status == 2
                && result.errors.hasPrefix("freshpyc: \(one.message.replacing("$ROOT", with: tree.path.description))"),
            "\(result)")
        #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
    }

    @Test func theCommandLineWinsOverTheEnvironmentOverTheFile() throws {
        let tree = try Tree([
            "freshpyc.json": #"{"optimize": [1], "exclude": ["skip/"], "invalidation": "checked-hash"}"#,
            "a.py": "x = 1\n",
            "skip/b.py": "",
        ])
        #expect(try tree.run("build").summary.hasPrefix("1 module: 1 compiled"))
        #expect(
            try tree.differences(levels: "1", mode: "checked-hash").split(separator: "\n").count == 1, "only skip/b.py")
        #expect(try tree.run(["build"], environment: ["FRESHPYC_OPTIMIZE": "2"]).status == 0)
        #expect(tree.exists(tree.pyc("a.py", level: 2)) && !tree.exists(tree.pyc("a.py")))
        #expect(try tree.run(["build", "-O0"], environment: ["FRESHPYC_OPTIMIZE": "2"]).status == 0)
        #expect(tree.exists(tree.pyc("a.py")))
        let bad = try tree.run(["build"], environment: ["FRESHPYC_JOBS": "many"])
        #expect(
            bad.status == 2 && bad.errors == "freshpyc: FRESHPYC_JOBS: 'many' is not a number from 1 to 1024\n",
            "\(bad)")
        let shown = try tree.run(["status", "--config"], environment: ["FRESHPYC_JOBS": "3"], usesPython: false)
        let rows = shown.lines.map { $0.split(separator: " ") }
        #expect(rows.contains(["jobs", "3", "FRESHPYC_JOBS"]), "\(shown)")
        #expect(rows.contains(["invalidation", "checked-hash", "freshpyc.json"]), "\(shown)")
    }

    @Test func pyprojectIsReadByAnInterpreterAndRemembered() throws {
        let python = try #require(TestPython.standard)
        guard try Program.run(python.path.description, "-c", "import tomllib").status == 0 else {
            try Test.cancel("needs Python 3.11 or newer for tomllib")
        }
        let path = ["PATH": "\(python.path.parent):/usr/bin:/bin"]
        let tree = try Tree([
            "pyproject.toml": "[project]\nname = 'x'\n[tool.freshpyc]\noptimize = [0, 2]\nexclude = 'skip/'\n",
            "a.py": "x = 1\n",
            "skip/b.py": "",
        ])
        #expect(try tree.run(["build"], environment: path).summary.hasPrefix("1 module: 1 compiled"))
        #expect(try tree.run(["build"], environment: path).summary.hasPrefix("1 module: 0 compiled"))
        #expect(tree.exists(tree.pyc("a.py", level: 2)) && tree.exists(".freshpyc/pyproject.json"))
        // It is cached, so reading it needs no interpreter.
        #expect(
            try tree.run(["status", "--config"], environment: ["PATH": "/nowhere"], usesPython: false)
                .lines.contains { $0.split(separator: " ") == ["optimize", "0,", "2", "pyproject.toml"] })
        try tree.write("pyproject.toml", "[tool.freshpyc]\noptimize = \n")
        let broken = try tree.run(["build"], environment: path)
        #expect(broken.status == 2 && broken.errors.hasPrefix("freshpyc: pyproject.toml: invalid TOML"), "\(broken)")
        try tree.write("pyproject.toml", "[tool.freshpyc]\nwrong = 1\n")
        let unknown = try tree.run(["build"], environment: path)
        #expect(
            unknown.errors.hasPrefix(
                "freshpyc: pyproject.toml: unknown key 'wrong'; the keys are affects, bundles, exclude, "),
            "\(unknown)")
        try tree.write("freshpyc.json", "{}")
        #expect(try tree.run(["build"], environment: path).errors.contains("both freshpyc.json and [tool.freshpyc]"))
    }

    @Test func aReloadReadsTheConfigurationAndKeepsTheOldOneIfItIsBad() throws {
        let tree = try Tree(["freshpyc.json": "{}", "a.py": "x = 1\n", "skip/b.py": "y = 1\n"])
        let watch = try Watch(tree)
        try tree.write("freshpyc.json", #"{"optimize": [0, 1]}"#)
        watch.program.send(.hangUp)
        tree.eventually("the other level\n\(watch.program.errors)") { tree.exists(tree.pyc("a.py", level: 1)) }
        try tree.write("freshpyc.json", "{")
        watch.program.send(.hangUp)
        tree.eventually("a notice") { watch.program.errors.contains("the configuration stays as it was") }
        try tree.write("a.py", "x = 22\n")
        try watch.converges()
        #expect(watch.stop().status == 0)
    }

    @Test func aBrokenConfigurationDoesNotKeepADaemonRunning() throws {
        let tree = try Tree(["a.py": "x = 1\n", "freshpyc.json": "{}\n"])
        let daemon = try Daemon(tree)
        try tree.write("freshpyc.json", "{\"jobs\": \"x\"}\n")
        let status = try daemon.ask("status")
        #expect(status.status == 0 && status.errors.contains("'jobs' must be"), "\(status)")
        #expect(status.errors.contains("the configuration is ignored"), "\(status)")
        #expect(try daemon.ask("status", "--config").status == 2)
        #expect(try daemon.ask("stop").status == 0)
        #expect(try daemon.ask("status").status == 2)
    }
}
