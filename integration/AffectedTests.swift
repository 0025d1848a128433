// `affected`: what is selected when the imports do not tell, and what is an error.

import LinuxSystem
import Testing

@Suite struct AffectedTests {
    private static let files = [
        "pyproject.toml": "[project]\nname = 'shop'\n", "shop/__init__.py": "", "shop/models.py": "x = 1\n",
        "shop/views.py": "from shop.models import x\n", "shop/settings.py": "", "shop/sub/__init__.py": "",
        "shop/sub/deep.py": "",
        "shop/data.json": "{}", "shop/_speed.c": "", "templates/a.html": "", "lib/src/lib.rs": "",
        "tests/test_views.py": "import shop.views\n", "tests/test_deep.py": "import shop.sub.deep\n",
        "tests/test_other.py": "", "docs/index.md": "", "LICENSE": "", "requirements.txt": "",
    ]

    private func affected(_ tree: Tree, _ words: String...) throws -> RunResult {
        try tree.run(["affected"] + words, usesPython: false)
    }

    @Test(arguments: [
        // A package's data may be read by all of its modules.
        ("shop/data.json", ["tests/test_deep.py", "tests/test_views.py"], "all modules of shop/ may read it"),
        ("shop/_speed.c", ["tests/test_deep.py", "tests/test_views.py"], "all modules of shop/ may read it"),
        // What configures the project concerns everything.
        (
            "pyproject.toml", ["tests/test_deep.py", "tests/test_other.py", "tests/test_views.py"],
            "everything in this tree may depend on it"
        ),
        (
            "requirements.txt", ["tests/test_deep.py", "tests/test_other.py", "tests/test_views.py"],
            "everything in this tree"
        ),
        (
            "lib/src/lib.rs", ["tests/test_deep.py", "tests/test_other.py", "tests/test_views.py"],
            "everything in this tree"
        ),
        (
            "templates/a.html", ["tests/test_deep.py", "tests/test_other.py", "tests/test_views.py"],
            "everything in this tree"
        ),
        ("docs/index.md", [], "is documentation: nothing is assumed to read it"), ("LICENSE", [], "is documentation"),
    ])
    func otherFilesSelectWhatMayReadThem(_ file: String, _ tests: [String], _ reason: String) throws {
        let result = try affected(try Tree(Self.files), file, "--tests")
        #expect(result.status == 0 && result.lines == tests && result.errors.contains("\(file) "), "\(result)")
        #expect(result.errors.contains(reason), "\(result)")
    }

    @Test func whySaysWhatIsAssumed() throws {
        let tree = try Tree(Self.files)
        let data = try affected(tree, "shop/data.json", "--why")
        #expect(data.lines.contains("shop/settings.py: may depend on shop/data.json"), "\(data)")
        #expect(
            data.lines.contains {
                $0.hasPrefix("tests/test_views.py: imports shop/")
                    && $0.hasSuffix(", which may depend on shop/data.json")
            },
            "\(data)")
        // What changed itself is said to have changed.
        let both = try affected(tree, "shop/data.json", "shop/settings.py", "--why")
        #expect(both.lines.contains("shop/settings.py: changed"), "\(both)")
        // A file that is declared to affect nothing.
        try tree.write("freshpyc.json", #"{"affects": {"shop/data.json": []}}"#)
        let nothing = try affected(tree, "shop/data.json")
        #expect(nothing.status == 0 && nothing.lines.isEmpty && nothing.errors.isEmpty, "\(nothing)")
    }

    @Test func declaredDependenciesCount() throws {
        let tree = try Tree(Self.files)
        try tree.write(
            "freshpyc.json", #"{"affects": {"**/settings.py": "shop/sub/deep.py", "templates/**": ["**/views.py"]}}"#)
        #expect(try affected(tree, "templates/a.html", "--tests").lines == ["tests/test_views.py"])
        let settings = try affected(tree, "shop/settings.py", "--why")
        #expect(
            settings.lines.contains(
                "tests/test_deep.py: imports shop/sub/deep.py (line 1), which depends on shop/settings.py, as declared"),
            "\(settings)")
        #expect(try affected(tree, "shop/models.py", "--tests").lines == ["tests/test_views.py"])
    }

