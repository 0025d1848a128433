// Atomic replacement of directories: whoever looks sees the old tree or the new, never a part.

import BasicTypes
import CLinuxShims
import Glibc

/// A directory that is filled under a temporary name beside its place, and then takes the place of what is there.
package struct DirectoryReplacement {
    private let parent: Directory
    private let name: BytePath
    private let temporary: BytePath
    /// The new directory, empty.
    package let directory: Directory

    /// Creates the temporary directory.
    ///
    /// - Parameter name: a single component, in `parent`.
    package init(_ name: BytePath, in parent: Directory) throws(SystemError) {
        self.parent = parent
        self.name = name
        Self.removeLeftovers(in: parent)
        temporary = BytePath(
            "\(FileReplacement.temporaryPrefix)\(Host.processIdentifier)-\(Hexadecimal.text(UInt64.random(in: 0 ... .max), digits: 16))"
        )
        guard try parent.makeDirectory(temporary) else { throw SystemError("mkdir", temporary, code: EEXIST) }
        directory = try parent.directory(temporary)
    }

    /// Removes what killed processes left: directories whose name has the ID of a process that is gone. In another container it may
    /// run, so those of the last hour stay.
    ///
    /// - Parameter now: seconds since 1970.
    static func removeLeftovers(in parent: Directory, now: Int64 = Host.realtime / 1_000_000_000) {
        var old: [BytePath] = []
        // Opened again: a list is read once from each descriptor.
        guard let listed = try? parent.directory(.empty) else { return }
        try? DirectoryListing().forEach(in: listed, path: .empty) { (entry, _) throws(SystemError) in
            let name = BytePath(cString: entry)
            guard name.bytes.starts(with: FileReplacement.temporaryPrefix.utf8) else { return }
            let words = name.description.dropFirst(FileReplacement.temporaryPrefix.count).split(separator: "-")
            guard words.count >= 2, let process = Int32(words[0]), !Host.isRunning(process),
                let status = try parent.status(name, followsLinks: false), status.kind == .directory,
                now - status.stamp.changed.seconds > 3600
            else { return }
            old.append(name)
        }
        for name in old { parent.removeTree(name) }
    }

    /// Puts the new directory in place and removes the old one.
    ///
    /// If the old one cannot be exchanged in one step (RENAME_EXCHANGE: not on every file system), it is moved aside first, and
    /// for a moment there is none. On failure the old one stays.
    package func commit() throws(SystemError) {
        guard try parent.status(name, followsLinks: false) != nil else {
            return try parent.rename(temporary, to: name)
        }
        do throws(SystemError) {
            try parent.exchange(temporary, name)
            parent.removeTree(temporary)
        } catch {
            let aside = BytePath(temporary.description + "-old")
            try parent.rename(name, to: aside)
            do throws(SystemError) {
                try parent.rename(temporary, to: name)
            } catch {
                try parent.rename(aside, to: name)
                throw error
            }
            parent.removeTree(aside)
        }
    }

    /// Removes the new directory.
    package func cancel() { parent.removeTree(temporary) }
}

extension Directory {
    /// Two names change places (renameat2(2), Linux 3.15).
    func exchange(_ one: BytePath, _ other: BytePath) throws(SystemError) {
        _ = try retrying("renameat2", other) {
            one.withCString { one in
                other.withCString { other in freshpyc_exchange(descriptor.raw, one, other) }
            }
        }
    }

    /// Removes a directory with everything in it, as far as that is allowed. Follows no link.
    package func removeTree(_ name: BytePath) {
        if let inner = try? directory(name) {
            var names: [(BytePath, EntryKind)] = []
            try? DirectoryListing().forEach(in: inner, path: name) { (entry, kind) throws(SystemError) in
                names.append((BytePath(cString: entry), kind))
            }
            for (entry, kind) in names {
                switch kind {
                case .directory, .unknown: inner.removeTree(entry)
                default: _ = try? inner.removeFile(entry)
                }
            }
        }
        if !removeEmptyDirectory(name) { _ = try? removeFile(name) }
    }
}

extension OwnedDescriptor {
    /// Sets the permissions, whatever the umask is (fchmod(2)).
    package func setPermissions(_ permissions: UInt32, path: BytePath = .empty) throws(SystemError) {
        _ = try retrying("fchmod", path) { fchmod(raw, permissions) }
    }
}
