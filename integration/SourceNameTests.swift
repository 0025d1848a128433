// A file named `.py`: no import can name it, and its bytecode would be that of `py.py`.

import Testing

@Suite struct SourceNameTests {
    private func tree() throws -> Tree {
        try Tree([".py": "y = 'not a source'\n", "py.py": "x = 1\n", "p/.py": "def\n", "p/a.py": "z = 1\n"])
    }

    @Test func itIsNotBuilt() throws {
        let tree = try tree()
        #expect(try tree.run("build").summary.hasPrefix("2 modules: 2 compiled"))
        let before = try tree.everything()
        #expect(try tree.run("build").summary.hasPrefix("2 modules: 0 compiled, 2 up to date"))
        #expect(try tree.run("verify").status == 0)
        #expect(try tree.run("check").status == 0)
        #expect(try tree.run("clean", "--dry-run", usesPython: false).status == 0)
        #expect(try tree.everything() == before)
        let named = try tree.run("build", ".py")
        #expect(named.status == 2 && named.summary.contains("not a Python source"), "\(named)")
    }

    @Test func aWatchDoesNotSpin() throws {
        let tree = try tree()
        let watch = try Watch(tree)
        try tree.shell("echo 'y = 2' > .py; echo 'y = 3' > p/.py; printf 'x = 2\\n' > py.py")
        #expect(try tree.run("wait", usesPython: false).status == 0)
        tree.eventually("py.py is compiled again") { watch.compilations(of: "py.py") >= 1 }
        // A second wait also waits for everything that the first one caused.
        #expect(try tree.run("wait", usesPython: false).status == 0)
        #expect(watch.compilations(of: "py.py") == 1, "\(watch.program.errors)")
        #expect(watch.stop().status == 0)
    }
}
