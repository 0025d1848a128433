// Bundles and programs that do unusual things: each of these once went wrong.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct BundleHazardTests {
    /// Builds a bundle of a tree, and runs it where nothing of the tree is.
    private func run(
        _ files: [String: String], _ words: [String], with python: TestPython? = nil, flags: [String] = [],
        arguments: [String] = [], environment: [String: String] = [:], prepare: String = ":"
    ) throws -> RunResult {
        let bundle = Scratch.unique("bundle").appending("app.pyz")
        _ = try Host.makeDirectory(bundle.parent, permissions: 0o755)
        defer { Scratch.remove(bundle.parent) }
        let found: TestPython
        do {
            let tree = try Tree(files.merging(["pyproject.toml": ""]) { one, _ in one }, python: python)
            found = tree.python
            try tree.shell(prepare)
            let built = try tree.run(["bundle"] + words + ["-o", bundle.description])
            #expect(built.status == 0, "\(built)")
        }
        let command = [found.path.description, "-I", "-B"] + flags + [bundle.description] + arguments
        return try RunningProgram(command.map { BytePath($0) }, in: bundle.parent, environment: environment).finish()
    }

    /// Programs that become daemons close all files, and open others.
    @Test func itsDescriptorIsClosed() throws {
        let result = try run(
            [
                "app.py": """
                import os, sys
                os.closerange(3, 256)
                others = [open(sys.executable, 'rb') for _ in range(4)]
                from pkg import late
                print(late.text())
                """,
                "pkg/__init__.py": "", "pkg/data.txt": "data\n",
                "pkg/late.py":
                    "import os\ndef text():\n    return open(os.path.dirname(__file__) + '/data.txt').read().strip()\n",
            ], ["app.py"])
        #expect(result.output == "data\n", "\(result)")
    }

    /// Entries whose names collide with others.
    @Test(
        arguments: [
            (
                [
                    "shop.py": "from shop.core import main\nmain()\n", "shop/__init__.py": "",
                    "shop/core.py": "def main():\n    print('right')\n",
                ], "shop.py"
            ),
            (
                [
                    "app/__main__.py": "from _main import main\nmain()\n",
                    "app/_main.py": "def main():\n    print('right')\n",
                ], "app"
            ),
            (["my.script.py": "print('right')\n"], "my.script.py"),
            (["tool": "#!/usr/bin/env python3\nprint('right')\n"], "tool"),
            (
                [
                    "bin/run.py": "import os\nprint(open(os.path.dirname(__file__) + '/run.cfg').read().strip())\n",
                    "bin/run.cfg": "right\n",
                ], "bin/run.py --include bin/*.cfg"
            ),
            (["errno.py": "", "app.py": "import errno\nerrno.ENOENT\nprint('right')\n"], "app.py --whole"),
            (
                [
                    "app.py": "from pkg.a import main\n", "pkg/__init__.py": "__all__ = ['a', 'b']\n", "pkg/a.py": "",
                    "pkg/b.py": "raise SystemExit('imported')\n", "call.py": "def main():\n    print('right')\n",
                ], "call:main"
            ),
        ] as [([String: String], String)])
    func names(_ files: [String: String], _ words: String) throws {
        let result = try run(files, words.split(separator: " ").map(String.init))
        #expect(result.output == "right\n" && result.status == 0, "\(result)")
    }

    /// Namespace packages: of the project, and shared with an installed distribution.
    @Test func namespaces() throws {
        let files = [
            "app.py":
                "import importlib, sys\nimport acme.two, acme.one\nimportlib.import_module(sys.argv[1])\nprint(acme.two.x, acme.one.y)\n",
            "acme/two/__init__.py": "x = 2\n", "acme/plain/v.py": "", "lib/acme/one.py": "y = 1\n",
            "lib/acme_one-1.dist-info/METADATA": "Name: acme-one\nVersion: 1\n",
            "lib/acme_one-1.dist-info/RECORD": "acme/one.py,,\nacme_one-1.dist-info/METADATA,,\n",
        ]
        for words in [["--whole"], ["--include", "acme/plain/"], ["--include", "acme/**"]] {
            let result = try run(files, ["app.py", "--path", "lib"] + words, arguments: ["acme.plain.v"])
            #expect(result.output == "2 1\n", "\(words): \(result)")
        }
    }

    /// A module that lies elsewhere in the tree, and is excluded: the search for it once never ended.
    @Test func anExcludedModuleElsewhere() throws {
        let tree = try Tree([
            "pyproject.toml": "", "app.py": "try:\n    import lib1\nexcept ImportError:\n    pass\n",
            "pkg/__init__.py": "", "pkg/deep/vendor/lib1.py": "",
        ])
        let without = try tree.run("bundle", "app.py", "--dry-run", "--exclude", "lib1")
        #expect(without.status == 0 && !without.output.contains("lib1"), "\(without)")
        #expect(try tree.run("bundle", "app.py", "--dry-run").output.contains("lib1.py"))
    }

    /// `__main__` has what it has without a bundle.
    @Test(arguments: ["3.8", "3.12", "3.13"])
    func theMainModule(_ series: String) throws {
        guard let python = TestPython.series(series) else { return }
        let package = try run(
            [
                "shop/__init__.py": "", "shop/core.py": "x = 1\n",
                "shop/__main__.py":
                    "from . import core\nimport __main__, inspect\ndef f():\n    return 1\nprint(__spec__.name, __package__, inspect.getsource(f).strip()[:7])\n",
            ], ["-m", "shop"], with: python, flags: ["-W", "error"])
        #expect(package.output == "shop.__main__ shop def f()\n", "\(package)")
        let script = try run(
            ["app.py": "import inspect\ndef f():\n    return 1\nprint(__spec__, inspect.getsource(f).strip()[:7])\n"],
            ["app.py"], with: python,
            flags: ["-W", "error"])
        #expect(script.output == "None def f()\n", "\(script)")
    }

    /// What programs do with files and modules of their own.
    @Test(arguments: ["3.7", "3.8", "3.9", "3.12", "3.13"])
    func ownFiles(_ series: String) throws {
        guard let python = TestPython.series(series) else { return }
        let result = try run(
            [
                "app.py": Self.examination, "pkg/__init__.py": "", "pkg/plain.py": "",
                "pkg/script.py": "print('ran', __name__)\n",
                "pkg/vendor/lib1.py": "name = __name__\n", "pkg/vendor/lib2/__init__.py": "",
                "pkg/vendor/lib2/x.py": "",
                "pkg/plugins/p1.py": "", "pkg/data/a.txt": "a\n", "pkg/data/deep/b.txt": "b\n", "ns/mod.py": "",
                "ns/n.txt": "n\n",
            ], ["app.py", "--whole"], with: python)
        #expect(result.output == "right\n", "\(result)")
    }

    private static let examination = """
        import importlib, io, os, pickle, pkgutil, runpy, shutil, sys, tempfile
        from contextlib import redirect_stdout
        here = os.path.dirname(os.path.abspath(__file__))
        pkg = os.path.join(here, 'pkg')
        assert os.path.exists(__file__) and open(__file__).readline().startswith('import importlib')
        assert 'pkg' in os.listdir(here) and 'app.py' in [e.name for e in os.scandir(here)]
        # Directories on sys.path.
        sys.path.insert(0, os.path.join(pkg, 'vendor'))
        import lib1, lib2.x
        assert lib1.name == lib1.__name__ == 'lib1' and sys.modules['lib1'] is lib1 and lib2.x.__name__ == 'lib2.x'
        [(finder, name, _)] = pkgutil.iter_modules([os.path.join(pkg, 'plugins')])
        assert name == 'p1' and finder.find_spec(name).name == 'p1'
        # Scripts.
        for run_name in ('__main__', 'other'):
            with redirect_stdout(io.StringIO()) as text:
                runpy.run_path(os.path.join(pkg, 'script.py'), run_name=run_name)
            assert text.getvalue() == 'ran %s\\n' % run_name
        # Copies.
        target = tempfile.mkdtemp()
        shutil.copy2(os.path.join(pkg, 'data', 'a.txt'), target)
        shutil.copytree(os.path.join(pkg, 'data'), os.path.join(target, 'copy'))
        assert open(os.path.join(target, 'copy', 'deep', 'b.txt')).read() == 'b\\n'
        shutil.rmtree(target)
        assert os.stat(os.path.join(pkg, 'data', 'a.txt')).st_mtime_ns > 0
        # Functions by name.
        assert pickle.loads(pickle.dumps([open, os.stat, os.listdir])) == [open, os.stat, os.listdir]
        for wrong in (lambda: open(__file__, 'q'), lambda: open(__file__, 'rb', encoding='utf-8')):
            try:
                wrong()
            except ValueError:
                continue
            raise AssertionError
        assert open(__file__, 'rb').peek(3)[:3] == b'imp'
        # Resources.
        import pkg.data
        assert list(pkg.data.__path__) == [os.path.join(here, 'pkg', 'data')]
        if sys.version_info >= (3, 10):
            from importlib import resources
            assert sorted(resources.files('pkg.data').iterdir())[0].name == 'a.txt'
            assert (resources.files('pkg.data') / 'a.txt').suffix == '.txt'
            assert (resources.files('ns') / 'n.txt').read_text() == 'n\\n'
            assert sorted(resources.files('pkg').iterdir())[0].stat().st_size >= 0
        if sys.version_info >= (3, 12):
            assert resources.files('pkg.plain').joinpath('__init__.py').is_file()
        assert importlib.util.find_spec('pkg').loader.load_module('pkg') is sys.modules['pkg']
        print('right')
        """

    /// Without a home, a child that ends does not remove its parent's libraries.
    @Test func aForkedChildEnds() throws {
        let python = try #require(TestPython.series("3.12"))
        let result = try run(
            [
                "app.py": """
                import os, sys
                from pkg import _bisect
                if os.fork() == 0:
                    sys.exit(0)
                os.wait()
                from pkg import _heapq
                print(_heapq.heappop([1]))
                """, "pkg/__init__.py": "",
            ], ["app.py"], with: python, environment: ["HOME": "/nonexistent", "TMPDIR": "/tmp"],
            prepare:
                "for m in _bisect _heapq; do cp \"$('\(python.path)' -c \"import $m; print($m.__file__)\")\" pkg/; done"
        )
        #expect(result.output == "1\n", "\(result)")
    }

    /// The output is a regular file, or a link to one.
    @Test func outputs() throws {
        let tree = try Tree(["pyproject.toml": "", "app.py": "print(1)\n"])
        try tree.shell("mkfifo pipe && echo old > target.pyz && ln -s target.pyz link.pyz")
        for name in ["pipe", "/dev/null", "."] {
            let result = try tree.run("bundle", "app.py", "-o", name)
            let message = name == "." ? "'.' is a directory" : "'\(name)' is not a regular file"
            #expect(result.status == 2 && result.errors.contains(message), "\(result)")
        }
        try tree.shell("test -p pipe && test -c /dev/null")
        #expect(try tree.run("bundle", "app.py", "-o", "link.pyz").status == 0)
        try tree.shell("test -L link.pyz")
        #expect(try tree.bytes("target.pyz").starts(with: "#!".utf8))
    }

    /// Archives that were made to harm.
    @Test func hostileArchives() throws {
        let tree = try Tree([
            "craft.py": """
            import struct
            name, size = b'x', 62561632032929680
            extra = struct.pack('<HHQQ', 1, 16, size, size)
            local = struct.pack('<IHHHHHIIIHH', 0x04034B50, 45, 0, 0, 0, 33, 0, 0xFFFFFFFF, 0xFFFFFFFF, 1, 20) + name + extra
            head = struct.pack('<IHHHHHHIIIHHHHHII', 0x02014B50, 45, 45, 0, 0, 0, 33, 0, 0xFFFFFFFF, 0xFFFFFFFF, 1, 20, 0, 0, 0, 0, 0)
            directory = head + name + extra
            end = struct.pack('<IHHHHIIH', 0x06054B50, 0, 0, 1, 1, len(directory), len(local), 0)
            open('huge.zip', 'wb').write(local + directory + end)
            import zipfile
            with zipfile.ZipFile('escape.zip', 'w') as archive:
                archive.writestr('\\x1b]0;title\\x07.pyc', b'x')
            """
        ])
        #expect(try Program.run(tree.python.path.description, "craft.py", in: tree.path).status == 0)
        for verb in ["verify", "inspect"] {
            for name in ["huge.zip", "escape.zip"] {
                let result = try tree.run([verb, name], usesPython: false)
                #expect((1...2).contains(result.status), "\(verb) \(name): \(result)")
                #expect(!result.output.contains("\u{1B}") && !result.errors.contains("\u{1B}"))
            }
        }
    }
}
