// Untrusted trees and repositories: nothing that they contain or configure is executed.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct UntrustedTests {
    struct Trap: Sendable, CustomTestStringConvertible {
        let name: String
        /// Run in a repository with a committed `main.py`; `$EVIL` is a program that writes the file `ran` to the tree.
        let script: String
        var testDescription: String { name }
    }

    // MARK: git

    /// `touch` makes the index stale, so that git has to compare the contents.
    @Test(arguments: [
        Trap(name: "fsmonitor", script: #"git config core.fsmonitor "$EVIL""#),
        Trap(name: "external diff", script: #"git config diff.external "$EVIL""#),
        Trap(
            name: "diff driver",
            script:
                #"git config diff.d.command "$EVIL"; git config diff.d.textconv "$EVIL"; echo '*.py diff=d' > .git/info/attributes"#
        ),
        Trap(
            name: "clean filter in attributes of the tree",
            script: #"git config filter.f.clean "$EVIL"; echo '*.py filter=f' > .gitattributes"#),
        Trap(
            name: "filter process",
            script: #"git config filter.f.process "$EVIL"; echo '*.py filter=f' > .git/info/attributes"#),
        Trap(
            name: "required filter with dots, spaces and an equals sign in its name",
            script:
                #"git config 'filter.a.b =c.clean' "$EVIL"; git config 'filter.a.b =c.required' true; printf '[attr]x filter=a.b\n*.py filter=a.b\n' > .git/info/attributes; git config filter.a.b.clean "$EVIL"; git config filter.a.b.required true"#
        ),
        Trap(
            name: "filter in an included file",
            script:
                #"git config include.path ../more; git config -f more filter.f.clean "$EVIL"; echo '*.py filter=f' > .gitattributes"#
        ),
        Trap(
            name: "hooks",
            script:
                #"mkdir -p hooks; for h in post-index-change reference-transaction post-checkout fsmonitor-watchman; do cp "$EVIL" hooks/$h; done; git config core.hooksPath "$PWD/hooks"; cp "$EVIL" .git/hooks/post-index-change"#
        ),
        Trap(
            name: "pager, editor and aliases",
            script:
                #"git config core.pager "$EVIL"; git config pager.diff "$EVIL"; git config alias.diff "!$EVIL"; git config alias.ls-files "!$EVIL""#
        ),
        Trap(
            name: "submodule with a configuration of its own",
            script:
                #"git init -q sub; git -C sub config user.email a@b.c; git -C sub config user.name a; echo > sub/s.py; git -C sub add -A; git -C sub commit -qm s; git -c protocol.file.allow=always submodule --quiet add ./sub sub; git commit -qm sub; git -C sub config core.fsmonitor "$EVIL"; git -C sub config filter.f.clean "$EVIL"; echo '*.py filter=f' > sub/.gitattributes; sleep 0.01; echo 'x = 1' >> sub/s.py"#
        ),
        Trap(
            name: "a partial clone that fetches what is missing",
            script:
                #"git config remote.origin.url 'ssh://host/x'; git config core.sshCommand "$EVIL"; git config remote.origin.promisor true; git config extensions.partialClone origin; git config core.repositoryFormatVersion 1; rm -f .git/objects/$(git rev-parse HEAD:main.py | sed 's|..|&/|')"#
        ),
        Trap(
            name: "a partial clone from a local repository",
            script:
                #"git config remote.origin.url "file://$PWD/x"; git config remote.origin.uploadpack "$EVIL"; git config remote.origin.promisor true; git config extensions.partialClone origin; git config core.repositoryFormatVersion 1; rm -f .git/objects/$(git rev-parse HEAD:main.py | sed 's|..|&/|')"#
        ),
    ])
    func gitRunsNothing(_ trap: Trap) throws {
        let tree = try Tree([
            "main.py": "x = 1\n", "other.py": "import main\n", "evil": "#!/bin/sh\ntouch \"$(dirname $0)/ran\"\ncat\n",
        ])
        try tree.shell(
            """
            chmod +x evil; EVIL="$PWD/evil"; printf 'evil\nran\nhooks\nmore\n' > .gitignore
            git init -q -b main .; git config user.email a@b.c; git config user.name a; git add -A; git commit -qm one
            \(trap.script)
            rm -f ran; touch main.py other.py; echo 'y = 1' >> main.py
            """)
        let result = try tree.run(["affected", "--since", "HEAD", "--no-daemon"])
        #expect(!tree.exists("ran"), "\(result)")
        // A repository with missing objects cannot be compared, which is reported.
        if trap.name.hasPrefix("a partial clone") {
            #expect(result.status == 2 || result.lines.contains("main.py"), "\(result)")
        } else {
            #expect(result.status == 0 && result.lines.contains("main.py"), "\(result)")
        }
    }

    // MARK: check

    /// A `python3` that writes `ran` to the tree and then runs Python.
    private static func plantInterpreter(_ tree: Tree, at directory: String) throws {
        try tree.shell(
            """
            mkdir -p \(directory)
            printf '#!/bin/sh\ntouch \(tree.path)/ran\nexec \(tree.python.path) "$@"\n' > \(directory)/python3
            chmod +x \(directory)/python3
            """)
    }

    @Test func anUntrustedTreeRunsNoInterpreterOfItsOwn() throws {
        let tree = try Tree(["a.py": "x = 1\n", "bad.py": "def\n"])
        let path = "\(tree.python.path.parent):/usr/bin:/bin"
        try Self.plantInterpreter(tree, at: ".venv/bin")
        try tree.write("freshpyc.json", #"{"python": ".venv/bin/python3", "exclude": "bad.py"}"#)
        // The trap works: without the option, the interpreter in the tree runs.
        #expect(try tree.run(["check"], environment: ["PATH": path], usesPython: false).status == 0)
        #expect(tree.exists("ran"))
        try tree.shell("rm ran")
        let check = try tree.run(["check", "--untrusted"], environment: ["PATH": path], usesPython: false)
        #expect(!tree.exists("ran"))
        // The configuration in the tree would have hidden the error.
        #expect(check.status == 1 && check.output.contains("bad.py:1"), "\(check)")
    }

    @Test(arguments: ["--python .venv/bin/python3", "--python ./.venv", "--python python3", ""])
    func anInterpreterInsideIsRefused(_ option: String) throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try Self.plantInterpreter(tree, at: ".venv/bin")
        let environment = ["PATH": "\(tree.path)/.venv/bin:/usr/bin:/bin", "VIRTUAL_ENV": "\(tree.path)/.venv"]
        let words = ["check", "--untrusted"] + option.split(separator: " ").map(String.init)
        let result = try tree.run(words, environment: environment, usesPython: false)
        #expect(result.status == 2 && !tree.exists("ran"), "\(result)")
        #expect(
            result.errors
                == "freshpyc: \(tree.path)/.venv/bin/python3 is inside the untrusted tree \(tree.path), and will not be executed; name an interpreter outside it with --python\n"
        )
    }

    /// A database could claim that a broken module is fine.
    @Test func theDatabaseOfAnUntrustedTreeIsNotBelieved() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.run("build")
        try tree.shell("touch -r a.py stamp; printf 'x = \\n' > a.py; touch -r stamp a.py; rm stamp")
        let check = try tree.run("check", "--untrusted")
        #expect(check.status == 1 && check.output.contains("a.py:1"), "\(check)")
    }

    /// pyproject.toml would be read by an interpreter.
    @Test func aBrokenConfigurationOfAnUntrustedTreeIsNotRead() throws {
        let tree = try Tree(["a.py": "", "pyproject.toml": "[tool.freshpyc]\njobs = [\n"])
        #expect(try tree.run("check").status == 2)
        #expect(try tree.run("check", "--untrusted").status == 0)
    }
}
