import BasicTypes
import Testing

@testable import LinuxSystem

@Suite struct DirectoryTests {
    private func scratch() throws -> (Directory, BytePath) {
        let path = BytePath("/tmp/freshpyc-unit-\(Host.processIdentifier)-\(UInt64.random(in: 0 ... .max))")
        _ = try Host.makeDirectory(path, permissions: 0o755)
        return (try Directory(path: path), path)
    }

    private func write(_ directory: Directory, _ name: String, _ text: String) throws {
        try Array(text.utf8).withRawBytes { bytes throws(SystemError) in
            try directory.file(BytePath(name), .createNew(0o644)).writeAll(bytes)
        }
    }

    @Test func nothingLeadsOut() throws {
        let (directory, path) = try scratch()
        _ = try directory.makeDirectory(BytePath("in"))
        try write(directory, "in/file", "x")
        #expect(try directory.file(BytePath("in/file"), .read).readAll(expected: 0) == [0x78])
        #expect(throws: SystemError.self) { try directory.file(BytePath("../etc/passwd"), .read) }
        #expect(throws: SystemError.self) { try directory.directory(BytePath("in/../..")) }
        #expect(throws: SystemError.self) { try directory.file(BytePath("in/file"), .createNew(0o644)) }
        for name in ["in/file", "in"] { _ = try? directory.removeFile(BytePath(name)) }
        _ = directory.removeEmptyDirectory(BytePath("in"))
        #expect(try Directory(path: path.parent).removeEmptyDirectory(BytePath.empty.appending(path.lastComponent)))
    }

    @Test func listingsAreWhole() throws {
        let (directory, path) = try scratch()
        let names = (0..<300).map { String(repeating: "n", count: 1 + $0 % 240) + "\($0)" }
        for name in names { try write(directory, name, "") }
        var found: [String] = []
        try DirectoryListing().forEach(in: directory, path: path) { name, kind throws(SystemError) in
            found.append(BytePath(cString: name).description)
            #expect(kind == .regular || kind == .unknown)
        }
        #expect(found.sorted() == names.sorted())
        for name in names { _ = try directory.removeFile(BytePath(name)) }
        _ = try Directory(path: path.parent).removeEmptyDirectory(BytePath.empty.appending(path.lastComponent))
    }

    @Test func readingStopsAtTheLimit() throws {
        let (directory, path) = try scratch()
        try write(directory, "f", String(repeating: "0123456789", count: 1000))
        for expected in [0, 1, 9_999, 10_000, 20_000] {
            #expect(try directory.file(BytePath("f"), .read).readAll(expected: expected).count == 10_000)
        }
        #expect(try directory.file(BytePath("f"), .read).readAll(expected: 0, limit: 77).count == 77)
        _ = try directory.removeFile(BytePath("f"))
        _ = try Directory(path: path.parent).removeEmptyDirectory(BytePath.empty.appending(path.lastComponent))
    }

    /// A sparse file may claim any size.
    @Test func memoryIsAllocatedForWhatIsRead() throws {
        let (directory, path) = try scratch()
        try write(directory, "f", "0123456789")
        #expect(try directory.file(BytePath("f"), .read).readAll(expected: 1 << 50).count == 10)
        _ = try directory.removeFile(BytePath("f"))
        _ = try Directory(path: path.parent).removeEmptyDirectory(BytePath.empty.appending(path.lastComponent))
    }

    @Test func slicesKeepTheirOrder() {
        let doubled = ParallelSlices.map(Array(0..<10_000), sliceSize: 7, scratch: {}) { number, _ in "\(number * 2)" }
        #expect(doubled == (0..<10_000).map { "\($0 * 2)" })
    }

    @Test func errorsNameWhatFailed() {
        let error = SystemError("open", BytePath("a/b.py"), code: 13)
        #expect(error.description == "a/b.py: permission denied")
        #expect(error.isDenied)
    }
}
