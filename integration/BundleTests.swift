// `bundle`: what goes in, and that the file runs alone, on several Pythons, as the program did.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct BundleTests {
    /// Runs a bundle in an empty directory, with nothing but the interpreter's own library.
    private func start(
        _ bundle: BytePath, _ words: String..., with python: TestPython, environment: [String: String] = [:]
    ) throws -> RunResult {
        try RunningProgram(
            [python.path, BytePath("-I"), BytePath("-B"), bundle] + words.map { BytePath($0) }, in: bundle.parent,
            environment: environment
        ).finish()
    }

    /// A place for the bundle outside its tree.
    private func place(_ name: String = "app.pyz") throws -> BytePath {
        let folder = Scratch.unique("bundle")
        _ = try Host.makeDirectory(folder, permissions: 0o755)
        return folder.appending(name)
    }

    private static let shop = [
        "pyproject.toml": "",
        "app.py": """
        import sys
        from typing import TYPE_CHECKING
        from shop import cart
        if TYPE_CHECKING:
            import shop.types
        if __name__ == "__main__":
            print(cart.total(3), __name__, sys.argv[1:])
        """,
        "shop/__init__.py": "", "shop/cart.py": "def total(n):\n    from .tax import rate\n    return n * rate()\n",
        "shop/tax.py": "def rate():\n    return 2\n", "shop/types.py": "",
        "shop/unused.py": "", "shop/data/rates.txt": "2\n", "other/__init__.py": "",
    ]

    @Test(arguments: ["3.6", "3.8", "3.12", "3.13"])
    func aBundleRunsAlone(_ series: String) throws {
        guard let python = TestPython.series(series) else { return }
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        do {
            let tree = try Tree(Self.shop, python: python)
            #expect(try tree.run("bundle", "app.py", "-o", bundle.description).status == 0)
        }
        #expect(try start(bundle, "a", "b", with: python).output == "6 __main__ ['a', 'b']\n")
        // Any other Python compiles the sources.
        for other in ["3.7", "3.11"].compactMap({ TestPython.series($0) }) {
            #expect(try start(bundle, with: other).output == "6 __main__ []\n")
        }
    }

    @Test func whatGoesInAndWhy() throws {
        let tree = try Tree(Self.shop)
        let result = try tree.run("bundle", "app.py", "--dry-run")
        let lines = result.lines.map { $0.split(separator: " ", maxSplits: 1).map { $0.drop { $0 == " " } } }
        #expect(
            lines.map { $0.joined(separator: ": ") } == [
                "app.py: the entry", "shop/__init__.py: the package of app.py", "shop/cart.py: imported by app.py:3",
                "shop/data/rates.txt: data of shop", "shop/tax.py: imported by shop/cart.py:2 (deferred)",
            ], "\(result)")
        let whole = try tree.run("bundle", "app.py", "--dry-run", "--whole", "--exclude", "shop.types")
        #expect(whole.output.contains("shop/unused.py") && whole.output.contains("other/__init__.py"))
        #expect(!whole.output.contains("shop/types.py"))
        let more = try tree.run("bundle", "app.py", "--dry-run", "--include", "other", "--include", "shop/u*.py")
        #expect(more.output.contains("other/__init__.py") && more.output.contains("shop/unused.py"))
    }

    @Test(arguments: [
        (["app.py"], "there is no module 'gone' in 'shop' (app.py → shop/cart.py)"),
        (["b.py"], "'nowhere' is not installed for"), (["c.py"], "c.py:1"),
    ])
    func whatIsMissingPreventsTheBundle(_ words: [String], _ message: String) throws {
        let tree = try Tree([
            "pyproject.toml": "", "app.py": "import shop.cart\n", "shop/__init__.py": "",
            "shop/cart.py": "import shop.gone\n", "b.py": "import nowhere\n", "c.py": "x = = 1\n",
        ])
        try tree.write("app.pyz", "old")
        let result = try tree.run(["bundle"] + words + ["-o", "app.pyz"])
        #expect(result.status == 1 && result.output.contains(message), "\(result)")
        #expect(result.summary == "freshpyc: no bundle was written")
        #expect(try tree.bytes("app.pyz") == Array("old".utf8))
        if words == ["b.py"] {
            #expect(try tree.run("bundle", "b.py", "-o", "app.pyz", "--exclude", "nowhere").status == 0)
        }
    }

    @Test(
        arguments: [
            (["-o", "x.pyz"], "name an entry"), (["nosuch.py", "-o", "x.pyz"], "there is no file 'nosuch.py'"),
            (["nosuch", "-o", "x.pyz"], "'nosuch' is neither a file nor a console script"),
            (["app.py"], "name the bundle to write with -o FILE"),
            (["app.py", "shop", "-o", "x.pyz"], "name one entry, not 2"),
            (["shop", "-o", "x.pyz"], "shop has no __main__.py"),
            (["-m", "shop", "-o", "x.pyz"], "is a package without __main__.py"),
            (["-m", "no.such", "-o", "x.pyz"], "there is no module 'no.such'"),
            (["shop.cart:", "-o", "x.pyz"], "names no function"),
            (["app.py", "-o", "no/such/x.pyz"], "cannot write no/such/x.pyz"),
            (["app.py", "-o", "/dev/full/x"], "cannot write"),
            (
                ["app.py", "-o", "x.pyz", "--include", "nosuch"],
                "there is no module or distribution 'nosuch' (--include)"
            ),
            (["app.py", "-o", "x.pyz", "--path", "nosuch"], "is not a directory (--path)"),
            (["-m", "json", "-o", "x.pyz"], "'json' is a module of the standard library"),
        ] as [([String], String)])
    func mistakes(_ words: [String], _ message: String) throws {
        let tree = try Tree(Self.shop)
        let result = try tree.run(["bundle"] + words)
        #expect(result.status == 2 && result.errors.contains(message), "\(result)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
        #expect(!tree.exists("x.pyz"))
    }

    @Test func withoutSources() throws {
        let python = try #require(TestPython.series("3.12"))
        let tree = try Tree(Self.shop, python: python)
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        #expect(try tree.run("bundle", "app.py", "-o", bundle.description, "--sourceless").status == 0)
        #expect(try start(bundle, with: python).output == "6 __main__ []\n")
        #expect(try Program.run("grep", "-c", "return n \\* rate", bundle.description).output == "0\n")
        let other = try #require(TestPython.series("3.8"))
        let result = try start(bundle, with: other)
        #expect(
            result.status == 1
                && result.errors.contains("this bundle has no code for Python 3.8; it has code for CPython 3.12"))
        #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    }

    /// The bytes depend on contents and names alone.
    @Test func theSameEverywhere() throws {
        let (one, two) = (try Tree(Self.shop), try Tree(Self.shop, isAged: false))
        try two.shell(
            "mkdir tmp && for f in $(find . -name '*.py' | sort -r); do cp $f tmp/x && rm $f && mv tmp/x $f; done; rmdir tmp; chmod -R go-rwx ."
        )
        let names = [try place(), try place()]
        defer { for name in names { Scratch.remove(name.parent) } }
        #expect(try one.run("bundle", "app.py", "-o", names[0].description).status == 0)
        let result = try RunningProgram(
            [
                BytePath("/bin/sh"), BytePath("-c"), BytePath("umask 077; exec \"$@\""), BytePath("sh"), Freshpyc.path,
                BytePath("bundle"), BytePath("app.py"), BytePath("-o"), names[1], BytePath("-j"), BytePath("1"),
                BytePath("-p"), two.python.path,
            ],
            in: two.path, environment: ["LC_ALL": "C", "TZ": "Asia/Tokyo", "HOME": "/nonexistent"]
        ).finish()
        #expect(result.status == 0, "\(result)")
        #expect(Host.contents(names[0], limit: 1 << 26) == Host.contents(names[1], limit: 1 << 26))
        let dated = try one.run(
            ["bundle", "app.py", "-o", names[1].description], environment: ["SOURCE_DATE_EPOCH": "1700000000"])
        #expect(dated.status == 0)
        let list = try Program.run("python3", "-m", "zipfile", "-l", names[1].description)
        #expect(list.output.contains("2023-11-14 22:13:20"), "\(list)")
    }

    /// A copy that ends early says so.
    @Test func aTruncatedBundleSaysSo() throws {
        let tree = try Tree(Self.shop)
        #expect(try tree.run("bundle", "app.py", "-o", "app.pyz").status == 0)
        let bytes = try tree.bytes("app.pyz")
        for count in [
            60, 100, bytes.count / 3, bytes.count / 2, bytes.count - 3000, bytes.count - 200, bytes.count - 22,
            bytes.count - 1,
        ] {
            try tree.write("cut.pyz", bytes: Array(bytes[..<count]))
            let result = try start(tree.path.appending("cut.pyz"), with: tree.python)
            #expect(
                result.status != 0 && result.errors.replacing("-", with: " ").contains("this bundle is incomplete"),
                "\(count): \(result)")
            #expect(!result.errors.contains("Traceback"), "\(count): \(result)")
        }
    }

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

    /// A library on `sys.path` needs no importer.
    @Test func aLibrary() throws {
        let tree = try Tree(Self.shop)
        let bundle = try place("shop.zip")
        defer { Scratch.remove(bundle.parent) }
        #expect(try tree.run("bundle", "--include", "shop", "-o", bundle.description).status == 0)
        let script =
            "import sys; sys.path.insert(0, 'shop.zip'); import shop.tax as t; print(t.rate(), t.__spec__.cached or t.__file__)"
        let result = try RunningProgram(
            [tree.python.path, BytePath("-I"), BytePath("-c"), BytePath(script)], in: bundle.parent
        ).finish()
        #expect(result.output == "2 shop.zip/shop/tax.pyc\n", "\(result)")
        #expect(try Program.run("python3", "-m", "zipfile", "-t", bundle.description).output.contains("Done testing"))
    }

    /// The bundle in its own tree is not part of the next one, and a running one can be replaced.
    @Test func twiceInTheTree() throws {
        let tree = try Tree(Self.shop)
        #expect(try tree.run("bundle", "app.py", "--whole", "-o", "shop/app.pyz").status == 0)
        let first = try tree.bytes("shop/app.pyz")
        #expect(try tree.run("bundle", "app.py", "--whole", "-o", "shop/app.pyz").status == 0)
        #expect(try tree.bytes("shop/app.pyz") == first)
    }

    /// `verify` and `inspect` read bundles without Python.
    @Test func bundlesAreVerified() throws {
        let tree = try Tree(Self.shop)
        #expect(try tree.run("bundle", "app.py", "-o", "app.pyz").status == 0)
        let good = try tree.run(["verify", "app.pyz"], usesPython: false)
        #expect(good.status == 0 && good.errors == "app.pyz: 4 modules, 0 errors\n", "\(good)")
        let shown = try tree.run(["inspect", "app.pyz"], usesPython: false)
        #expect(shown.status == 0 && shown.output.contains("runs           app.py"), "\(shown)")
        #expect(shown.output.contains("bytecode for   \(tree.python.cacheTag)"), "\(shown)")
        let bytes = try tree.bytes("app.pyz")
        // Each byte belongs to something that is checked, except times and permissions.
        for position in stride(from: 120, to: bytes.count - 400, by: bytes.count / 40) {
            var damaged = bytes
            damaged[position] ^= 0x41
            try tree.write("bad.pyz", bytes: damaged)
            let result = try tree.run(["verify", "bad.pyz"], usesPython: false)
            #expect(result.status == 1 && result.output.contains("[damaged-bundle]"), "\(position): \(result)")
        }
        for count in [100, bytes.count / 2, bytes.count - 1] {
            try tree.write("cut.pyz", bytes: Array(bytes[..<count]))
            let result = try tree.run(["verify", "cut.pyz"], usesPython: false)
            #expect(result.output == "cut.pyz: error: it is incomplete [damaged-bundle]\n", "\(count): \(result)")
        }
    }

    /// Whole distributions, what they require, their metadata and entry points.
    @Test func distributionsOfTheEnvironment() throws {
        let tree = try Tree([
            "pyproject.toml": "",
            "app.py": """
            import one.core
            from importlib import metadata
            print(one.core.name(), metadata.version('One.Dist'), metadata.requires('one-dist')[0])
            points = metadata.entry_points()
            group = points.select(group='plugins') if hasattr(points, 'select') else points['plugins']
            print([point.load()() for point in group])
            print([str(f) for f in metadata.files('two')])
            """,
            "site/one/__init__.py": "", "site/one/core.py": "import two\ndef name():\n    return two.__name__\n",
            "site/one/data.txt": "x\n", "site/two.py": "def plugin():\n    return 'plugged'\n", "site/three.py": "",
            "site/One_Dist-1.5.dist-info/METADATA":
                "Name: One.Dist\nVersion: 1.5\nRequires-Dist: two\nRequires-Dist: three; python_version < '3'\nRequires-Dist: four\n",
            "site/One_Dist-1.5.dist-info/RECORD":
                "one/__init__.py,,\none/core.py,,\none/data.txt,,\n../../bin/one,,\nOne_Dist-1.5.dist-info/METADATA,,\nOne_Dist-1.5.dist-info/RECORD,,\n",
            "site/two-2.dist-info/METADATA": "Name: two\nVersion: 2\n",
            "site/two-2.dist-info/RECORD": "two.py,,\ntwo-2.dist-info/METADATA,,\ntwo-2.dist-info/entry_points.txt,,\n",
            "site/two-2.dist-info/entry_points.txt":
                "[plugins]\nfirst = two:plugin\n[console_scripts]\ntwo-tool = two:plugin\n",
            "site/three-3.dist-info/METADATA": "Name: three\nVersion: 3\n",
            "site/three-3.dist-info/RECORD": "three.py,,\n",
        ])
        let bundle = try place()
        defer { Scratch.remove(bundle.parent) }
        let built = try tree.run("bundle", "app.py", "-o", bundle.description, "--path", "site")
        #expect(
            built.status == 0 && built.errors.contains("One.Dist requires four, which is not installed"), "\(built)")
        let result = try start(bundle, with: tree.python)
        #expect(
            result.output
                == "two 1.5 two\n['plugged']\n['two-2.dist-info/METADATA', 'two-2.dist-info/entry_points.txt', 'two.py']\n",
            "\(result)")
        let dry = try tree.run("bundle", "app.py", "--dry-run", "--path", "site")
        #expect(dry.output.contains("One.Dist 1.5: 4 files, imported by app.py:1\n"), "\(dry)")
        #expect(
            dry.output.contains("two 2: 3 files, required by One.Dist\n") && !dry.output.contains("three"), "\(dry)")
        let console = try tree.run("bundle", "two-tool", "-o", bundle.description, "--path", "site")
        #expect(console.status == 0, "\(console)")
        let run = try start(bundle, with: tree.python)
        #expect(run.status == 1 && run.errors == "plugged\n", "\(run)")
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
        #expect(try Program.run("ls", "-A", "\(cache)/freshpyc/bundles").output.split(separator: "\n").count == 1)
    }

    @Test func theManifestAndTheBillOfMaterials() throws {
        let tree = try Tree(Self.shop)
        let result = try tree.run("bundle", "app.py", "-o", "app.pyz", "--manifest", "m.json", "--sbom", "s.json")
        #expect(result.status == 0, "\(result)")
        let script = """
            import hashlib, json
            m = json.load(open('m.json'))
            assert m['schema'] == 1 and m['program'] == 'app.py' and m['interpreters'][0]['cacheTag'] == '\(tree.python.cacheTag)'
            for f in m['files']:
                data = open(f['path'], 'rb').read()
                assert (hashlib.sha256(data).hexdigest(), len(data)) == (f['sha256'], f['bytes']), f
            s = json.load(open('s.json'))
            assert s['bomFormat'] == 'CycloneDX' and s['components'] == [] and s['dependencies'] == []
            print(len(m['files']))
            """
        #expect(try Program.run(tree.python.path.description, "-c", script, in: tree.path).output == "5\n")
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

    /// The output must not be a file of the program.
    @Test(arguments: [
        (["-o", "app.py"], "'app.py' is the name of a source"),
        (["-o", "shop/data.json"], "is a file of this program"),
        (["-o", "a.pyz", "--manifest", "a.pyz"], "'a.pyz' is named twice"), (["-o", "-"], "--output needs a file"),
        (["-o", "a.pyz", "--sbom", "no/s.json"], "cannot write no/s.json"),
    ])
    func outputsAreChecked(_ words: [String], _ message: String) throws {
        let tree = try Tree([
            "pyproject.toml": "", "app.py": "import shop\n", "shop/__init__.py": "", "shop/data.json": "{}",
        ])
        let result = try tree.run(["bundle", "app.py"] + words)
        #expect(result.status == 2 && result.errors.contains(message), "\(result)")
        #expect(
            try tree.bytes("app.py") == Array("import shop\n".utf8) && tree.bytes("shop/data.json") == Array("{}".utf8))
        #expect(!tree.exists("a.pyz"))
    }

    /// Paths, misspelled names, and what matches nothing.
    @Test func whatTheUserNames() throws {
        var files = Self.shop
        files["assets/a.css"] = ""
        files["notes.txt"] = ""
        files["env/pyvenv.cfg"] = ""
        files["env/lib/x.css"] = ""
        files["templates/t.html"] = ""
        let tree = try Tree(files)
        func plan(_ words: String...) throws -> RunResult { try tree.run(["bundle", "app.py", "--dry-run"] + words) }
        let paths = try plan("--include", "assets", "--include", "./notes.txt", "--include", "*.css")
        #expect(paths.output.contains("assets/a.css") && paths.output.contains("notes.txt"), "\(paths)")
        #expect(!paths.output.contains("env/lib"), "\(paths)")
        #expect(
            paths.output.contains(
                "note: templates/ beside app.py is not in the bundle; add it with --include templates/"))
        #expect(try plan("--include", "shop.nosuch").errors.contains("there is no module 'shop.nosuch' (--include)"))
        #expect(try plan("--exclude", "nosuch").output.contains("note: --exclude nosuch matches nothing"))
        let function = try tree.run("bundle", "shop.cart:totl", "-o", "x.pyz")
        #expect(function.status == 2 && function.errors.contains("does not define 'totl'; did you mean 'total'?"))
        #expect(
            try tree.run("bundle", "shop.cart:total", "--dry-run", "--exclude", "shop.cart").errors.contains(
                "the entry is excluded"))
        #expect(try tree.run("bundle", "app", "-o", "x.pyz").errors.contains("did you mean 'app.py'?"))
        // A directory that is a package runs as one.
        try tree.write("shop/__main__.py", "from . import cart\nprint(cart.total(1), __package__)\n")
        #expect(try tree.run("bundle", "shop", "-o", "x.pyz").status == 0)
        #expect(try start(tree.path.appending("x.pyz"), with: tree.python).output == "2 shop\n")
    }
}
