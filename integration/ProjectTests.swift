// The root of a tree is its project, wherever in it a command is run.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct ProjectTests {
    private static let files = [
        "pyproject.toml": "[project]\nname = 'x'\n", "polls/__init__.py": "",
        "polls/models.py": "from site_.db import Model, Lost\n",
        "site_/__init__.py": "", "site_/db.py": "class Model: pass\n",
    ]

    @Test func aPartOfAProjectSeesTheImportsOfTheWhole() throws {
        let tree = try Tree(Self.files)
        let expected = [
            "polls/models.py:1:29: error: cannot import 'Lost' from 'site_.db', which does not define it [missing-name]"
        ]
        #expect(try tree.run("check").lines == expected)
        #expect(try tree.run("check", "polls").lines == expected)
        #expect(try tree.run("check", "site_").lines == [])
        let inside = try Program.shell(
            "cd polls && \(Freshpyc.path) check --python \(tree.python.path); cd .. && ls -a polls", in: tree.path)
        #expect(inside.output.hasPrefix("models.py:1:29: error: cannot import 'Lost'"), "\(inside)")
        #expect(!inside.output.contains(".freshpyc"), "\(inside)")
    }

    @Test func aBuildOfAPartKeepsTheDatabaseAtTheRoot() throws {
        let tree = try Tree(Self.files)
        #expect(try tree.run("build", "polls").summary.hasPrefix("2 modules: 2 compiled"))
        #expect(tree.exists(".freshpyc/state.json") && !tree.exists("polls/.freshpyc"))
        #expect(try tree.run("build").summary.hasPrefix("4 modules: 2 compiled, 2 up to date"))
    }

    @Test(arguments: ["pyproject.toml", "freshpyc.json", ".git"])
    func eachOfTheseMarksAProject(_ mark: String) throws {
        let tree = try Tree([
            "a/b/x.py": "x = 1\n", mark: mark.hasSuffix("json") ? "{}" : "", "a/.freshpyc/state.json": "",
        ])
        let result = try Program.shell("cd a/b && \(Freshpyc.path) build --python \(tree.python.path)", in: tree.path)
        #expect(result.status == 0 && tree.exists(".freshpyc/state.json"), "\(result)")
        // A database is a mark only where there is no project.
        try tree.shell("rm -r \(mark) .freshpyc a/.freshpyc; mkdir a/.freshpyc")
        let other = try Program.shell("cd a/b && \(Freshpyc.path) build --python \(tree.python.path)", in: tree.path)
        #expect(other.status == 0 && tree.exists("a/.freshpyc/state.json") && !tree.exists(".freshpyc"), "\(other)")
    }

    @Test func aProjectFileOfAnotherUserDoesNotCount() throws {
        guard try Program.run("id", "-u").output == "0\n" else { try Test.cancel("needs root to act as another user") }
        let tree = try Tree(["a/x.py": "x = 1\n", "freshpyc.json": #"{"python": "./evil"}"#])
        try tree.shell("chown 12345 freshpyc.json; mkdir a/.freshpyc")
        let result = try Program.shell("cd a && \(Freshpyc.path) build --python \(tree.python.path)", in: tree.path)
        #expect(result.status == 0 && tree.exists("a/.freshpyc/state.json"), "\(result)")
        // Unless the user's own files belong to that user, too.
        try tree.shell("chown 12345 a")
        let owned = try Program.shell("cd a && \(Freshpyc.path) build", in: tree.path)
        #expect(owned.status == 2 && owned.errors.contains("evil"), "\(owned)")
    }

    @Test func theDaemonIsFoundFromEverywhereInTheProject() throws {
        let tree = try Tree(Self.files)
        let daemon = try Daemon(tree)
        for directory in [".", "polls"] {
            let status = try Program.shell("cd \(directory) && \(Freshpyc.path) status", in: tree.path)
            #expect(status.status == 0 && status.output.contains("root      \(tree.path)\n"), "\(status)")
        }
        #expect(try daemon.ask("wait").status == 0)
    }

    @Test func requiresPythonLimitsAll() throws {
        let tree = try Tree(["a.py": "x = 1\n", "pyproject.toml": "[project]\nrequires-python = '>=3'\n"])
        let version = tree.python.version
        let path = ["PATH": tree.python.path.parent.description + ":/usr/bin:/bin"]
        let all = try tree.run("check", "--python", "all", "--format", "json", environment: path, usesPython: false)
        #expect(all.status == 0 && all.output.contains("\(version)"), "\(all)")
        try tree.write("pyproject.toml", "[project]\nrequires-python = '!=\(version)'\n")
        let others = try tree.run("check", "--python", "all", "--format", "json", environment: path, usesPython: false)
        #expect(!others.output.contains("\"\(version)\""), "\(others)")
        let some = try tree.run(
            "check", "--python", "==\(version)", "--format", "json", environment: path, usesPython: false)
        #expect(some.status == 0 && some.output.contains("\(version)"), "\(some)")
        let none = try tree.run("check", "--python", ">=9", usesPython: false)
        #expect(
            none.errors
                == "freshpyc: no Python '>=9' found (no Python found here has such a version); run `freshpyc interpreters`, or give a path with --python\n",
            "\(none)")
        // In a list, a specifier keeps its commas.
        let listed = try tree.run(
            "check", environment: ["FRESHPYC_PYTHON": ">=3,<4,\(tree.python.path)"], usesPython: false)
        #expect(listed.status == 0, "\(listed)")
    }

    @Test func aMistakeInTOMLHasALine() throws {
        let tree = try Tree(["a.py": "", "pyproject.toml": "[project]\nname = 'x'\n[tool.freshpyc\njobs = 2\n"])
        let result = try tree.run("build")
        #expect(
            result.status == 2 && result.errors.hasPrefix("freshpyc: pyproject.toml: invalid TOML: ")
                && result.errors.contains("line 3"), "\(result)")
        try tree.write("pyproject.toml", "[tool]\nfreshpyc = {jobs = 'x'}\n")
        #expect(try tree.run("build").errors == "freshpyc: pyproject.toml: 'jobs' must be a number from 1 to 1024\n")
        try tree.write("pyproject.toml", "[project]\ndependencies = ['freshpyc']\n")
        #expect(try tree.run("build").status == 0)
    }
}
