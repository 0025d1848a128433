// A directory for one test.

import BasicTypes
import LinuxSystem

enum Scratch {
    /// Runs `body` with a new directory, and removes the directory afterwards.
    static func withDirectory(_ body: (Directory, BytePath) throws -> Void) throws {
        let path = BytePath("/tmp/freshpyc-unit-\(Host.processIdentifier)-\(UInt64.random(in: 0 ... .max))")
        _ = try Host.makeDirectory(path, permissions: 0o755)
        let directory = try Directory(path: path)
        defer {
            try? empty(directory)
            if let parent = try? Directory(path: path.parent) {
                _ = parent.removeEmptyDirectory(BytePath.empty.appending(path.lastComponent))
            }
        }
        try body(directory, path)
    }

    private static func empty(_ directory: Directory) throws {
        var names: [BytePath] = []
        try DirectoryListing().forEach(in: directory, path: .empty) { name, _ throws(SystemError) in
            names.append(BytePath(cString: name))
        }
        for name in names {
            if try directory.status(name, followsLinks: false)?.kind == .directory {
                try empty(try directory.directory(name))
                _ = directory.removeEmptyDirectory(name)
            } else {
                _ = try directory.removeFile(name)
            }
        }
    }
}
