// Copies a tree for deployment: directories, files and links, with their permissions and times. Bytecode is not copied;
// it is compiled in the copy.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import LinuxSystem

/// Copies everything in scope below a root, except version control, caches, bytecode and excluded files.
struct TreeMirror: Sendable {
    let root: Directory
    let output: Directory
    /// The directory, relative to the root, whose contents go to the top of the copy.
    let base: BytePath
    let scope: Scope
    /// Sources that must not be in the copy.
    let leftOut: Set<BytePath>
    /// The time that no file of the copy may exceed.
    let latest: FileTime?

    private struct Entry: Sendable {
        let path: BytePath
        let isLink: Bool
    }

    /// Copies these directories and files.
    ///
    /// - Returns: the skipped files, and why.
    func copy(_ starts: [BytePath]) throws(SystemError) -> [SkippedFile] {
        var entries: [Entry] = []
        var skipped: [SkippedFile] = []
        var pending: [BytePath] = []
        for start in starts {
            let status = try root.status(start.isEmpty ? BytePath(".") : start, followsLinks: false)
            if status?.kind == .directory {
                pending.append(start)
            } else {
                entries.append(Entry(path: start, isLink: status?.kind == .symbolicLink))
            }
        }
        let listing = DirectoryListing()
        while let directory = pending.popLast() {
            let opened = try root.directory(directory)
            // The copy may be inside the copied tree.
            if try opened.descriptor.status().stamp.isSameFile(as: output.descriptor.status().stamp) { continue }
            try makeDirectory(directory)
            var names: [(BytePath, EntryKind)] = []
            try listing.forEach(in: opened, path: directory) { name, kind throws(SystemError) in
                names.append((BytePath(cString: name), kind))
            }
            for (name, kind) in names {
                let path = directory.appending(name)
                let found: FileStatus.Kind? =
                    kind == .regular
                    ? .regular
                    : kind == .directory
                        ? .directory : try opened.status(name, followsLinks: false)?.kind
                guard let found, !isLeftOut(path, name, isDirectory: found == .directory) else { continue }
                switch found {
                case .directory: pending.append(path)
                case .regular: entries.append(Entry(path: path, isLink: false))
                case .symbolicLink: entries.append(Entry(path: path, isLink: true))
                case .other:
                    skipped.append(SkippedFile(path: named(path), reason: "not a file, a directory or a link"))
                }
            }
        }
        // Remove these sources if an earlier copy has them.
        for source in leftOut {
            do throws(SystemError) {
                let (directory, name) = try place(source)
                _ = try directory.removeFile(name)
            } catch  where error.isMissing {
                continue
            }
        }
        let results = ParallelSlices.map(entries, sliceSize: 32, scratch: {}) { entry, _ in copy(entry) }
        return skipped + results.compactMap { $0 }
    }

    private func isLeftOut(_ path: BytePath, _ name: BytePath, isDirectory: Bool) -> Bool {
        if leftOut.contains(path) || scope.excludes(path, isDirectory: isDirectory) { return true }
        if isDirectory { return Scope.excludesDirectory(named: name.bytes) }
        return name.hasSuffix(".pyc") || name.hasSuffix(".pyo")
    }

    private func named(_ path: BytePath) -> BytePath { path.relative(to: base) ?? path }

    /// Creates a directory in the copy with the permissions that it has in the tree. Replaces anything else of that name,
    /// including links, so that nothing is written through a link.
    private func makeDirectory(_ path: BytePath) throws(SystemError) {
        let permissions =
            try root.status(path.isEmpty ? BytePath(".") : path, followsLinks: false)?.permissions ?? 0o755
        var current = output
        for component in named(path).components {
            let name = BytePath.empty.appending(component)
            if let there = try current.status(name, followsLinks: false), there.kind != .directory {
                _ = try current.removeFile(name)
            }
            _ = try current.makeDirectory(name, permissions: permissions | 0o700)
            current = try current.directory(name)
        }
    }

    /// A file's directory in the copy, opened without following links, and the file's name.
    private func place(_ path: BytePath) throws(SystemError) -> (directory: Directory, name: BytePath) {
        let place = named(path)
        return (try output.directory(place.parent), BytePath.empty.appending(place.lastComponent))
    }

    /// - Returns: `nil` if it was copied.
    private func copy(_ entry: Entry) -> SkippedFile? {
        do throws(SystemError) {
            if entry.isLink { return try copyLink(entry.path) }
            try copy(try root.file(entry.path, .read), entry.path)
            return nil
        } catch {
            return SkippedFile(
                path: named(entry.path), reason: "cannot copy it: \(error.reason)", isProblem: true)
        }
    }

    private func copy(_ file: OwnedDescriptor, _ path: BytePath) throws(SystemError) {
        let status = try file.status(path)
        let (directory, name) = try place(path)
        let modified = latest.map { min($0, status.stamp.modified) } ?? status.stamp.modified
        // A time limited by `latest` does not show whether the contents changed.
        if modified == status.stamp.modified, let there = try directory.status(name, followsLinks: false),
            there.kind == .regular, there.stamp.size == status.stamp.size, there.stamp.modified == modified,
            there.permissions == status.permissions & 0o777
        {
            return
        }
        try FileReplacement(name, in: directory, path: path).write(
            FileReplacement.Options(permissions: status.permissions & 0o777, modified: modified)
        ) { copy throws(SystemError) in
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in try file.read(into: bytes) }
                if count == 0 { break }
                try Array(buffer[..<count]).withRawBytes { bytes throws(SystemError) in
                    try copy.writeAll(bytes, path: path)
                }
            }
        }
    }

    /// Copies a link as a link if its target is in the tree, and so in the copy too. If it points to a source outside the
    /// tree, copies the source's contents, since its bytecode belongs here.
    private func copyLink(_ path: BytePath) throws(SystemError) -> SkippedFile? {
        let target = try root.linkTarget(path)
        let end = path.parent.appending(target).normalized
        guard !target.isAbsolute, end.isWithin(base), !end.bytes.starts(with: "..".utf8) else {
            if path.hasSuffix(".py"), try root.status(path, followsLinks: true)?.kind == .regular {
                try copy(try root.fileFollowingLinks(path), path)
                return nil
            }
            return SkippedFile(path: named(path), reason: "a link that points out of the tree")
        }
        let (directory, name) = try place(path)
        if try directory.status(name, followsLinks: false)?.kind == .symbolicLink,
            try directory.linkTarget(name) == target
        {
            return nil
        }
        _ = try directory.removeFile(name)
        _ = try directory.makeLink(name, to: target)
        return nil
    }
}

extension Stamp {
    fileprivate func isSameFile(as other: Stamp) -> Bool { device == other.device && inode == other.inode }
}
