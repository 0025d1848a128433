// `bundle`: what goes in, what is refused, and what the file is.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct BundleTests: BundleSuite {
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
            (["app.py", "-o", "no/such/x.pyz"], "there is no directory no/such for --output; create it"),
            (["app.py", "-o", "/dev/full/x"], "there is no directory /dev/full"),
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

    /// The output must not be a file of the program.
    @Test(arguments: [
        (["-o", "app.py"], "'app.py' exists, and was not made by bundle"),
        (["-o", "shop/data.json"], "'shop/data.json' exists, and was not made by bundle"),
        (["-o", "a.pyz", "--manifest", "a.pyz"], "'a.pyz' is named twice"), (["-o", "-"], "--output needs a file"),
        (["-o", "a.pyz", "--sbom", "no/s.json"], "there is no directory no for --sbom; create it"),
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
