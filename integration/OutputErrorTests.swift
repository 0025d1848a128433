// Results that cannot be written are never lost silently.

import LinuxSystem
import Testing

@Suite struct OutputErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let words: String
        var testDescription: String { words }
    }

    /// Every verb that prints something. `$PYTHON` is an interpreter, `$PYC` the bytecode of a.py.
    private static let cases = [
        "--help", "--version", "build --help", "build --force --format json --python $PYTHON",
        "check --format json --python $PYTHON", "check --python $PYTHON", "wait --format json", "status",
        "status --format json", "status --config", "why a.py --python $PYTHON",
        "why a.py --format json --python $PYTHON", "graph --python $PYTHON", "graph --format json --python $PYTHON",
        "graph --format dot --python $PYTHON", "affected a.py --python $PYTHON",
        "affected a.py --format json --python $PYTHON", "cycles --python $PYTHON",
        "cycles --format json --python $PYTHON", "precompile --output copy --format json --python $PYTHON",
        "verify --format json --python $PYTHON", "clean --all --dry-run",
        "inspect $PYC", "inspect --format json $PYC", "compileall -f a.py", "interpreters",
        "interpreters --format json", "watch --format json --python $PYTHON --state-dir other",
    ].map { Case(words: $0) }

    /// A tree with a daemon, a cycle, a finding and orphaned bytecode, so that every verb has something to print.
    private static func withTree(_ body: (Tree) throws -> Void) throws {
        let tree = try Tree(["a.py": "import b\n", "b.py": "import a\n", "bad.py": "def\n"])
        let daemon = try Daemon(tree)
        try tree.shell("cp \(tree.pyc("a.py")) __pycache__/gone.\(tree.python.cacheTag).pyc")
        try body(tree)
        _ = daemon
    }

    private static func run(_ words: String, _ tree: Tree, to target: String) throws -> RunResult {
        let script = """
            export PYTHON=\(tree.python.path) PYC=\(tree.pyc("a.py")) FRESHPYC_PYTHON=\(tree.python.path)
            timeout 60 \(Freshpyc.path) \(words) \(target)
            """
        return try Program.shell(script, in: tree.path)
    }

    @Test func aFullDiskIsReportedByEveryVerb() throws {
        try Self.withTree { tree in
            for one in Self.cases {
                let result = try Self.run(one.words, tree, to: "> /dev/full")
                #expect(result.status == 2, "\(one): \(result)")
                let line = "freshpyc: cannot write to standard output: no space left on device"
                #expect(result.errors.split(separator: "\n").contains(Substring(line)), "\(one): \(result)")
            }
        }
    }

    /// Like ripgrep: the reader had what it wanted.
    @Test func aClosedPipeIsNoError() throws {
        try Self.withTree { tree in
            for one in Self.cases where !one.words.hasPrefix("watch") {
                // A pipe whose only reader has closed it.
                let script = "| { exec 0<&-; sleep 0.05; }"
                let result = try Self.run(one.words, tree, to: script)
                #expect(!result.errors.contains("standard output"), "\(one): \(result)")
            }
        }
    }
}
