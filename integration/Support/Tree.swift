// A tree of files on a real disk that a test creates and edits.

import BasicTypes
import Glibc
import LinuxSystem
import Testing

/// Sleeps.
enum Pause {
    static func seconds(_ seconds: Double) { usleep(UInt32(seconds * 1_000_000)) }
}

/// Paths that no other test uses.
enum Scratch {
    static let home: BytePath = {
        let base = Host.environment("TMPDIR") ?? BytePath("/tmp")
        return (try? Host.realPath(base)) ?? base
    }()

    /// A directory on a file system that stores every time of stat(2), if there is one; ext4 only stores 1901 to 2446.
    static let homeOfAllTimes: BytePath = {
        let memory = BytePath("/dev/shm")
        return (try? Host.status(memory))?.kind == .directory ? memory : home
    }()

    static func unique(_ label: String, in home: BytePath = home) -> BytePath {
        home.appending("freshpyc-test-\(Host.processIdentifier)-\(label)-\(UInt64.random(in: 0 ... .max))")
    }

    static func remove(_ path: BytePath) {
        _ = try? Program.run("sh", "-c", "chmod -R u+rwx \"$1\" 2>/dev/null; rm -rf \"$1\"", "sh", path.description)
    }
}

/// A temporary directory for one test, removed when the object is released.
final class Tree {
    let path: BytePath
    let python: TestPython

    /// - Parameters:
    ///   - files: contents by relative path.
    ///   - isAged: whether all files get a time an hour ago, so that the guard for saves within the same second does not
    ///     apply.
    ///   - home: the parent of the new directory.
    init(
        _ files: [String: String] = [:], python: TestPython? = nil, isAged: Bool = true,
        in home: BytePath = Scratch.home
    ) throws {
        self.python = try python ?? #require(TestPython.standard, "no python3 to test with")
        path = Scratch.unique("tree", in: home)
        _ = try Host.makeDirectory(path, permissions: 0o755)
        for (name, text) in files { try write(name, text) }
        if isAged { try age() }
    }

    deinit {
        Scratch.remove(path)
    }

    func write(_ name: String, _ text: String) throws { try write(name, bytes: Array(text.utf8)) }

    func write(_ name: String, bytes: [UInt8]) throws { try write(BytePath(name), bytes: bytes) }

    func write(_ name: BytePath, bytes: [UInt8]) throws {
        let root = try Directory(path: path)
        var made = BytePath.empty
        for component in name.parent.components {
            made = made.appending(component)
            _ = try root.makeDirectory(made)
        }
        _ = try? root.removeFile(name)
        try bytes.withRawBytes { buffer throws(SystemError) in
            try root.file(name, .createNew(0o644)).writeAll(buffer, path: name)
        }
    }

    /// Sets the time of every source to an hour ago.
    func age() throws {
        try shell("find . -name '*.py' -type f -exec touch -h -d '1 hour ago' {} +")
    }

    func shell(_ script: String) throws {
        let result = try Program.shell(script, in: path)
        #expect(result.status == 0, "\(script)\n\(result)")
    }

    func exists(_ name: String) -> Bool {
        ((try? Host.status(path.appending(name), followsLinks: false)) ?? nil) != nil
    }

    func stamp(_ name: String) throws -> Stamp {
        try #require(try Host.status(path.appending(name), followsLinks: false), "\(name) is missing").stamp
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try #require(Host.contents(path.appending(name), limit: 1 << 28), "\(name) is missing")
    }

    /// The bytecode of a source, relative to the tree.
    func pyc(_ source: String, level: Int = 0) -> String {
        let path = BytePath(source)
        let stem = path.lastComponent.dropLast(3)
        let suffix = level == 0 ? "" : ".opt-\(level)"
        let name = String(decoding: stem, as: UTF8.self) + ".\(python.cacheTag)\(suffix).pyc"
        return path.parent.appending("__pycache__").appending(name).description
    }

    /// Every file except the database, with its stamp.
    func everything() throws -> String {
        try Program.shell(
            "find . -path ./.freshpyc -prune -o -printf '%p %i %s %T@ %C@ %m\\n' | LC_ALL=C sort", in: path
        ).output
    }

    /// Runs the binary in this tree, with the tree's interpreter.
    @discardableResult
    func run(
        _ words: String..., environment: [String: String] = [:], usesPython: Bool = true
    ) throws -> RunResult {
        try run(words, environment: environment, usesPython: usesPython)
    }

    @discardableResult
    func run(_ words: [String], environment: [String: String] = [:], usesPython: Bool = true) throws -> RunResult {
        let python = usesPython ? ["--python", self.python.path.description] : []
        return try Freshpyc.start(words + python, in: path, environment: environment).finish()
    }

    /// Checks with CPython that every artifact is what a clean recompile would make, and that no other files exist.
    ///
    /// While a daemon rewrites a header, a temporary file exists briefly, and no command waits for that. If only temporary
    /// files differ, this compares again.
    ///
    /// - Returns: the differences.
    func differences(levels: String = "0", mode: String = "timestamp", at place: String = "") throws -> String {
        let script = BytePath(#filePath).parent.parent.appending("oracle.py")
        var differences = ""
        for attempt in 0..<5 {
            if attempt > 0 { Pause.seconds(0.3) }
            let result = try Program.run(
                python.path.description, "-I", script.description, path.appending(place).description, levels, mode)
            guard result.status == 0 else { return "the oracle failed: \(result)" }
            differences = result.output
            let lines = differences.split(separator: "\n")
            guard !lines.isEmpty, lines.allSatisfy({ $0.contains("/.freshpyc-") }) else { break }
        }
        return differences
    }

    /// Waits until a condition is true, for at most 20 seconds.
    func eventually(
        _ what: String, _ condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) rethrows {
        let begun = Host.monotonic
        while Host.monotonic - begun < 20_000_000_000 {
            if try condition() { return }
            Pause.seconds(0.02)
        }
        Issue.record("never came true: \(what)", sourceLocation: sourceLocation)
    }
}

/// A watch of a tree.
final class Watch {
    let program: RunningProgram
    private let tree: Tree

    init(_ tree: Tree, _ words: String...) throws {
        self.tree = tree
        let started = try Freshpyc.start(
            ["watch", "--python", tree.python.path.description] + words, in: tree.path)
        program = started
        tree.eventually("ready") { started.errors.contains("ready:") }
    }

    /// Waits until the tree is as a clean recompile would leave it.
    func converges(_ sourceLocation: SourceLocation = #_sourceLocation) throws {
        var left = "not asked"
        let begun = Host.monotonic
        while Host.monotonic - begun < 20_000_000_000 {
            left = try tree.differences(mode: "guarded")
            if left.isEmpty { return }
            Pause.seconds(0.05)
        }
        Issue.record("differences stay:\n\(left)\n\(program.errors)", sourceLocation: sourceLocation)
    }

    /// The number of lines that report that this module was compiled, or its code taken from the store.
    func compilations(of name: String) -> Int {
        waves.count { wave in
            wave.split(separator: ";").contains {
                $0.contains(name) && ($0.contains(" compiled") || $0.contains(" from the store"))
            }
        }
    }

    /// The lines that report a wave: `[15:16:22] a.py compiled in 0.004 s`.
    var waves: [Substring] {
        let results = [" compiled", " failed", " removed", " restamped", " from the store"]
        return program.errors.split(separator: "\n").filter { line in
            line.hasPrefix("[") && line.contains(" in ") && results.contains { line.contains($0) }
        }
    }

    func stop(_ signal: Signal = .interrupt) -> RunResult {
        program.send(signal)
        return program.finish(within: 10)
    }
}
