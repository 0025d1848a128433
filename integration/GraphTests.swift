// `graph`, `affected`, `cycles`, findings about imports, and `watch --exec`, as a user runs them.

import BuildModel
import LinuxSystem
import Testing

@Suite struct GraphTests {
    private static let files = [
        "pkg/__init__.py": "", "pkg/base.py": "x = 1\n", "pkg/mid.py": "from pkg.base import x\n",
        "pkg/late.py": "def f():\n    from .base import x\n", "main.py": "import pkg.mid\nimport json\n",
        "tests/conftest.py": "", "tests/test_mid.py": "from pkg import mid\n", "tests/test_other.py": "import os\n",
    ]

    private func ask(_ tree: Tree, _ words: String...) throws -> RunResult { try tree.run(words) }

    @Test func graphOfAnUnbuiltTreeWritesNothing() throws {
        let tree = try Tree(Self.files)
        let before = try tree.everything()
        let graph = try ask(tree, "graph")
        #expect(graph.status == 0)
        #expect(graph.output.contains("main.py\n  pkg/mid.py (line 1)\n  pkg/__init__.py (line 1)\n"), "\(graph)")
        #expect(graph.output.contains("pkg/late.py\n  pkg/base.py (line 2, deferred)\n"), "\(graph)")
        #expect(try ask(tree, "graph", "--external").output.contains("  json (line 2, external)\n"))
        #expect(try tree.everything() == before && !tree.exists(".freshpyc"))
    }

    @Test func partsOfTheGraph() throws {
        let tree = try Tree(Self.files)
        let importers = try ask(tree, "graph", "--from", "pkg/base.py", "--direction", "dependents", "--depth", "1")
        #expect(
            importers.lines.filter { !$0.hasPrefix(" ") } == ["pkg/base.py", "pkg/late.py", "pkg/mid.py"],
            "\(importers)")
        let eager = try ask(
            tree, "graph", "--from", "pkg/base.py", "--direction", "dependents", "--depth", "1", "--kinds", "eager")
        #expect(eager.lines.filter { !$0.hasPrefix(" ") } == ["pkg/base.py", "pkg/mid.py"])
        let dot = try ask(tree, "graph", "--format", "dot")
        #expect(dot.output.hasPrefix("digraph imports {\n") && dot.output.contains("\"main.py\" -> \"pkg/mid.py\";"))
        let mermaid = try ask(tree, "graph", "--format", "mermaid")
        #expect(mermaid.output.hasPrefix("flowchart LR\n") && mermaid.output.contains("-. deferred .->"))
        let json = try ask(tree, "graph", "--format", "json")
        #expect(
            json.output.contains(
                #""statement":"from pkg.base import x","through":["pkg/__init__.py"],"to":["pkg/base.py"]"#))
        #expect(try ask(tree, "graph", "--from", "nowhere.py").status == 2)
        #expect(try ask(tree, "graph", "--kinds", "eagre").errors.contains("is not a kind of import"))
    }

