// The three results of looking for a file: it exists, it does not exist, or we cannot tell.

import BasicTypes
import BuildModel
import LinuxSystem
import Testing

@testable import FileWatching

@Suite struct TreeScannerTests {
    /// A tree on disk, removed with the last reference.
    private final class Scratch {
        let path: BytePath
        let root: Directory
        private var made: [BytePath] = []

        init() throws {
            path = BytePath("/tmp/freshpyc-scan-\(Host.processIdentifier)-\(UInt64.random(in: 0 ... .max))")
            _ = try Host.makeDirectory(path, permissions: 0o755)
            root = try Directory(path: path)
        }

        deinit {
            for name in made.reversed() where !root.removeEmptyDirectory(name) { _ = try? root.removeFile(name) }
            _ = (try? Directory(path: path.parent))?.removeEmptyDirectory(BytePath.empty.appending(path.lastComponent))
        }

        func file(_ name: String) throws {
            made.append(BytePath(name))
            try Array("x = 1\n".utf8).withRawBytes { bytes throws(SystemError) in
                try root.file(BytePath(name), .createNew(0o644)).writeAll(bytes)
            }
        }

        func directory(_ name: String) throws {
            made.append(BytePath(name))
            _ = try root.makeDirectory(BytePath(name))
        }

        func link(_ name: String, to target: String) throws {
            made.append(BytePath(name))
            _ = try root.makeLink(BytePath(name), to: BytePath(target))
        }

        var scanner: TreeScanner { TreeScanner(root: root, rootPath: path, scope: Scope(), places: []) }
    }

    enum Kind: String { case present, gone, notASource, unreadable }

    private func kind(_ observation: Observation) -> Kind {
        switch observation {
        case .present: .present
        case .gone: .gone
        case .notASource: .notASource
        case .unreadable: .unreadable
        }
    }

    private func populated() throws -> Scratch {
        let scratch = try Scratch()
        try scratch.directory("p")
        try scratch.directory("directory.py")
        for name in ["a.py", "p/b.py", ".py", "p/.py", "py.py"] { try scratch.file(name) }
        try scratch.link("link.py", to: "a.py")
        try scratch.link("dangling.py", to: "nowhere.py")
        try scratch.link("circle.py", to: "circle.py")
        try scratch.link("q", to: "p")
        try scratch.link("long.py", to: String(repeating: "n", count: 300) + ".py")
        return scratch
    }

    @Test(arguments: [
        ("a.py", Kind.present), ("p/b.py", .present), ("link.py", .present), ("absent.py", .gone),
        ("absent/a.py", .gone), ("a.py/b.py", .gone), ("directory.py", .notASource), ("dangling.py", .notASource),
        ("circle.py", .notASource), ("q/b.py", .notASource), ("long.py", .unreadable),
    ])
    func oneLookTellsGoneFromUnreadable(_ name: String, _ expected: Kind) throws {
        let scratch = try populated()
        #expect(kind(scratch.scanner.observe(BytePath(name))) == expected)
    }

    @Test func aWalkFindsSourcesAndReportsWhatItCouldNotRead() throws {
        let scratch = try populated()
        let result = scratch.scanner.scan([.empty])
        #expect(Set(result.sources.map(\.path.description)) == ["a.py", "p/b.py", "py.py", "link.py"])
        #expect(result.unreadable.map(\.path.description) == ["long.py"])
        #expect(result.unreadablePlaces.covers(BytePath("long.py")))
        #expect(result.problems.map(\.diagnostic.rule) == [.unreadable])
    }

    @Test func aDirectoryThatMovedAwayAndLeftALinkIsNotRead() throws {
        // Following the link gives even root an error other than ENOENT.
        let scratch = try Scratch()
        try scratch.link("moved", to: String(repeating: "n", count: 300))
        let result = scratch.scanner.scan([BytePath("moved/new")], obeysRules: true)
        #expect(result.unreadable.isEmpty)
        #expect(result.sources.isEmpty)
    }

    @Test func aDirectoryThatBecameAFileObeysTheRules() throws {
        let scratch = try populated()
        let scanner = TreeScanner(
            root: scratch.root, rootPath: scratch.path, scope: Scope(excludes: ["a.py"]), places: [])
        try scratch.file("notes")
        let result = scanner.scan(["a.py", "notes", "py.py"].map { BytePath($0) }, obeysRules: true)
        #expect(result.sources.map(\.path) == [BytePath("py.py")])
    }

    @Test func aNamedSourceThatCannotBeReadIsReported() throws {
        let scratch = try populated()
        let result = scratch.scanner.scan([BytePath("long.py"), BytePath("absent.py"), BytePath("a.py")])
        #expect(result.sources.map(\.path) == [BytePath("a.py")])
        #expect(result.unreadable.map(\.path) == [BytePath("long.py")])
    }
}
