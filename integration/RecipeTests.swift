// The recipes for bundles in `config/`, each run as a user runs it.

import BasicTypes
import Glibc
import LinuxSystem
import Testing

@Suite struct RecipeTests {
    private static let files = [
        "pyproject.toml": "", "app.py": "import sys\nfrom shop import cart\nprint(cart.total(3), sys.argv[1:])\n",
        "handler.py": "from shop import cart\ndef handle(event, context):\n    return cart.total(event)\n",
        "shop/__init__.py": "", "shop/cart.py": "def total(n):\n    return n * 2\n", "unused.py": "",
    ]

    private func run(_ recipe: String, _ words: [String], in tree: Tree, path: String = "", more: String = "") throws
        -> RunResult
    {
        let place = BytePath(#filePath).parent.parent.appending("config/\(recipe)")
        return try Program.shell(
            "PATH=\(path)\(Freshpyc.path.parent):\(tree.python.path.parent):$PATH; export PATH \(more); \(place) \(words.joined(separator: " "))",
            in: tree.path)
    }

    @Test func lambda() throws {
        let tree = try Tree(Self.files)
        let result = try run(
            "bundle-lambda.sh", ["handler", "function.zip"], in: tree, more: "PYTHON=\(tree.python.path)")
        #expect(result.status == 0, "\(result)")
        let ask = "import sys; sys.path.insert(0, 'function.zip'); import handler; print(handler.handle(4, None))"
        let answer = try RunningProgram(
            [tree.python.path, BytePath("-I"), BytePath("-c"), BytePath(ask)], in: tree.path
        ).finish()
        #expect(answer.output == "8\n", "\(answer)")
        let list = try Program.run(tree.python.path.description, "-m", "zipfile", "-l", "function.zip", in: tree.path)
        #expect(list.output.contains("handler.pyc") && !list.output.contains("unused"), "\(list)")
        let usage = try run("bundle-lambda.sh", [], in: tree)
        #expect(usage.status == 2 && usage.errors.contains("bundle-lambda.sh MODULE OUT.zip"), "\(usage)")
    }

    @Test func container() throws {
        guard geteuid() == 0, let python = TestPython.series("3.12") else { return }
        let tree = try Tree(Self.files, python: python)
        let result = try run("bundle-container.sh", ["app.py", "root", "--python", python.path.description], in: tree)
        #expect(result.status == 0, "\(result)")
        // There is no /proc, from which the dynamic linker learns where a program is.
        let answer = try Program.shell(
            "env -i LD_ORIGIN_PATH=/app/python/bin $(command -v chroot || echo /usr/sbin/chroot) root /app/python/bin/python3.12 -I /app a",
            in: tree.path)
        #expect(answer.output == "6 ['a']\n", "\(answer)")
        #expect(try run("bundle-container.sh", ["app.py", "root"], in: tree).status != 0, "it exists")
    }

    /// With an `ssh` and an `scp` to this machine.
    @Test func deploy() throws {
        let tree = try Tree(Self.files)
        try tree.shell(
            """
            mkdir bin server
            printf '#!/bin/sh\\nshift\\nexec sh -c "$*"\\n' > bin/ssh
            printf '#!/bin/sh\\ncp "$2" "${3#*:}"\\n' > bin/scp
            chmod +x bin/*
            """)
        for _ in 0..<2 {
            let result = try run(
                "bundle-deploy.sh",
                ["host", "app.py", "\(tree.path)/server/app", "--python", tree.python.path.description],
                in: tree, path: "\(tree.path)/bin:")
            #expect(result.status == 0, "\(result)")
            let answer = try Program.run(tree.path.appending("server/app").description, "x")
            #expect(answer.output == "6 ['x']\n", "\(answer)")
        }
        #expect(try Program.run("ls", tree.path.appending("server").description).output == "app\n")
    }
}