    @Test func affectedModulesOfAChange() throws {
        let tree = try Tree(Self.files)
        #expect(
            try ask(tree, "affected", "pkg/base.py").lines == [
                "main.py", "pkg/base.py", "pkg/late.py", "pkg/mid.py", "tests/test_mid.py",
            ])
        #expect(try ask(tree, "affected", "pkg/base.py", "--tests").lines == ["tests/test_mid.py"])
        let why = try ask(tree, "affected", "pkg/base.py", "--tests", "--why")
        #expect(
            why.output
                == "tests/test_mid.py: imports pkg/mid.py (line 1), which imports pkg/base.py (line 1)\n", "\(why)")
        #expect(
            try ask(tree, "affected", "tests/conftest.py", "--tests").lines == [
                "tests/test_mid.py", "tests/test_other.py",
            ])
        // A file that does not exist, and one that is not a source.
        try tree.shell("rm pkg/base.py; echo data > pkg/table.json")
        #expect(try ask(tree, "affected", "pkg/base.py", "--tests").lines == ["tests/test_mid.py"])
        let data = try ask(tree, "affected", "pkg/table.json", "--tests")
        #expect(
            data.lines == ["tests/test_mid.py"]
                && data.errors.contains("is not a Python source: all modules of pkg/ may read it"),
            "\(data)")
        let none = try ask(tree, "affected")
        #expect(none.status == 2 && none.errors.contains("needs files"), "\(none)")
    }

    @Test func affectedSinceARevision() throws {
        let tree = try Tree(Self.files)
        try tree.shell(
            """
            git init -q -b main .; git config user.email a@b.c; git config user.name a
            git add -A; git commit -qm one; git mv pkg/base.py pkg/ground.py; echo 'import os' > tests/test_new.py
            """)
        let affected = try ask(tree, "affected", "--since", "HEAD", "--no-daemon")
        #expect(
            affected.lines == [
                "main.py", "pkg/ground.py", "pkg/late.py", "pkg/mid.py", "tests/test_mid.py", "tests/test_new.py",
            ], "\(affected)")
        let bad = try ask(tree, "affected", "--since", "no-such-revision")
        #expect(
            bad.status == 2 && bad.errors.hasPrefix("freshpyc: git knows no revision 'no-such-revision' (--since)"),
            "\(bad)")
        // Commits on main since then are not changes of this branch.
        try tree.shell(
            """
            git add -A; git commit -qm two; git checkout -qb branch; echo 'x = 1' > pkg/mine.py
            git add -A; git commit -qm three; git checkout -q main; echo 'import sys' > main.py
            git commit -qam four; git checkout -q branch
            """)
        #expect(try ask(tree, "affected", "--since", "main", "--no-daemon").lines == ["pkg/mine.py"])
    }

    @Test func affectedOutsideARepositorySaysSoInOneLine() throws {
        let tree = try Tree(Self.files)
        let result = try ask(tree, "affected", "--since", "HEAD")
        #expect(result.status == 2 && result.errors.hasSuffix("name the files instead\n"), "\(result)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    }

    @Test func importCycles() throws {
        let tree = try Tree([
            "a.py": "import b\n", "b.py": "import a\n", "c.py": "import d\n", "d.py": "def f(): import c\n",
        ])
        let cycles = try ask(tree, "cycles")
        #expect(cycles.status == 1)
        #expect(
            cycles.output.contains(
                "eager cycle of 2 modules:\n  a.py:1: eager import of b.py\n  b.py:1: eager import of a.py\n")
        )
        #expect(cycles.output.contains("deferred cycle of 2 modules:\n  c.py:1: eager import of d.py\n"), "\(cycles)")
        try tree.shell("echo > b.py")
        #expect(try ask(tree, "cycles").status == 0)
    }

    @Test func checkFindsMissingImportsAndCanBeSilenced() throws {
        let tree = try Tree([
            "pkg/__init__.py": "", "pkg/a.py": "def f(): pass\n",
            "m.py":
                "from pkg.a import f, g\nimport pkg.gone  # freshpyc: ignore[unresolved-import]\nimport numpy_of_nobody\n",
            "quiet.py": "# freshpyc: ignore\nfrom pkg.a import h\n", "random.py": "",
        ])
        let check = try ask(tree, "check")
        #expect(check.status == 1)
        #expect(
            check.lines == [
                "m.py:1:22: error: cannot import 'g' from 'pkg.a', which does not define it [missing-name]",
                "random.py: warning: shadows the standard library's 'random' when this directory is on sys.path [shadows-stdlib]",
            ], "\(check)")
        #expect(try ask(tree, "check", "--ignore", "missing-name").status == 0)
        #expect(try ask(tree, "check", "--select", "shadows-stdlib").lines.count == 1)
        #expect(try ask(tree, "check", "--ignore", "missing-nam").errors.contains("did you mean 'missing-name'?"))
        // A build compiles and does not report imports.
        #expect(try ask(tree, "build").status == 0)
    }

    /// Each of these works, or may work, in a running program.
    @Test func importsThatMayWorkAreNotErrors() throws {
        let tree = try Tree([
            "paths/__init__.py": "__path__.append('elsewhere')\n",
            "ns/__init__.py": "__import__('pkg_resources').declare_namespace(__name__)\n",
            "sets.py": "import sys\nfor n in 'ab': setattr(sys.modules[__name__], n, 1)\n",
            "members.py": "import enum\n@enum.global_enum\nclass E(enum.Enum):\n    A = 1\n",
            "os.py": "",
            "m.py": "import paths.x, ns.y\nfrom sets import a\nfrom members import A\nfrom os import path\n",
            "tests/pkg/__init__.py": "", "tests/pkg/test_u.py": "from pkg.u import x\n", "pkg/__init__.py": "",
            "pkg/u.py": "x = 1\n",
        ])
        let check = try ask(tree, "check", "--ignore", "shadows-stdlib")
        #expect(check.status == 0 && check.output == "", "\(check)")
    }

    /// Imports of a project that `pip install` or `pip install -e` put in its own environment resolve to the tree.
    @Test func importsOfAnInstalledTreeResolveToTheTree() throws {
        let tree = try Tree([
            "p/__init__.py": "", "p/m.py": "x = 1\n", "tests/test_m.py": "from p.m import x\nimport q.z\n",
        ])
        try tree.shell("'\(tree.python.path)' -m venv --without-pip .venv")
        try tree.shell("cd .venv/lib/python*/site-packages; cp -r ../../../../p .; echo ../../../.. > q.pth; mkdir r")
        let affected = try tree.run(
            "affected", "p/m.py", "--python", tree.path.appending(".venv/bin/python").description, usesPython: false)
        #expect(affected.lines == ["p/m.py", "tests/test_m.py"], "\(affected)")
    }

    @Test func aDaemonAnswersAndReportsImportsBrokenByASave() throws {
        let tree = try Tree(Self.files)
        let watch = try Watch(tree)
        func asked(_ words: String...) throws -> RunResult { try tree.run(words, usesPython: false) }
        #expect(try asked("affected", "pkg/base.py", "--tests").lines == ["tests/test_mid.py"])
        // One save breaks two other modules, which are not recompiled.
        try tree.write("pkg/base.py", "y = 22\n")
        tree.eventually("a finding") {
            watch.program.outputSoFar.contains("pkg/mid.py:1:22: error: cannot import 'x' from 'pkg.base'")
        }
        #expect(watch.compilations(of: "pkg/mid.py") == 0)
        #expect(watch.program.outputSoFar.contains("pkg/late.py:2:"))
        try tree.write("pkg/base.py", "x = 333\n")
        #expect(try tree.run("check").status == 0)
        try tree.shell("rm pkg/base.py")
        #expect(try asked("affected", "pkg/base.py", "--tests").lines == ["tests/test_mid.py"])
        tree.eventually("a missing module") {
            watch.program.outputSoFar.contains("no module 'base' in 'pkg': it was removed")
        }
        #expect(try asked("graph", "--from", "main.py", "--format", "json").output.contains(#""path":"pkg/mid.py""#))
        #expect(try asked("cycles").status == 0)
        #expect(watch.stop().status == 0)
        // The database keeps the import graph when the daemon ends.
        let later = try tree.run("check")
        #expect(
            later.status == 1 && later.output.contains("pkg/mid.py:1:10: error: there is no module 'base'"), "\(later)")
    }

    @Test func aDaemonsGraphEqualsAFreshScan() throws {
        let tree = try Tree(Self.files)
        let watch = try Watch(tree)
        try tree.shell(
            """
            mv pkg lib; echo 'import lib.mid' > main.py; mkdir pkg; echo 'from lib import *' > pkg/__init__.py
            rm tests/conftest.py; mkdir n; echo 'import pkg' > n/x.py; echo 'import n.x, lib.late' > tests/test_other.py
            """)
        #expect(try tree.run(["wait"], usesPython: false).status == 0)
        let kept = try tree.run(["graph", "--format", "json"], usesPython: false)
        #expect(watch.stop().status == 0)
        let copy = try Tree()
        try copy.shell("cp -a '\(tree.path)/.' .; rm -rf .freshpyc")
        let fresh = try copy.run("graph", "--no-daemon", "--format", "json")
        let root = #""root":""#
        #expect(kept.output.components(before: root) == fresh.output.components(before: root), "\(kept)\n\(fresh)")
        #expect(kept.output.contains("n/x.py"))
    }

    @Test func aCommandRunsOnImpact() throws {
        let tree = try Tree(Self.files)
        let command =
            "echo run {changed} : {affected-tests} : \"$FRESHPYC_AFFECTED\" >> log; sleep 0.4; echo end >> log"
        let watch = try Watch(tree, "--exec", command)
        func log() -> String {
            String(decoding: Host.contents(tree.path.appending("log"), limit: 1 << 20) ?? [], as: UTF8.self)
        }
        tree.eventually("the first run") { log() == "run : : \nend\n" }
        try tree.write("pkg/base.py", "x = 22\n")
        tree.eventually("a second run") { log().contains("run pkg/base.py : tests/test_mid.py : main.py\npkg/base.py") }
        // A new wave stops the command; the next run gets the changes of both waves.
        try tree.write("main.py", "import pkg.late\n")
        tree.eventually("a third run") { log().contains("run main.py pkg/base.py : tests/test_mid.py") }
        tree.eventually("its end") { log().hasSuffix("end\n") }
        #expect(log().split(separator: "\n").count { $0 == "end" } == 2, "\(log())")
        try tree.write("main.py", "def (\n")
        tree.eventually("a failure") { watch.program.errors.contains("main.py failed") }
        Pause.seconds(0.3)
        #expect(
            log().split(separator: "\n").count { $0.hasPrefix("run") } == 3, "nothing is run while something is broken")
        #expect(watch.stop().status == 0)
    }
}

extension String {
    fileprivate func components(before mark: String) -> String {
        var kept = ""
        for character in self {
            kept.append(character)
            if kept.hasSuffix(mark) { return String(kept.dropLast(mark.count)) }
        }
        return kept
    }
}
