// The store: no tree compiles what another tree has already compiled.

import BuildModel
import LinuxSystem
import Testing

@Suite struct CodeStoreTests {
    private static let files = [
        "pkg/__init__.py": "", "pkg/a.py": "def f():\n    return lambda: 10 ** 20\n", "pkg/w.py": "x = 1\nx is 'a'\n",
    ]

    private func build(_ tree: Tree, _ store: Tree, _ words: String...) throws -> RunResult {
        try tree.run(["build", "--no-daemon", "--store", store.path.appending("s").description] + words)
    }

    @Test func anotherCheckoutIsNotCompiled() throws {
        let store = try Tree()
        let first = try Tree(Self.files)
        #expect(try build(first, store).summary.hasPrefix("3 modules: 3 compiled"))
        let second = try Tree(Self.files)
        let result = try build(second, store)
        #expect(result.summary.hasPrefix("3 modules: 0 compiled, 3 from the store"), "\(result)")
        // The oracle compares file names too.
        #expect(try second.differences() == "")
        #expect(try second.run("check", "--no-daemon").lines.count == 1)
        // Nothing remains to be done.
        #expect(try build(second, store).summary.hasPrefix("3 modules: 0 compiled, 3 up to date"))
    }

    @Test func switchingBackToABranchCompilesNothing() throws {
        let (store, tree) = (try Tree(), try Tree(Self.files))
        _ = try build(tree, store)
        try tree.write("pkg/a.py", "y = 2\n")
        #expect(try build(tree, store).summary.contains(" 1 compiled"))
        try tree.write("pkg/a.py", "def f():\n    return lambda: 10 ** 20\n")
        let result = try build(tree, store)
        #expect(result.summary.contains(" 0 compiled, 1 from the store"), "\(result)")
        #expect(try tree.differences(mode: "guarded") == "")
    }

    @Test func damagedEntriesAndForeignStoresAreNotUsed() throws {
        let (store, tree) = (try Tree(), try Tree(Self.files))
        _ = try build(tree, store)
        try store.shell(
            "find s -type f -name '??????????????????????????????' -exec sh -c 'printf x | dd of=$1 bs=1 seek=60 conv=notrunc 2>/dev/null' sh {} ';'"
        )
        try tree.shell("rm -r .freshpyc pkg/__pycache__")
        #expect(try build(tree, store).summary.hasPrefix("3 modules: 3 compiled"))
        try tree.shell("rm -r .freshpyc pkg/__pycache__")
        try store.shell("chmod 0777 s")
        let refused = try build(tree, store)
        #expect(refused.status == 0 && refused.summary.hasPrefix("3 modules: 3 compiled"), "\(refused)")
        #expect(refused.errors.contains("other users may write to"), "\(refused)")
        #expect(try tree.differences() == "")
    }

    @Test func checkAndNoStoreDoNotUseTheStore() throws {
        let (store, tree) = (try Tree(), try Tree(Self.files))
        let place = ["FRESHPYC_STORE": store.path.appending("s").description]
        try tree.run("check", environment: place)
        #expect(!store.exists("s"))
        try tree.run("build", "--no-daemon", "--no-store", environment: place)
        #expect(!store.exists("s"))
        try tree.write("freshpyc.json", #"{"store": "none", "exclude": []}"#)
        try tree.run("build", "--no-daemon", "--force", environment: ["FRESHPYC_STORE": "none"])
        #expect(!store.exists("s") && !tree.exists(".cache"))
    }

    @Test func deploymentsAndOldPythonsUseTheStore() throws {
        let (store, first, second) = (try Tree(), try Tree(Self.files), try Tree(Self.files))
        let words = ["precompile", "--store", store.path.appending("s").description]
        try first.run(words)
        let result = try second.run(words)
        #expect(result.summary.hasPrefix("3 modules: 0 compiled, 3 from the store"), "\(result)")
        #expect(try second.differences(mode: "unchecked-hash") == "")
        let found = try Program.shell(
            "ls \"$HOME\"/.pyenv/versions/2.7*/bin/python 2>/dev/null | head -1", in: first.path)
        guard let old = found.output.split(separator: "\n").first.map(String.init) else { return }
        for tree in [first, second] {
            try tree.write("pkg/a.py", "def f():\n    return lambda: 10 ** 20\n")
            try tree.age()
            let run = try tree.run(words + ["--python", old], usesPython: false)
            #expect(run.summary.contains(tree === first ? "3 compiled" : "3 from the store"), "\(run)")
            let name = try Program.run(
                old, "-c",
                "import marshal; print(marshal.loads(open('pkg/a.pyc','rb').read()[8:]).co_consts[0].co_filename)",
                in: tree.path)
            #expect(name.output == "\(tree.path)/pkg/a.py\n", "\(name)")
        }
    }
}
