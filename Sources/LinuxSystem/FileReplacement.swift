// Replacing a file as a whole: a reader sees the old contents or the new ones, and never a part.

import BasicTypes
import Synchronization

/// A file that is written under a temporary name in its directory and then renamed into its place. On every failure the
/// temporary file is removed and the old contents stay.
package struct FileReplacement {
    /// How temporary names begin. The number of the process follows, so that files left by a killed one can be told.
    package static let temporaryPrefix = ".freshpyc-"

    /// What the file is called until it is in its place.
    package enum TemporaryName {
        /// A name that no other process and no other call uses.
        case unique(prefix: String)
        /// For a file that has one writer at a time, for instance the holder of a lock. What a killed process left under
        /// this name is removed.
        case fixed(BytePath)
    }

    /// How the file is made.
    package struct Options {
        /// Less the umask.
        package var permissions: UInt32
        /// Time of last modification; `nil` for now.
        package var modified: FileTime?
        /// Whether the contents must outlast a loss of power from now on (fsync(2)).
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
    ///   - name: one component, in `directory`.
    ///   - path: shown in errors; the name if `nil`.
    package init(
        _ name: BytePath, in directory: Directory, path: BytePath? = nil,
        temporary: TemporaryName = .unique(prefix: temporaryPrefix)
    ) {
        self.directory = directory
        self.name = name
        self.path = path ?? name
        switch temporary {
        case .unique(let prefix):
            self.temporary = BytePath("\(prefix)\(Self.identity)\(Self.count.add(1, ordering: .relaxed).newValue)")
            removesTemporaryFirst = false
        case .fixed(let temporary):
            self.temporary = temporary
            removesTemporaryFirst = true
        }
    }

    // Processes of several containers, which may all have the number 1, can write to the same directory.
    private static let identity = "\(Host.processIdentifier)-\(UInt64.random(in: 0 ... .max))-"
    private static let count = Atomic<UInt64>(0)

    /// Makes the file, has `body` write its contents, and renames it.
    ///
    /// - Returns: the file, open for writing, in its place.
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

    /// The same for contents that are at hand.
    @discardableResult
    package func write(_ contents: [UInt8], _ options: Options = Options()) throws(SystemError) -> OwnedDescriptor {
        try write(options) { file throws(SystemError) in
            try contents.withRawBytes { bytes throws(SystemError) in try file.writeAll(bytes, path: path) }
        }
    }

    /// Puts another name of an existing file into the place.
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
            // Why it failed matters more than why the temporary file cannot be removed.
            _ = try? directory.removeFile(temporary)
            throw error
        }
    }
}
