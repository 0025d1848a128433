// `clean` removes unneeded bytecode and nothing else.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct CleanTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let words: [String]
        /// The files to remove. Everything else must stay.
        let gone: [String]
        var testDescription: String { name }
    }

    /// `$TAG` is the cache tag of the tree's interpreter.
    private static func make() throws -> Tree {
        let tree = try Tree([
            "a.py": "x = 1\n", "pkg/b.py": "y = 2\n", "venv/pyvenv.cfg": "", "venv/c.py": "", "docs/notes.txt": "",
        ])
        #expect(try tree.run("build", "-O", "0", "-O", "1").status == 0)
        try tree.shell(
            """
            TAG=\(tree.python.cacheTag); A=__pycache__/a.$TAG.pyc
            cp $A __pycache__/gone.$TAG.pyc; cp $A __pycache__/gone.cpython-30.opt-2.pyc
            cp $A __pycache__/a.cpython-30.pyc; cp $A __pycache__/gone.$TAG-pytest-8.1.1.pyc
            cp $A a.pyc; cp $A sourceless.pyc; echo data > pkg/b.pyc
            : > __pycache__/.freshpyc-999999999-1-1; : > __pycache__/.freshpyc-1-1-1; echo > __pycache__/a.nbi
            mkdir old; mkdir old/__pycache__; cp $A old/__pycache__/gone.$TAG.pyc; mkdir empty; mkdir empty/__pycache__
            mkdir venv/__pycache__; cp $A venv/__pycache__/gone.$TAG.pyc
            mkdir ../outside-$(basename $PWD); cp $A ../outside-$(basename $PWD)/gone.$TAG.pyc
            mkdir linked; ln -s ../../outside-$(basename $PWD) linked/__pycache__; ln -s ../outside-$(basename $PWD) away
            ln -s ../a.py pkg/__pycache__/link.$TAG.pyc
            """)
        return tree
    }

    private static let orphans = [
        "__pycache__/.freshpyc-999999999-1-1", "__pycache__/gone.$TAG-pytest-8.1.1.pyc", "__pycache__/gone.$TAG.pyc",
        "__pycache__/gone.cpython-30.opt-2.pyc", "empty/__pycache__/", "old/__pycache__/",
        "old/__pycache__/gone.$TAG.pyc",
    ]

    @Test(arguments: [
        Case(name: "orphans", words: [], gone: orphans),
        Case(name: "foreign", words: ["--foreign"], gone: orphans + ["__pycache__/a.cpython-30.pyc"]),
        Case(
            name: "all", words: ["--all"],
            gone: orphans + [
                "__pycache__/a.$TAG.opt-1.pyc", "__pycache__/a.$TAG.pyc", "__pycache__/a.cpython-30.pyc", "a.pyc",
                "pkg/__pycache__/b.$TAG.opt-1.pyc", "pkg/__pycache__/b.$TAG.pyc",
            ]),
        Case(name: "one folder", words: ["old"], gone: ["old/__pycache__/", "old/__pycache__/gone.$TAG.pyc"]),
        Case(
            name: "one source", words: ["--all", "a.py"],
            gone: [
                "__pycache__/a.$TAG.opt-1.pyc", "__pycache__/a.$TAG.pyc", "__pycache__/a.cpython-30.pyc", "a.pyc",
            ]),
        Case(
            name: "all except excluded files", words: ["--exclude", "__pycache__/gone.*", "--exclude", "old/"],
            gone: ["__pycache__/.freshpyc-999999999-1-1", "empty/__pycache__/"]),
        Case(
            name: "a named environment", words: ["venv"],
            gone: ["venv/__pycache__/", "venv/__pycache__/gone.$TAG.pyc"]),
    ])
    func onlyTheListedFilesAreRemoved(_ one: Case) throws {
        let tree = try Self.make()
        let outside = tree.path.parent.appending("outside-" + String(decoding: tree.path.lastComponent, as: UTF8.self))
        defer { Scratch.remove(outside) }
        let expected = one.gone.map { $0.replacing("$TAG", with: tree.python.cacheTag) }.sorted()
        let everything = try Self.names(tree)
        // A dry run first: it lists the files and removes nothing.
        let dry = try tree.run(["clean", "--dry-run"] + one.words)
        #expect(dry.status == 0 && dry.lines == expected, "\(dry)")
        #expect(dry.summary.hasPrefix("would remove "), "\(dry)")
        #expect(try Self.names(tree) == everything)
        let done = try tree.run(["clean", "--verbose"] + one.words)
        #expect(done.status == 0 && done.lines == expected, "\(done)")
        let names = Set(expected.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 })
        #expect(try Self.names(tree) == everything.subtracting(names))
        #expect(Host.contents(outside.appending("gone.\(tree.python.cacheTag).pyc")) != nil)
        // A second run has nothing to do.
        let again = try tree.run(["clean", "-v"] + one.words)
        #expect(again.status == 0 && again.output == "", "\(again)")
        #expect(again.summary.hasPrefix("removed 0 files (0 bytes) in "), "\(again)")
    }

    private static func names(_ tree: Tree) throws -> Set<String> {
        Set(
            try Program.shell("find . -path ./.freshpyc -prune -o -printf '%P\\n'", in: tree.path).lines)
    }

    @Test func bytesAreCounted() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.run("build")
        let size = try tree.stamp(tree.pyc("a.py")).size
        try tree.shell("rm a.py")
        let result = try tree.run(["clean"], usesPython: false)
        #expect(result.status == 0 && result.output == "")
        #expect(result.errors.hasPrefix("removed 1 file and 1 directory (\(size) bytes) in "), "\(result)")
        #expect(try tree.run(["clean", "-q"], usesPython: false).errors == "")
    }

    /// `clean` without options needs no interpreter.
    @Test func needsNoPython() throws {
        let tree = try Tree(["__pycache__/gone.cpython-30.pyc": "x"])
        let result = try tree.run(["clean"], environment: ["PATH": "/nowhere"], usesPython: false)
        #expect(result.status == 0 && !tree.exists("__pycache__"), "\(result)")
        let foreign = try tree.run(["clean", "--foreign"], environment: ["PATH": "/nowhere"], usesPython: false)
        #expect(foreign.status == 2 && foreign.errors.contains("no Python interpreter found"), "\(foreign)")
    }

    @Test func aCacheFolderIsNotAnArgument() throws {
        let tree = try Tree(["pkg/__pycache__/gone.cpython-30.pyc": "x"])
        let result = try tree.run(["clean", "pkg/__pycache__"], usesPython: false)
        #expect(
            result.status == 2 && result.errors.contains("is a bytecode directory; name the directory that contains it")
        )
        #expect(tree.exists("pkg/__pycache__/gone.cpython-30.pyc"))
    }

    /// A file that cannot be removed is reported; the others are still removed.
    @Test(.enabled(if: Host.isExecutable(BytePath("/usr/bin/setpriv"))))
    func filesThatCannotBeRemovedAreReported() throws {
        let tree = try Tree(["a/__pycache__/gone.cpython-30.pyc": "x", "b/__pycache__/gone.cpython-30.pyc": "x"])
        try tree.shell("chmod 777 . b b/__pycache__; chmod 755 a a/__pycache__")
        // Run as a user who may not write in a's cache. Root may write anywhere.
        let program = Scratch.unique("binary")
        defer { Scratch.remove(program) }
        try tree.shell("cp \(Freshpyc.path) \(program) && chmod 755 \(program)")
        let result = try Program.run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program.description, "clean", in: tree.path)
        guard result.status != -1 else { return }
        #expect(result.status == 2, "\(result)")
        #expect(
            result.errors.contains("a/__pycache__/gone.cpython-30.pyc: cannot remove it: permission denied"),
            "\(result)")
        #expect(tree.exists("a/__pycache__/gone.cpython-30.pyc") && !tree.exists("b/__pycache__"))
    }
}
