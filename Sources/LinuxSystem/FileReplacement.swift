// Atomic replacement of files: a reader sees the old contents or the new, never a part.

import BasicTypes
import Synchronization

/// A file that is written under a temporary name in its directory and then renamed into place. On any failure the
/// temporary file is removed and the old contents stay.
package struct FileReplacement {
    /// Prefix of temporary names. The process ID follows, so that files left by a killed process can be recognized.
    package static let temporaryPrefix = ".freshpyc-"

    /// The name of the file until it is renamed.
    package enum TemporaryName {
        /// A name that no other process and no other call uses.
        case unique(prefix: String)
        /// For a file with one writer at a time, such as the holder of a lock. A file that a killed process left under
        /// this name is removed first.
        case fixed(BytePath)
    }

    /// How the file is created.
    package struct Options {
        /// Before applying the umask.
        package var permissions: UInt32
        /// Modification time; `nil` for now.
        package var modified: FileTime?
        /// Whether the contents must survive a power loss after this (fsync(2)).
        package var isDurable: Bool

        package init(permissions: UInt32 = 0o666, modified: FileTime? = nil, isDurable: Bool = false) {
            self.permissions = permissions
            self.modified = modified
            self.isDurable = isDurable
        }
    }

    private let directory: Directory
    private let name: BytePath
    private let path: BytePath
    private let temporary: BytePath
    private let removesTemporaryFirst: Bool

    /// - Parameters:
    ///   - name: a single component, in `directory`.
    ///   - path: shown in errors; `nil` for `name`.
    package init(
        _ name: BytePath, in directory: Directory, path: BytePath? = nil,
        temporary: TemporaryName = .unique(prefix: temporaryPrefix)
    ) {
        self.directory = directory
        self.name = name
        self.path = path ?? name
        switch temporary {
        case .unique(let prefix):
            let number = Self.count.add(1, ordering: .relaxed).newValue
            self.temporary = BytePath.empty.appending(Array(prefix.utf8) + Self.identity + String(number).utf8)
            removesTemporaryFirst = false
        case .fixed(let temporary):
            self.temporary = temporary
            removesTemporaryFirst = true
        }
    }

    // Processes in different containers can have the same ID and write to the same directory.
    private static let identity = Array("\(Host.processIdentifier)-\(UInt64.random(in: 0 ... .max))-".utf8)
    private static let count = Atomic<UInt64>(0)

    /// Creates the file, calls `body` to write its contents, and renames it into place.
    ///
    /// - Returns: the file in its final place, open for writing.
    @discardableResult
    package func write(
        _ options: Options = Options(), _ body: (OwnedDescriptor) throws(SystemError) -> Void
    ) throws(SystemError) -> OwnedDescriptor {
        if removesTemporaryFirst { _ = try directory.removeFile(temporary) }
        let file = try directory.file(temporary, .createNew(options.permissions))
        try finish { () throws(SystemError) in
            try body(file)
            if let modified = options.modified { try file.setModified(modified, path: path) }
            if options.isDurable { try file.synchronize(path: path) }
        }
        return file
    }

    /// The same with contents in memory.
    @discardableResult
    package func write(_ contents: [UInt8], _ options: Options = Options()) throws(SystemError) -> OwnedDescriptor {
        try write(options) { file throws(SystemError) in
            try contents.withRawBytes { bytes throws(SystemError) in try file.writeAll(bytes, path: path) }
        }
    }

    /// Puts a hard link to an existing file in place.
    ///
    /// - Parameter existing: in the same directory.
    package func link(to existing: BytePath) throws(SystemError) {
        try directory.makeHardLink(temporary, to: existing)
        try finish { () throws(SystemError) in }
    }

    private func finish(_ body: () throws(SystemError) -> Void) throws(SystemError) {
        do throws(SystemError) {
            try body()
            try directory.rename(temporary, to: name)
        } catch {
            // The original error matters more than one from removing the temporary file.
            _ = try? directory.removeFile(temporary)
            throw error
        }
    }
}
