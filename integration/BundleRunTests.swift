// Bundles that run: each behaves as the program did before.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct BundleRunTests: BundleSuite {
    /// What a loader must offer, checked by Python itself.
    @Test(arguments: ["3.8", "3.9", "3.12", "3.13"])
    func aCompleteLoader(_ series: String) throws {
        guard let python = TestPython.series(series) else { return }
        let tree = try Tree(
            [
                "pyproject.toml": "", "main.py": Self.examination, "pkg/__init__.py": "'''Text.'''\n",
                "pkg/a.py": "def f():\n    return 1  # a comment\n", "pkg/sub/__init__.py": "",
                "pkg/sub/b.py": "x = 2\n",
                "pkg/data/one.txt": "eins\n", "pkg/data/deep/two.txt": "zwei\n", "ns/inner/c.py": "y = 3\n",
                "pkg/__main__.py": "print('ran', __name__)\n",
            ], python: python)
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        let built = try tree.run(
            "bundle", "main.py", "-o", bundle.description, "--include", "pkg", "--include", "ns.inner.c")
        #expect(built.status == 0, "\(built)")
        let result = try start(bundle, with: python)
        #expect(result.status == 0 && result.output.hasSuffix("all right\n"), "\(result)")
        // Nothing is written beside it.
        #expect(try Program.run("ls", "-A", bundle.parent.description).output == "app.pyz\n")
    }

    private static let examination = """
        import glob, importlib, importlib.util, inspect, io, linecache, os, pkgutil, runpy, sys, traceback
        from importlib import resources
        import pkg, pkg.a, pkg.sub.b, ns.inner.c
        assert pkg.__file__.endswith('app.pyz/pkg/__init__.py') and pkg.__spec__.name == 'pkg' and pkg.__doc__ == 'Text.'
        assert pkg.__path__ == [os.path.dirname(pkg.__file__)] and pkg.a.__package__ == 'pkg'
        assert ns.__file__ is None if hasattr(ns, '__file__') else True
        assert inspect.getsource(pkg.a.f).endswith('# a comment\\n')
        assert linecache.getline(pkg.a.__file__, 2, vars(pkg.a)) == '    return 1  # a comment\\n'
        assert pkgutil.get_data('pkg', 'data/one.txt') == b'eins\\n'
        assert [m.name for m in pkgutil.iter_modules(pkg.__path__, 'pkg.')] == ['pkg.__main__', 'pkg.a', 'pkg.sub']
        assert 'pkg.sub.b' in [m.name for m in pkgutil.walk_packages(pkg.__path__, 'pkg.')]
        if sys.version_info >= (3, 9):
            folder = resources.files('pkg') / 'data'
            assert sorted(f.name for f in folder.iterdir()) == ['deep', 'one.txt']
            assert (folder / 'deep' / 'two.txt').read_text(encoding='utf-8') == 'zwei\\n'
            assert folder.joinpath('one.txt').is_file() and folder.is_dir()
            with resources.as_file(folder / 'one.txt') as path:
                assert path.read_bytes() == b'eins\\n'
        with resources.path('pkg', '__init__.py') as path:
            assert open(path).read().startswith("'''Text")
        assert importlib.util.find_spec('pkg.sub.b').origin == pkg.sub.b.__file__
        assert importlib.util.find_spec('pkg.nosuch') is None
        here = os.path.dirname(pkg.__file__)
        assert open(os.path.join(here, 'data', 'one.txt')).read() == 'eins\\n'
        assert open(os.path.join(here, 'data', 'one.txt').encode(), 'rb').read(2) == b'ei'
        assert os.path.isfile(here + '/data/one.txt') and os.path.isdir(here + '/data') and not os.path.exists(here + '/no')
        assert os.path.getsize(here + '/data/one.txt') == 5 and sorted(os.listdir(here + '/data')) == ['deep', 'one.txt']
        assert [f for _, _, names in os.walk(here + '/data') for f in names] == ['one.txt', 'two.txt']
        assert glob.glob(here + '/data/*.txt') == [here + '/data/one.txt']
        for wrong, problem in ((lambda: open(here + '/new', 'w'), OSError), (lambda: open(here + '/no'), FileNotFoundError),
                               (lambda: open(here), IsADirectoryError), (lambda: os.listdir(here + '/no'), FileNotFoundError)):
            try:
                wrong()
            except problem:
                continue
            raise AssertionError(wrong)
        import pathlib
        assert sorted(p.name for p in pathlib.Path(here).rglob('*.txt')) == ['one.txt', 'two.txt']
        assert pathlib.Path(here, 'data', 'one.txt').read_text() == 'eins\\n'
        with io.StringIO() as text:
            real, sys.stdout = sys.stdout, text
            runpy.run_module('pkg', run_name='__main__')
            sys.stdout = real
            assert text.getvalue() == 'ran __main__\\n'
        assert importlib.reload(pkg.a).f() == 1
        assert repr(pkg.a).startswith("<module 'pkg.a'")
        try:
            import pkg.nosuch
        except ModuleNotFoundError as error:
            assert error.name == 'pkg.nosuch'
        print('all right')
        """

    @Test func tracebacksShowLinesOfTheProgram() throws {
        let tree = try Tree(["pyproject.toml": "", "app.py": "def f():\n    raise ValueError('no')\nf()\n"])
        #expect(try tree.run("bundle", "app.py", "-o", "app.pyz").status == 0)
        let result = try start(tree.path.appending("app.pyz"), with: tree.python)
        let lines = result.errors.split(separator: "\n")
        #expect(result.status == 1 && lines.first == "Traceback (most recent call last):")
        #expect(lines[1].hasSuffix("app.pyz/app.py\", line 3, in <module>") && lines[2] == "    f()", "\(result)")
        #expect(!result.errors.contains("runpy") && !result.errors.contains("importer"), "\(result)")
    }

    @Test(arguments: ["fork", "spawn", "forkserver"])
    func processesOfMultiprocessing(_ way: String) throws {
        let tree = try Tree([
            "pyproject.toml": "", "work/__init__.py": "", "work/task.py": "def square(n):\n    return n * n\n",
            "work/__main__.py": """
            import multiprocessing, sys
            from work.task import square

            def cube(n):
                return n ** 3

            if __name__ == '__main__':
                with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
                    print(pool.map(square, [2, 3]), pool.map(cube, [2, 3]))
            """,
        ])
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        #expect(try tree.run("bundle", "-m", "work", "-o", bundle.description).status == 0)
        let result = try start(bundle, way, with: tree.python)
        #expect(result.output == "[4, 9] [8, 27]\n", "\(result)")
    }

    /// Extension modules are files of the user's cache, made once; without a place for them, of a temporary directory.
    @Test func extensionModules() throws {
        let python = try #require(TestPython.series("3.12"))
        let tree = try Tree(
            [
                "pyproject.toml": "", "pkg/__init__.py": "",
                "app.py": "import os\nfrom pkg import _bisect\nfrom pkg.data import text\n"
                    + "print(_bisect.bisect_right([1, 3], 2), text(), os.path.dirname(_bisect.__file__))\n",
                "pkg/data.py":
                    "import os\ndef text():\n    return open(os.path.join(os.path.dirname(__file__), 'a.txt')).read().strip()\n",
                "pkg/a.txt": "data\n",
            ], python: python)
        try tree.shell("cp \"$('\(python.path)' -c 'import _bisect; print(_bisect.__file__)')\" pkg/")
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        #expect(try tree.run("bundle", "app.py", "-o", bundle.description).status == 0)
        let cache = bundle.parent.appending("cache")
        func folder(_ environment: [String: String]) throws -> String {
            let result = try start(bundle, with: python, environment: environment)
            #expect(result.output.hasPrefix("1 data /"), "\(result)")
            return String(result.output.dropLast().split(separator: " ").last ?? "")
        }
        let first = try folder(["XDG_CACHE_HOME": cache.description])
        #expect(first.hasPrefix("\(cache)/freshpyc/bundles/") && first.hasSuffix("/pkg"))
        #expect(try Program.run("stat", "-c", "%a", "\(cache)/freshpyc/bundles").output == "700\n")
        let file = try #require(try Host.status(BytePath(first + "/a.txt")))
        #expect(try folder(["XDG_CACHE_HOME": cache.description]) == first)
        #expect(try Host.status(BytePath(first + "/a.txt"))?.stamp.inode == file.stamp.inode)
        // Damaged, or changed by another user: made again.
        for damage in [
            "rm '\(first)/a.txt'", "echo longer > '\(first)/a.txt'", "chmod -R go+w '\(cache)/freshpyc/bundles/'*",
        ] {
            try tree.shell(damage)
            #expect(try folder(["XDG_CACHE_HOME": cache.description]) == first)
            #expect(
                try String(decoding: #require(Host.contents(BytePath(first + "/a.txt"))), as: UTF8.self) == "data\n")
        }
        // No home, or one that cannot be written: a temporary directory, removed at the end.
        for environment in [
            ["HOME": "/nonexistent"], ["XDG_CACHE_HOME": "/proc/nowhere"], ["XDG_CACHE_HOME": "/dev/null"],
        ] {
            let place = try folder(environment.merging(["TMPDIR": bundle.parent.description]) { $1 })
            #expect(place.hasPrefix("\(bundle.parent)/freshpyc-"), "\(environment)")
            #expect(try Host.status(BytePath(place)) == nil)
        }
        // Many at once.
        Scratch.remove(cache)
        let programs = try (0..<12).map { _ in
            try RunningProgram(
                [python.path, BytePath("-I"), bundle], in: bundle.parent,
                environment: ["XDG_CACHE_HOME": cache.description])
        }
        for program in programs { #expect(program.finish().output.hasPrefix("1 data /")) }
        #expect(try Program.run("ls", "\(cache)/freshpyc/bundles").output.split(separator: "\n").count == 1)
    }

    @Test(arguments: ["3.6", "3.12"])
    func compressed(_ series: String) throws {
        guard let python = TestPython.series(series) else { return }
        var files = Self.shop
        files["shop/data/rates.txt"] = String(repeating: "many rates\n", count: 1000)
        files["shop/tax.py"] = """
            import os
            def rate():
                return open(os.path.join(os.path.dirname(__file__), "data", "rates.txt")).read().count("many")
            """
        let tree = try Tree(files, python: python)
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        #expect(try tree.run("bundle", "app.py", "-o", bundle.description, "--compress", "deflate").status == 0)
        #expect(try start(bundle, with: python).output == "3000 __main__ []\n")
        #expect(try start(bundle, with: #require(TestPython.series("3.8"))).output == "3000 __main__ []\n")
        let verified = try tree.run(["verify", bundle.description], usesPython: false)
        #expect(verified.status == 0, "\(verified)")
        let script =
            "import io, zipfile; z = zipfile.ZipFile('\(bundle)'); print(z.testzip(), zipfile.ZipFile(io.BytesIO(z.read('bundle.zip'))).testzip())"
        #expect(try Program.run("python3", "-c", script).output == "None None\n")
        let (size, text) = try (tree.run("bundle", "app.py", "-o", "plain.pyz").status, tree.bytes("plain.pyz").count)
        #expect(size == 0 && text > (Host.contents(bundle, limit: 1 << 26) ?? []).count + 10_000)
    }

    /// A launcher finds a Python, and becomes it.
    @Test func anExecutable() throws {
        let python = try #require(TestPython.series("3.12"))
        let tree = try Tree(
            [
                "pyproject.toml": "",
                "app.py": "import sys\nprint(sys.version[:4], sys.argv[1:], input())\nsys.exit(7)\n",
            ],
            python: python)
        let bundle = try place("app")
        defer { Scratch.remove(bundle.parent) }
        #expect(try tree.run("bundle", "app.py", "-o", bundle.description).status == 0)
        let folder = python.path.parent.description
        func run(_ variables: String) throws -> RunResult {
            try Program.shell(
                "\(variables) && export PATH && echo in | \(bundle) a 'b c' || echo status $?", in: bundle.parent)
        }
        let result = try run("PATH=/nonexistent:\(folder)")
        #expect(result.output == "3.12 ['a', 'b c'] in\nstatus 7\n", "\(result)")
        if let other = TestPython.series("3.8") {
            #expect(
                try run("PATH=\(folder) FRESHPYC_PYTHON=\(other.path) && export FRESHPYC_PYTHON").output.hasPrefix(
                    "3.8. "))
        }
        let none = try run("PATH=/nonexistent")
        #expect(none.output == "status 127\n", "\(none)")
        #expect(
            none.errors == "\(bundle): no Python was found; install Python 3.12 or set FRESHPYC_PYTHON to its path\n")
        let wrong = try run("FRESHPYC_PYTHON=/no/python && export FRESHPYC_PYTHON; PATH=\(folder)")
        #expect(wrong.errors == "\(bundle): cannot run /no/python (FRESHPYC_PYTHON); set it to a Python that exists\n")
        #expect(try tree.run(["verify", bundle.description], usesPython: false).status == 0)
        let bytes = try #require(Host.contents(bundle, limit: 1 << 26))
        try tree.write("cut", bytes: Array(bytes[..<(bytes.count - 1)]))
        let cut = try Program.shell("chmod +x cut; PATH=\(folder) ./cut || exit $?", in: tree.path)
        #expect(cut.status == 127 && cut.errors.hasSuffix("/cut: this bundle is incomplete; copy it again\n"), "\(cut)")
    }

    /// However the bundle was found, its files have paths that work, also with links resolved.
    @Test(arguments: [
        "./app.pyz", "./link.pyz", "../%/app.pyz", "$PWD/../%/./app.pyz", "sub/../app.pyz", "python ./app.pyz",
    ])
    func filesHavePaths(_ way: String) throws {
        let tree = try Tree([
            "pyproject.toml": "", "app.py": "import pkg\n", "pkg/data.txt": "data\n",
            "pkg/__init__.py": """
            import os, pathlib
            here = pathlib.Path(__file__).parent
            for place in (here, here.resolve(), here.absolute(), pathlib.Path(os.path.realpath(here)), here / '..' / 'pkg'):
                assert (place / 'data.txt').read_text() == 'data\\n', place
                assert os.path.isdir(place) and not (place / 'no').exists()
            try:
                open(here / 'no')
            except FileNotFoundError:
                print('right')
            """,
        ])
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        #expect(try tree.run("bundle", "app.py", "-o", bundle.description).status == 0)
        let name = String(decoding: bundle.parent.lastComponent, as: UTF8.self)
        let command = way.replacing("%", with: name).replacing("python", with: tree.python.path.description)
        let result = try Program.shell(
            "mkdir -p sub links && ln -s \(bundle) link.pyz; PATH=\(tree.python.path.parent):$PATH; \(command)",
            in: bundle.parent)
        #expect(result.output == "right\n", "\(result)")
    }
}
