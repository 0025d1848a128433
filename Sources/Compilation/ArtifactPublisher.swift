// Writes, restamps and removes bytecode files. Writes are atomic and never follow a symbolic link.

import BasicTypes
import BuildModel
import FileWatching
import LinuxSystem

/// Writes artifacts below a root. Use one per thread: it caches open directories.
package final class ArtifactPublisher {
    /// The prefix of the names of temporary files.
    package static let temporaryPrefix = FileReplacement.temporaryPrefix
    /// Files are made in the order of their sizes, so a few hundred directories take turns. There are two lanes for each
    /// processor, each with a publisher.
    private static let maximumOpen = DescriptorLimit.share(of: 2 * Processors.available, atMost: 128)

    private let root: Directory
    private let makesDirectories: Bool
    private var open: [BytePath: Directory] = [:]

    /// - Parameter makesDirectories: whether to create all missing parent directories of an artifact. If `false`, only
    ///   a missing `__pycache__` is created.
    package init(root: Directory, makesDirectories: Bool = false) {
        self.root = root
        self.makesDirectories = makesDirectories
    }

    /// Opens the directory of an artifact, and creates it if it is missing.
    private func directory(_ path: BytePath) throws(SystemError) -> Directory {
        if let known = open[path] { return known }
        let directory: Directory
        do throws(SystemError) {
            directory = try root.directory(path)
        } catch  where error.isMissing && !error.isNotDirectory {
            let parent = makesDirectories ? try self.directory(path.parent) : try root.directory(path.parent)
            let name = BytePath.empty.appending(path.lastComponent)
            _ = try parent.makeDirectory(name)
            directory = try parent.directory(name)
        }
        if open.count >= Self.maximumOpen { open.removeAll() }
        open[path] = directory
        return directory
    }

    /// Writes an artifact atomically.
    ///
    /// - Parameters:
    ///   - path: relative to the root.
    ///   - permissions: the mode bits of the source. As with import, the artifact is also writable by its owner, and
    ///     never executable.
    ///   - modified: the file's modification time; `nil` for now.
    /// - Returns: the stamp of the published file.
    @discardableResult
    package func publish(
        _ path: BytePath, header: [UInt8], body: [UInt8], permissions: UInt32, modified: FileTime? = nil
    ) throws(SystemError) -> Stamp {
        do throws(SystemError) {
            return try attempt(path, header: header, body: body, permissions: permissions, modified: modified)
        } catch  where error.isMissing && !error.isNotDirectory && open[path.parent] != nil {
            // The open directory was deleted; another one may have its name now.
            open[path.parent] = nil
            return try attempt(path, header: header, body: body, permissions: permissions, modified: modified)
        } catch  where error.isOutOfDescriptors && !open.isEmpty {
            open.removeAll()
            return try attempt(path, header: header, body: body, permissions: permissions, modified: modified)
        }
    }

    private func attempt(
        _ path: BytePath, header: [UInt8], body: [UInt8], permissions: UInt32, modified: FileTime?
    ) throws(SystemError) -> Stamp {
        let directory = try directory(path.parent)
        let name = BytePath.empty.appending(path.lastComponent)
        let file = try FileReplacement(name, in: directory, path: path).write(
            FileReplacement.Options(permissions: (permissions | 0o200) & 0o666, modified: modified)
        ) { file throws(SystemError) in try file.writeAll(header, body, path: path) }
        // Renaming changes the file's ctime, so its stamp is taken afterwards.
        return try file.status(path).stamp
    }

    /// Replaces the time and size in an artifact's header, in place. The eight bytes are one write, so neither a reader
    /// nor a crash sees half of them.
    ///
    /// - Returns: the new stamp, or `nil` if the file is not the one that we published, or has several hard links: the
    ///   other names may not be ours.
    package func restamp(
        _ path: BytePath, published: PublishedArtifact, layout: HeaderLayout, header: [UInt8]
    ) throws(SystemError) -> Stamp? {
        let file = try root.file(path, .readWrite)
        let status = try file.status(path)
        guard status.stamp == published.stamp, status.links == 1, status.kind == .regular else { return nil }
        let offset = layout == .flagged ? 8 : 4
        try file.writeAll(Array(header[offset...]), at: Int64(offset), path: path)
        return try file.status(path).stamp
    }

    /// Replaces an artifact's header, in place, with one of the same length. Everything but the magic number is one
    /// write.
    ///
    /// - Parameters:
    ///   - file: open for reading and writing.
    ///   - stamp: the file's stamp when it was examined.
    /// - Returns: `false` if the file has changed since then, or has several hard links.
    package static func reseal(
        _ file: OwnedDescriptor, _ path: BytePath, stamp: Stamp, header: [UInt8], modified: FileTime?
    ) throws(SystemError) -> Bool {
        let status = try file.status(path)
        guard status.stamp == stamp, status.links == 1, status.kind == .regular, header.count > 4 else { return false }
        try file.writeAll(Array(header[4...]), at: 4, path: path)
        if let modified { try file.setModified(modified, path: path) }
        return true
    }

    /// Removes an artifact, and its `__pycache__` if that is now empty. Does nothing if there is no such artifact.
    package func remove(_ path: BytePath) throws(SystemError) {
        do throws(SystemError) {
            let directory = try root.directory(path.parent)
            guard try directory.removeFile(BytePath.empty.appending(path.lastComponent)) else { return }
        } catch  where error.isMissing || error.isLoop {
            // If the directory is a symbolic link (ELOOP), its target is not ours.
            return
        }
        removeIfEmptyCache(path.parent)
    }

    private func removeIfEmptyCache(_ path: BytePath) {
        guard path.lastComponent.elementsEqual("__pycache__".utf8), let parent = try? root.directory(path.parent),
            parent.removeEmptyDirectory(BytePath("__pycache__"))
        else { return }
        open[path] = nil
    }

    /// Removes bytecode with these suffixes from the `__pycache__` of a directory if its source is missing.
    package static func sweepOrphans(in directory: BytePath, suffixes: [String], root: Directory) {
        let path = directory.appending("__pycache__")
        guard let parent = try? root.directory(directory), let cache = try? root.directory(path) else { return }
        var orphans: [BytePath] = []
        try? DirectoryListing().forEach(in: cache, path: path) { name, _ throws(SystemError) in
            let name = BytePath(cString: name)
            if isStray(name) {
                orphans.append(name)
                return
            }
            guard
                let suffix = suffixes.first(where: {
                    name.count > $0.utf8.count && name.bytes.suffix($0.utf8.count).elementsEqual($0.utf8)
                })
            else { return }
            let source = BytePath.empty.appending(Array(name.bytes.dropLast(suffix.utf8.count)) + Array(".py".utf8))
            // A dangling link is not a source, and neither is a directory. If we cannot tell whether the source exists, the
            // bytecode stays.
            if parent.isSurelyMissing(source) || parent.isSurelyDirectory(source) { orphans.append(name) }
        }
        for name in orphans { _ = try? cache.removeFile(name) }
        if !orphans.isEmpty { _ = parent.removeEmptyDirectory(BytePath("__pycache__")) }
    }

    /// Whether this is the name of a leftover temporary file: its process has ended, or it is ours and no wave is
    /// running (a directory was copied while we were writing to it).
    package static func isStray(_ name: BytePath) -> Bool {
        guard name.bytes.starts(with: temporaryPrefix.utf8) else { return false }
        let digits = name.bytes.dropFirst(temporaryPrefix.utf8.count).prefix { (0x30...0x39).contains($0) }
        guard let process = Int32(String(decoding: digits, as: UTF8.self)) else { return false }
        return process == Host.processIdentifier || !Host.isAlive(process)
    }

    /// Removes the temporary files that a killed process left in the `__pycache__` of a directory.
    package static func sweepTemporaries(in directory: BytePath, root: Directory) {
        let path = directory.appending("__pycache__")
        guard let cache = try? root.directory(path) else { return }
        var left: [BytePath] = []
        try? DirectoryListing().forEach(in: cache, path: path) { name, _ throws(SystemError) in
            let name = BytePath(cString: name)
            if isStray(name) { left.append(name) }
        }
        for name in left { _ = try? cache.removeFile(name) }
    }
}
