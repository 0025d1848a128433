// The README's examples and the hooks in `config/`, run as they are printed there.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct ReadmeTests {
    /// The project of the examples.
    private static let shop = [
        "pyproject.toml": "[project]\nname = 'shop'\n", "shop/__init__.py": "", "shop/money.py": "class Price: pass\n",
        "shop/cart.py": "from shop.money import Price\n", "shop/web.py": "import json\nfrom shop.money import Prise\n",
        "shop/draft.py": "def checkout\n", "tests/test_cart.py": "import shop.cart\n",
    ]

    private static let readme = String(
        decoding: Host.contents(BytePath(#filePath).parent.parent.appending("README.md")) ?? [], as: UTF8.self)

    /// The lines that the README prints after a command.
    private static func printed(after command: String) -> [String] {
        let lines = readme.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let start = lines.firstIndex(of: "$ " + command) else { return [] }
        return Array(lines[(start + 1)...].prefix { !$0.hasPrefix("$ ") && !$0.hasPrefix("```") })
    }

    /// Times and Python's own words differ.
    private static func comparable(_ lines: [String]) -> [String] {
        lines.map { line in
            if line.contains("[syntax-error]") { return String(line.prefix { $0 != ":" }) + " [syntax-error]" }
            guard let mark = line.firstRange(of: " in 0.") else { return line }
            let rest = line[mark.upperBound...].drop { $0 != "s" }
            return line[..<mark.lowerBound] + " in 0 " + rest
        }
    }

    @Test(arguments: ["build", "check", "affected shop/money.py --why", "verify"])
    func examplesPrintWhatTheReadmeSays(_ words: String) throws {
        let tree = try Tree(Self.shop)
        let expected = Self.printed(after: "freshpyc " + words)
        try #require(!expected.isEmpty, "the README has no example of \(words)")
        if words == "verify" { try tree.run("build") }
        let result = try tree.run(
            words.split(separator: " ").map(String.init), usesPython: !words.hasPrefix("affected"))
        let actual = (result.output + result.errors).split(separator: "\n").map(String.init)
        #expect(Self.comparable(actual) == Self.comparable(expected), "\(result)")
    }

    @Test func watchPrintsWhatTheReadmeSays() throws {
        let tree = try Tree(Self.shop)
        let watch = try Watch(tree)
        tree.eventually("all findings") { watch.program.outputSoFar.contains("missing-name") }
        let actual = (watch.program.outputSoFar + watch.program.errors).split(separator: "\n").map(String.init)
        #expect(Self.comparable(actual) == Self.comparable(Self.printed(after: "freshpyc watch")))
        #expect(watch.stop().status == 0)
    }

    @Test func affectedTestsOfABranch() throws {
        let tree = try Tree(Self.shop)
        try tree.shell(
            "git init -q -b main . && git add -A && git -c user.name=a -c user.email=a@b commit -qm one && git checkout -q -b work && echo '#' >> shop/money.py"
        )
        let result = try Program.shell(
            "\(Freshpyc.path) affected --since main --tests | xargs -r echo pytest", in: tree.path)
        #expect(result.output == "pytest tests/test_cart.py\n", "\(result)")
    }

    @Test func theHookChecksTheWholeProject() throws {
        let tree = try Tree([
            "shop/__init__.py": "", "shop/money.py": "class Price: pass\n",
            "shop/cart.py": "from shop.money import Price\n",
        ])
        let hook = BytePath(#filePath).parent.parent.appending("config/pre-commit")
        let git = "git -c user.name=a -c user.email=a@b"
        try tree.shell(
            "git init -q . && git add -A && \(git) commit -qm one && install -m 755 \(hook) .git/hooks/pre-commit && mkdir ../bin-\(Host.processIdentifier) && ln -s \(Freshpyc.path) ../bin-\(Host.processIdentifier)/freshpyc"
        )
        let path = "PATH=\(tree.path.parent)/bin-\(Host.processIdentifier):$PATH FRESHPYC_PYTHON=\(tree.python.path)"
        // A rename that breaks a file which is not staged.
        let broken = try Program.shell(
            "git mv shop/money.py shop/coins.py && \(path) \(git) commit -m two", in: tree.path)
        #expect(broken.status != 0 && (broken.output + broken.errors).contains("shop/cart.py:1:"), "\(broken)")
        // The index counts, not the working tree.
        try tree.shell("echo 'from shop.coins import Price' > shop/cart.py")
        let unstaged = try Program.shell("\(path) \(git) commit -m two", in: tree.path)
        #expect(unstaged.status != 0, "\(unstaged)")
        let fixed = try Program.shell("git add -A && \(path) \(git) commit -qm two", in: tree.path)
        #expect(fixed.status == 0, "\(fixed)")
        let text = try Program.shell(
            "echo x > notes.txt && git add -A && \(path) \(git) commit -qm three; rm -r ../bin-\(Host.processIdentifier)",
            in: tree.path)
        #expect(text.status == 0, "\(text)")
    }
}
