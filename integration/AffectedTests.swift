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

    /// A tree, the file that changes, and the tests that must be selected.
    private static let mentions: [(files: [String: String], changed: String, tests: [String])] = [
        // pytest plugins, by name.
        (
            ["pl_one.py": "", "conftest.py": "pytest_plugins = 'pl_one'\n", "test_a.py": ""], "pl_one.py",
            ["test_a.py"]
        ),
        (
            ["pl_one.py": "", "pytest.ini": "[pytest]\naddopts = -q -p pl_one\n", "test_a.py": ""], "pl_one.py",
            ["test_a.py"]
        ),
        // Submodules that `import *` imports because `__all__` names them, or `__getattr__` imports on demand.
        (
            ["p/__init__.py": "__all__ = ['one']\n", "p/one.py": "", "test_a.py": "from p import *\n"], "p/one.py",
            ["test_a.py"]
        ),
        (
            [
                "p/__init__.py": "TABLE = {'One': '.sub.one'}\ndef __getattr__(name): ...\n", "p/sub/__init__.py": "",
                "p/sub/one.py": "", "test_a.py": "from p import One\n",
            ], "p/sub/one.py", ["test_a.py"]
        ),
        // Directories that are added to `sys.path`.
        (
            [
                "helpers/util.py": "",
                "tests/test_a.py": "import sys\nsys.path.insert(0, '../helpers')\nimport util\n",
            ], "helpers/util.py", ["tests/test_a.py"]
        ),
        (
            [
                "some/helpers/util/__init__.py": "", "tests/conftest.py": "import sys\nsys.path.append('x')\n",
                "tests/test_a.py": "from util import x\n",
            ], "some/helpers/util/__init__.py", ["tests/test_a.py"]
        ),
        (
            ["a/b/util.py": "", "pytest.ini": "[pytest]\npythonpath = a/b\n", "test_a.py": "import util\n"],
            "a/b/util.py", ["test_a.py"]
        ),
        // Computed names.
        (
            [
                "shop/__init__.py": "", "shop/one.py": "",
                "test_a.py": "import shop, pkgutil\nfor m in pkgutil.walk_packages(shop.__path__, 'shop.'): pass\n",
            ], "shop/one.py", ["test_a.py"]
        ),
        (
            [
                "shop/__init__.py":
                    "from pkgutil import iter_modules\nfor m in iter_modules(__path__): __import__(m.name)\n",
                "shop/one.py": "", "test_a.py": "import shop\n",
            ], "shop/one.py", ["test_a.py"]
        ),
        (
            [
                "shop/__init__.py": "", "shop/one.py": "",
                "test_a.py":
                    "import shop\nfrom importlib import import_module\ndef f(p): import_module(f'{shop.__name__}.{p}')\n",
            ], "shop/one.py", ["test_a.py"]
        ),
        (
            [
                "shop/__init__.py": "", "shop/one.py": "",
                "shop/load.py": "def f(n): return __import__('%s.%s' % (__package__, n))\n",
                "test_a.py": "import shop.load\n",
            ], "shop/one.py", ["test_a.py"]
        ),
        (
            [
                "shop/__init__.py": "", "shop/one.py": "",
                "test_a.py": "import importlib\nP = 'shop.'\ndef f(n): return importlib.import_module(P + n)\n",
            ], "shop/one.py", ["test_a.py"]
        ),
        // Sources that are run: by path, as code, as modules.
        (
            ["shop/money.py": "", "test_a.py": "import runpy\nrunpy.run_path('shop/money.py')\n"], "shop/money.py",
            ["test_a.py"]
        ),
        (
            ["shop/money.py": "", "tests/test_a.py": "SCRIPT = '../shop/money.py'\n"], "shop/money.py",
            ["tests/test_a.py"]
        ),
        (
            ["shop/money.py": "", "test_a.py": "run([python, '-c', 'import os; from shop import money'])\n"],
            "shop/money.py", ["test_a.py"]
        ),
        (
            ["shop/money.py": "", "test_a.py": "CODE = \"\"\"\\\nimport shop.money\nshop.money.x()\n\"\"\"\n"],
            "shop/money.py", ["test_a.py"]
        ),
        (["shop.py": "", "test_a.py": "run([python, '-m', 'shop'])\n"], "shop.py", ["test_a.py"]),
        (["shop/cli.py": "", "test_a.py": "run('python -m shop.cli --all')\n"], "shop/cli.py", ["test_a.py"]),
        // Which files are tests.
        (
            ["a.py": "", "spec_a.py": "import a\n", "pytest.ini": "[pytest]\ntestpaths = spec_a.py\n"], "a.py",
            ["spec_a.py"]
        ),
        (
            ["a.py": "", "test_a.py": "import a\n", "pytest.ini": "[pytest]\ntestpaths = integration\n"], "a.py",
            ["test_a.py"]
        ),
        (
            [
                "a.py": "def f():\n    '''\n    >>> f()\n    '''\n", "b.py": "import a\n",
                "pytest.ini": "[pytest]\naddopts = --doctest-modules\n",
            ], "a.py", ["a.py"]
        ),
        (
            [
                "a.py": "", "zz_a.py": "import a\n", "pytest.ini": "[pytest]\naddopts = --strict-markers z\n",
                "z/conftest.py": "def pytest_collect_file(parent): ...\n", "z/zz_b.py": "import a\n",
            ], "a.py", ["z"]
        ),
        (
            [
                "a.py": "", "test_a.py": "import a\n", "test_b.py": "import a\n",
                "pyproject.toml": "[tool.pytest.ini_options]\npython_files = ['test_[bc].py']\n",
            ], "a.py", ["test_b.py"]
        ),
        (
            ["a.py": "", "b.py": "'''\n>>> import a\n'''\n", "pytest.ini": "[pytest]\naddopts=--doctest-modules\n"],
            "a.py", ["b.py"]
        ),
        (
            ["pk/__init__.py": "", "pk/__main__.py": "", "test_a.py": "run([exe, '-m', 'pk'])\n"], "pk/__main__.py",
            ["test_a.py"]
        ),
        (["tests/test_a.py": "", "tests/sub/test_b.py": ""], "tests/sub/conftest.py", ["tests/sub/test_b.py"]),
        (["tests/test_a.py": "", "b.py": ""], "tests/__init__.py", ["tests/test_a.py"]),
        (
            ["b/mm.py": "", "pytest.ini": "[pytest]\npythonpath = a b\n", "test_a.py": "import mm\n"], "a/mm.py",
            ["test_a.py"]
        ),
        (["test_a.py": "import sys\nsys.path.insert(0, 'lib')\nimport q\n"], "lib/q.py", ["test_a.py"]),
        // A directory of data files.
        (
            ["shop/__init__.py": "", "shop/data/x.json": "", "test_a.py": "import shop\n"], "shop/data", ["test_a.py"]
        ),
    ]

    @Test(arguments: mentions.indices) func whatTheImportsDoNotShowIsSelectedAnyway(_ index: Int) throws {
        let (files, changed, tests) = Self.mentions[index]
        let tree = try Tree(files.merging(["freshpyc.json": "{}"]) { $1 })
        // What has nothing to do with the change is not selected.
        try tree.write("unrelated/test_other.py", "import os\n")
        let result = try affected(tree, changed, "--tests")
        #expect(result.status == 0 && Set(result.lines).isSuperset(of: tests), "\(result)")
        // Plugins are loaded for all tests.
        if !changed.hasPrefix("pl_") { #expect(result.lines == tests, "\(result)") }
    }

    /// A daemon remembers what sources mention. Each change of them counts for the next question.
    @Test func aDaemonKeepsWhatItKnows() throws {
        let tree = try Tree([
            "freshpyc.json": "{}", "a.py": "x = 1\n", "helpers/util.py": "", "test_b.py": "import os\n",
            "test_c.py": "import util\n",
        ])
        let daemon = try Daemon(tree)
        func expect(_ path: String, _ tests: [String], _ location: SourceLocation = #_sourceLocation) throws {
            _ = try daemon.ask("wait")
            let result = try daemon.ask("affected", path, "--tests")
            #expect(result.lines == tests, "\(result)", sourceLocation: location)
            let alone = try daemon.ask("affected", path, "--tests", "--no-daemon")
            #expect(alone.lines == tests, "\(alone)", sourceLocation: location)
        }
        try expect("a.py", [])
        try tree.write("test_b.py", "run('-m a')\n")
        try expect("a.py", ["test_b.py"])
        try tree.write("test_b.py", "NAME = 'b'\n")
        try expect("a.py", [])
        try tree.write("test_b.py", "import subprocess\nrun('import a')\n")
        try expect("a.py", ["test_b.py"])
        try tree.shell("mkdir p; mv a.py p/")
        try expect("p/a.py", [])
        try tree.write("test_b.py", "run('import p.a')\n")
        try expect("p/a.py", ["test_b.py"])
        try tree.shell("rm test_b.py")
        try expect("p/a.py", [])
        try expect("helpers/util.py", [])
        try tree.write("conftest.py", "import sys\nsys.path.insert(0, 'helpers')\n")
        try expect("helpers/util.py", ["test_c.py"])
        try tree.write("conftest.py", "import sys\n")
        try expect("helpers/util.py", [])
        try tree.write("pytest.ini", "[pytest]\naddopts = --doctest-modules\npythonpath = helpers\n")
        try expect("helpers/util.py", ["test_c.py"])
        try tree.write("helpers/util.py", "'''\n>>> 1\n1\n'''\n")
        try expect("helpers/util.py", ["helpers/util.py", "test_c.py"])
    }

    @Test func anEmptySelectionIsExplained() throws {
        let tree = try Tree([
            "freshpyc.json": "{}", "a.py": "",
            "load.py": "from importlib import import_module\nx = import_module('.'.join(name))\n",
            "test_b.py": "import os\n", "data/x.json": "",
        ])
        let result = try affected(tree, "a.py", "--tests")
        #expect(result.status == 0 && result.lines.isEmpty, "\(result)")
        #expect(result.errors.contains("load.py imports modules by computed names, which may include what changed\n"))
        #expect(result.errors.contains("freshpyc: no test depends on 'a.py'\n"), "\(result)")
        #expect(try affected(tree, "load.py", "--tests").errors == "freshpyc: no test depends on 'load.py'\n")
        // A file that does not exist is one error, and selects nothing.
        let unknown = try affected(tree, "data/y.json", "--tests")
        #expect(unknown.status == 2 && unknown.lines.isEmpty, "\(unknown)")
        #expect(
            unknown.errors == "freshpyc: no such file: 'data/y.json', and nothing imports it; check the path\n",
            "\(unknown)")
        let empty = try affected(tree, "")
        #expect(empty.status == 2 && empty.errors.contains("the name of a file is empty"), "\(empty)")
    }

    /// A package may be imported through a link to its directory.
    @Test func linkedPackagesAreAffected() throws {
        let tree = try Tree([
            "pyproject.toml": "", "vendor/lib/__init__.py": "", "vendor/lib/x.py": "",
            "vendor/lib/y.py": "from . import x\n",
            "app.py": "import shop.y\n", "tests/test_app.py": "import app\n", "tests/test_other.py": "",
        ])
        try tree.shell("ln -s vendor/lib shop && ln -s /usr outside && ln -s nowhere broken && ln -s . circle")
        let result = try affected(tree, "--tests", "vendor/lib/x.py")
        #expect(result.lines == ["tests/test_app.py"], "\(result)")
        let why = try affected(tree, "--why", "vendor/lib/x.py")
        #expect(why.output.contains("shop/y.py"), "\(why)")
    }

    @Test func linksToAChangedFileAreAffected() throws {
        let tree = try Tree([
            "freshpyc.json": #"{"affects": {"real/**": []}}"#, "real/x.txt": "x = 1\n",
            "test_b.py": "import shop.link\n", "shop/hard.py": "y = 1\n", "test_c.py": "import shop.hard\n",
        ])
        try tree.shell("ln -s ../real/x.txt shop/link.py; ln shop/hard.py real/hard.txt")
        #expect(try affected(tree, "real/x.txt", "--tests").lines == ["test_b.py"])
        #expect(try affected(tree, "real/hard.txt", "--tests").lines == ["test_c.py"])
    }

    @Test func namesCanBeSeparatedByNULs() throws {
        let tree = try Tree(["freshpyc.json": "{}", "a.py": "", "new\nline.py": "import a\n"])
        let result = try Program.shell("\(Freshpyc.path) affected a.py -z | tr '\\n\\0' ', '", in: tree.path)
        #expect(result.output == "a.py new,line.py ", "\(result)")
    }

    @Test func bytecodeThatGitListsAffectsNothing() throws {
        let tree = try Tree(["freshpyc.json": "{}", "p/__init__.py": "", "p/a.py": "", "test_a.py": "import p.a\n"])
        try tree.shell("git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -qm one")
        try tree.write("p/__pycache__/a.cpython-311.pyc", "")
        let result = try affected(tree, "--since", "HEAD", "--tests")
        #expect(result.status == 0 && result.lines.isEmpty, "\(result)")
        #expect(result.errors == "freshpyc: nothing has changed since the merge base with this revision\n", "\(result)")
    }

    @Test func pytestsConfigurationSaysWhatATestIs() throws {
        let tree = try Tree(Self.files)
        try tree.write("tests/check_models.py", "import shop.models\n")
        #expect(try affected(tree, "shop/models.py", "--tests").lines == ["tests/test_views.py"])
        try tree.write("pytest.ini", "[pytest]\npython_files = check_*.py\n")
        #expect(try affected(tree, "shop/models.py", "--tests").lines == ["tests/check_models.py"])
        try tree.write("pytest.ini", "[pytest]\npython_files = check_*.py\ntestpaths = lib\n")
        try tree.write("lib/check_lib.py", "")
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
        let mixed = try affected(tree, "shop/models.py", "shop/modles.py", "--tests")
        #expect(mixed.status == 2 && mixed.errors.contains("'shop/modles.py'") && !mixed.errors.contains("models.py'"))
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
