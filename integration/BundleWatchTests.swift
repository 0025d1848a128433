// Bundles of the configuration, and `watch --bundle`, which keeps them up to date.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct BundleWatchTests: BundleSuite {
    private static let files = [
        "freshpyc.json": """
        {"bundles": {"dist/shop.pyz": ["app.py"], "tool.py": "app.py", "layer/": ["app.py", "--manifest", "shop/m.json"]}}
        """,
        "app.py":
            "import pkgutil\nfrom shop import cart\nprint(cart.total(3), pkgutil.get_data('shop', 'rates.txt'))\n",
        "shop/__init__.py": "", "shop/cart.py": "def total(n):\n    return n * 2\n", "shop/rates.txt": "2\n",
        "dist/.keep": "", "other/deep/.keep": "",
    ]

    /// From any directory of the project, as if in its root.
    @Test func configurationSaysHowABundleIsMade() throws {
        let tree = try Tree(Self.files)
        let binary = Freshpyc.path.description
        for (folder, name, place) in [
            (".", "dist/shop.pyz", "dist/shop.pyz"), ("shop", "../tool.py", "tool.py"),
            ("other/deep", "\(tree.path)/layer", "layer"),
        ] {
            let built = try Program.shell("cd \(folder) && \(binary) bundle -q -o \(name)", in: tree.path)
            #expect(built.status == 0, "\(built)")
            let result = try start(tree.path.appending(place), with: tree.python)
            #expect(result.output == "6 b'2\\n'\n", "\(result)")
        }
        #expect(tree.exists("shop/m.json"))
        let sourceless = try tree.run("bundle", "-o", "dist/shop.pyz", "--sourceless")
        #expect(sourceless.status == 0, "\(sourceless)")
        #expect(try tree.run(["inspect", "dist/shop.pyz"], usesPython: false).output.contains("without sources"))
        let mistakes: [([String], String)] = [
            (["-o", "dist/ship.pyz"], "has no bundle 'dist/ship.pyz'; it has dist/shop.pyz, layer/, tool.py"),
            ([], "name an entry, or with -o a bundle of the configuration: dist/shop.pyz, layer/, tool.py"),
        ]
        for (words, message) in mistakes {
            let result = try tree.run(["bundle"] + words)
            #expect(result.status == 2 && result.errors.contains(message), "\(result)")
        }
        for (text, message) in [
            ("{\"bundles\": []}", "'bundles' must be a table"),
            ("{\"bundles\": {\"a\": 1}}", "the value of 'a' must be"),
            ("{\"bundles\": {\"a\": [\"b\", 1]}}", "the value of 'a' must be"),
            ("{\"bundles\": {\"a.pyz\": [\"--no-such\"]}}", "bundles: 'a.pyz': unknown option '--no-such'"),
        ] {
            try tree.write("freshpyc.json", text)
            let result = try tree.run("bundle", "-o", "a.pyz")
            #expect(result.status == 2 && result.errors.contains(message), "\(result)")
        }
    }

    /// A daemon that keeps bundles up to date answers other verbs, too.
    @Test func daemonWithBundlesAnswers() throws {
        let tree = try Tree(Self.files)
        let started = try tree.run("watch", "--background", "--bundle", "tool.py")
        #expect(started.status == 0, "\(started)")
        defer { _ = try? tree.run(["stop"], usesPython: false) }
        for _ in 0..<200 where !tree.exists("tool.py") { Pause.seconds(0.1) }
        #expect(try start(tree.path.appending("tool.py"), with: tree.python).output == "6 b'2\\n'\n")
        let checked = try tree.run("check")
        #expect(checked.status == 0 && checked.errors.contains("3 modules checked"), "\(checked)")
        #expect(!checked.errors.contains("option"), "\(checked)")
        #expect(try tree.run("wait").status == 0)
        // Without the daemon, the result of a bundle is no module, either.
        let stopped = try tree.run(["stop"], usesPython: false)
        #expect(stopped.status == 0, "\(stopped)")
        let alone = try tree.run("check", "--no-daemon")
        #expect(alone.errors.contains("3 modules checked"), "\(alone)")
    }

    /// edit → build → the bundle that runs
    @Test func watchKeepsBundlesUpToDate() throws {
        let tree = try Tree(Self.files)
        let watch = try RunningProgram(
            [Freshpyc.path]
                + [
                    "watch", "--bundle", "dist/shop.pyz", "--bundle", "tool.py", "--bundle", "layer", "--python",
                    tree.python.path.description,
                ].map { BytePath($0) }, in: tree.path)
        defer { watch.send(.kill) }
        func eventually(_ wanted: String, _ what: String) throws {
            var answers: [String] = []
            for _ in 0..<100 {
                answers = try ["dist/shop.pyz", "tool.py", "layer"].map { name in
                    try start(tree.path.appending(name), with: tree.python).output
                }
                if answers.allSatisfy({ $0 == wanted }) { return }
                Pause.seconds(0.1)
            }
            Issue.record("\(what): \(answers) \(watch.errors)")
        }
        try eventually("6 b'2\\n'\n", "at the start")
        try tree.write("shop/cart.py", "def total(n):\n    return n * 3\n")
        try eventually("9 b'2\\n'\n", "a module")
        try tree.write("shop/rates.txt", "3\n")
        try eventually("9 b'3\\n'\n", "data")
        // Data in a new directory, and a link.
        try tree.shell("mkdir shop/new && echo 1 > shop/new/a.txt && ln -s a.txt shop/new/b.txt")
        for _ in 0..<100 where !tree.exists("layer/shop/new/b.txt") { Pause.seconds(0.1) }
        #expect(tree.exists("layer/shop/new/b.txt"))
        // A module that does not compile changes no bundle.
        try tree.write("shop/cart.py", "def total(n)\n")
        Pause.seconds(1)
        try eventually("9 b'3\\n'\n", "an error")
        try tree.write("shop/cart.py", "def total(n):\n    return n * 4\n")
        try eventually("12 b'3\\n'\n", "the error was fixed")
        // What the builds write is no reason for another one, and no module.
        Pause.seconds(1)
        let before = watch.errors
        Pause.seconds(1.5)
        #expect(watch.errors == before)
        #expect(!before.contains("tool.py compiled") && !before.contains("layer/app.py"), "\(before)")
        #expect(before.contains("dist/shop.pyz built in "), "\(before)")
        watch.send(.interrupt)
        #expect(watch.finish().status == 0)
        let unknown = try tree.run("watch", "--bundle", "no.pyz")
        #expect(unknown.status == 2 && unknown.errors.contains("has no bundle 'no.pyz'"), "\(unknown)")
    }
}