    @Test func computedImportsAreFoundByTheirPrefixAndByStrings() throws {
        let tree = try Tree([
            "p/__init__.py": "",
            "p/load.py": "from importlib import import_module\ndef f(n): return import_module('p.kinds.' + n)\n",
            "p/kinds/__init__.py": "", "p/kinds/one.py": "", "p/table.py": "NAMES = {'two': 'p.other.two.Two'}\n",
            "p/other/__init__.py": "", "p/other/two.py": "class Two: pass\n", "tests/test_load.py": "import p.load\n",
            "tests/test_table.py": "import p.table\n",
        ])
        #expect(try affected(tree, "p/kinds/one.py", "--tests").lines == ["tests/test_load.py"])
        let two = try affected(tree, "p/other/two.py", "--why")
        #expect(
            two.lines.contains(
                "tests/test_table.py: imports p/table.py (line 1), which names p/other/two.py in a string"), "\(two)")
        // A module that is added below the package is found as well.
        try tree.write("p/kinds/new.py", "")
        #expect(try affected(tree, "p/kinds/new.py", "--tests").lines == ["tests/test_load.py"])
    }

    @Test func pytestsConfigurationSaysWhatATestIs() throws {
        let tree = try Tree(Self.files)
        try tree.write("tests/check_models.py", "import shop.models\n")
        #expect(try affected(tree, "shop/models.py", "--tests").lines == ["tests/test_views.py"])
        try tree.write("pytest.ini", "[pytest]\npython_files = check_*.py\n")
        #expect(try affected(tree, "shop/models.py", "--tests").lines == ["tests/check_models.py"])
        try tree.write("pytest.ini", "[pytest]\npython_files = check_*.py\ntestpaths = other\n")
        #expect(try affected(tree, "shop/models.py", "--tests").lines == [])
    }

    @Test func unknownPathsAreErrorsAndDirectoriesStandForTheirModules() throws {
        let tree = try Tree(Self.files)
        let unknown = try affected(tree, "shop/modles.py", "shop/models.py", "--tests")
        #expect(unknown.status == 2 && unknown.lines == ["tests/test_views.py"], "\(unknown)")
        #expect(
            unknown.errors == "freshpyc: no such file: 'shop/modles.py', and nothing imports it; check the path\n",
            "\(unknown)")
        #expect(try affected(tree, "shop/sub", "--tests").lines == ["tests/test_deep.py"])
        #expect(try affected(tree, ".", "--tests").lines.count == 3)
        #expect(try affected(tree, "shop.models", "--tests").lines == ["tests/test_views.py"])
        // A deleted file that something imports is known by that.
        try tree.shell("rm shop/models.py")
        let deleted = try affected(tree, "shop/models.py", "--tests")
        #expect(deleted.status == 0 && deleted.lines == ["tests/test_views.py"], "\(deleted)")
    }

    @Test func gitKnowsWhatWasDeletedAndWhatChangedElsewhere() throws {
        let tree = try Tree(Self.files)
        let git = "git -c user.name=a -c user.email=a@b"
        try tree.shell("git init -q . && git add -A && \(git) commit -qm one && rm tests/test_other.py shop/views.py")
        let deleted = try affected(tree, "tests/test_other.py")
        #expect(deleted.status == 0 && deleted.lines.isEmpty, "\(deleted)")
        let inside = try Program.shell("cd shop/sub && \(Freshpyc.path) affected --since HEAD --tests", in: tree.path)
        #expect(inside.status == 0 && inside.output.contains("tests/test_views.py\n"), "\(inside)")
        // A project in a repository: what changed outside of it is mentioned.
        try tree.shell("mkdir -p sub/p; echo '{}' > sub/freshpyc.json; echo 'x = 1' > sub/p/a.py")
        let outside = try Program.shell("cd sub && \(Freshpyc.path) affected --since HEAD", in: tree.path)
        #expect(outside.status == 0 && outside.output == "p/a.py\n", "\(outside)")
        #expect(outside.errors.contains("2 changed files outside \(tree.path)/sub not considered"), "\(outside)")
    }

    @Test func graphAndCyclesOfAPart() throws {
        let tree = try Tree([
            "freshpyc.json": "{}", "p/a.py": "import p.b\n", "p/b.py": "import p.a\n", "p/__init__.py": "",
            "q.py": "import r\n", "r.py": "import q\n",
        ])
        #expect(try tree.run("graph", "p/a.py").lines.first == "p/a.py")
        #expect(try tree.run("graph", "p.a").output == tree.run("graph", "p/a.py").output)
        #expect(try !tree.run("graph", "p").output.contains("q.py"))
        let cycles = try tree.run("cycles", "p")
        #expect(
            cycles.status == 1 && cycles.errors == "1 eager cycle, 0 deferred cycles\n"
                && !cycles.output.contains("q.py"), "\(cycles)")
        #expect(try tree.run("cycles").errors == "2 eager cycles, 0 deferred cycles\n")
        let empty = try Tree()
        #expect(try empty.run("cycles").status == 2)
    }
}
