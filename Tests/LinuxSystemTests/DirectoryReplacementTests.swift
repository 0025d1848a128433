// Replacing directories: what is there before, after, and after a kill.

import BasicTypes
import Testing

@testable import LinuxSystem

@Suite struct DirectoryReplacementTests {
    private func scratch() throws -> (directory: Directory, path: BytePath) {
        let path = BytePath("/tmp/freshpyc-replacement-\(UInt64.random(in: 0 ... .max))")
        _ = try Host.makeDirectory(path, permissions: 0o700)
        return (try Directory(path: path), path)
    }

    private func remove(_ path: BytePath) {
        try? Directory(path: path.parent).removeTree(BytePath.empty.appending(path.lastComponent))
    }

    private func isThere(_ name: String, in directory: Directory) throws -> Bool {
        try directory.status(BytePath(name), followsLinks: false) != nil
    }

    /// Nothing, an empty directory, a full one, a link: each is replaced whole; a cancelled one changes nothing.
    @Test(arguments: ["nothing", "empty", "full", "link"])
    func replaces(_ before: String) throws {
        let (parent, path) = try scratch()
        defer { remove(path) }
        let name = BytePath("out")
        if before == "empty" || before == "full" { _ = try parent.makeDirectory(name) }
        if before == "full" {
            _ = try parent.directory(name).makeDirectory(BytePath("deep"))
            _ = try parent.file(BytePath("out/deep/old"), .createNew(0o600))
        }
        if before == "link" { _ = try parent.makeLink(name, to: BytePath("/nowhere")) }
        let cancelled = try DirectoryReplacement(name, in: parent)
        _ = try cancelled.directory.file(BytePath("new"), .createNew(0o600))
        cancelled.cancel()
        #expect(try isThere("out/deep/old", in: parent) == (before == "full"))
        let replacement = try DirectoryReplacement(name, in: parent)
        _ = try replacement.directory.file(BytePath("new"), .createNew(0o600))
        try replacement.commit()
        #expect(try isThere("out/new", in: parent) && !isThere("out/deep", in: parent))
        var names: [String] = []
        try DirectoryListing().forEach(in: Directory(path: path), path: path) { (entry, _) throws(SystemError) in
            names.append(BytePath(cString: entry).description)
        }
        #expect(names == ["out"])
    }

    /// Only directories of processes that are gone, only after an hour, and no other files.
    @Test func leftoversOfKilledProcessesAreRemoved() throws {
        let (parent, path) = try scratch()
        defer { remove(path) }
        let gone = ".freshpyc-999999999-0123456789abcdef"
        let running = ".freshpyc-\(Host.processIdentifier)-0123456789abcdef"
        let others = [running, ".freshpyc-x-1", ".freshpyc-999999999", "freshpyc-999999999-1"]
        for name in [gone] + others { _ = try parent.makeDirectory(BytePath(name)) }
        _ = try parent.file(BytePath(gone + "/file"), .createNew(0o600))
        _ = try parent.file(BytePath(".freshpyc-999999999-file"), .createNew(0o600))
        let now = Host.realtime / 1_000_000_000
        DirectoryReplacement.removeLeftovers(in: parent, now: now + 3000)
        #expect(try isThere(gone, in: parent))
        DirectoryReplacement.removeLeftovers(in: parent, now: now + 4000)
        #expect(try !isThere(gone, in: parent))
        for name in others + [".freshpyc-999999999-file"] { #expect(try isThere(name, in: parent), "\(name)") }
    }
}
