import BasicTypes
import Testing

@testable import LinuxSystem

@Suite struct FileReplacementTests {
    private let old = Array("old contents".utf8)
    private let new = Array("new".utf8)
    private let name = BytePath("file")

    private func contents(_ directory: Directory) throws -> [UInt8] {
        try directory.file(name, .read).readAll(expected: 0)
    }

    private func names(in directory: Directory) throws -> [String] {
        var names: [String] = []
        try DirectoryListing().forEach(in: try directory.directory(.empty), path: .empty) {
            name, _ throws(SystemError) in
            names.append(BytePath(cString: name).description)
        }
        return names
    }

    /// Every system call of a replacement, with an errno that it may return.
    @Test(arguments: [("openat2", 28), ("write", 28), ("futimens", 5), ("fsync", 5), ("rename", 5)])
    func aFailureLeavesTheOldContentsAndNoOtherFile(operation: String, code: Int32) throws {
        try Scratch.withDirectory { directory, _ in
            try FileReplacement(name, in: directory).write(old)
            for temporary in [FileReplacement.TemporaryName.unique(prefix: ".new-"), .fixed(BytePath("file.tmp"))] {
                let plan: FaultPlan = try #require(FaultPlan("fail:\(operation):1:\(code)"))
                FaultPlan.$local.withValue(plan) {
                    #expect(throws: SystemError.self) {
                        try FileReplacement(name, in: directory, temporary: temporary).write(
                            new, FileReplacement.Options(modified: FileTime(nanoseconds: 1), isDurable: true))
                    }
                }
                #expect(try contents(directory) == old)
                #expect(try names(in: directory) == ["file"])
            }
        }
    }

    @Test func optionsAreApplied() throws {
        try Scratch.withDirectory { directory, _ in
            try FileReplacement(name, in: directory).write(
                new,
                FileReplacement.Options(
                    permissions: 0o600, modified: FileTime(seconds: 1, nanosecond: 500_000_000), isDurable: true))
            let status = try #require(try directory.status(name, followsLinks: false))
            #expect(status.permissions == 0o600)
            #expect(status.stamp.modified == FileTime(seconds: 1, nanosecond: 500_000_000))
            #expect(try contents(directory) == new)
        }
    }

    @Test func whatAKilledWriterLeftIsOverwritten() throws {
        try Scratch.withDirectory { directory, _ in
            _ = try directory.file(BytePath("file.tmp"), .createNew(0o644))
            try FileReplacement(name, in: directory, temporary: .fixed(BytePath("file.tmp"))).write(new)
            #expect(try names(in: directory) == ["file"])
        }
    }

    @Test func aLinkIsReplacedAndNotFollowed() throws {
        try Scratch.withDirectory { directory, _ in
            try FileReplacement(BytePath("other"), in: directory).write(old)
            _ = try directory.makeLink(name, to: BytePath("other"))
            try FileReplacement(name, in: directory).write(new)
            #expect(try directory.file(BytePath("other"), .read).readAll(expected: 0) == old)
            #expect(try contents(directory) == new)
        }
    }

    @Test func outputGoesIntoWhatIsNoRegularFile() throws {
        try Scratch.withDirectory { directory, path in
            // A regular file is replaced atomically, and keeps its permissions.
            try FileReplacement(name, in: directory).write(old, FileReplacement.Options(permissions: 0o640))
            let first = try #require(try directory.status(name, followsLinks: false))
            try OutputFile.write(new, to: path.appending("file"))
            let second = try #require(try directory.status(name, followsLinks: false))
            #expect(try contents(directory) == new)
            #expect(second.permissions == 0o640 && second.stamp.inode != first.stamp.inode)
            // A link stays, and its target is written, even if it did not exist.
            _ = try directory.makeLink(BytePath("link"), to: name)
            try OutputFile.write(old, to: path.appending("link"))
            #expect(try directory.status(BytePath("link"), followsLinks: false)?.kind == .symbolicLink)
            #expect(try contents(directory) == old)
            _ = try directory.makeLink(BytePath("dangling"), to: BytePath("made"))
            try OutputFile.write(new, to: path.appending("dangling"))
            #expect(try directory.file(BytePath("made"), .read).readAll(expected: 0) == new)
            // A device stays a device.
            _ = try directory.makeLink(BytePath("null"), to: BytePath("/dev/null"))
            try OutputFile.write(new, to: path.appending("null"))
            #expect(try Host.status(path.appending("null"))?.kind == .other)
        }
    }
}
