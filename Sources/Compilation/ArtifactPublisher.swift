// Writing bytecode: whole or not at all, and never through a link.
// Knows: temporary files, renames, restamping in place, removing. Does not know: why.

import BasicTypes
import BuildModel
import FileWatching
import LinuxSystem

/// Writes artifacts below a root. One for each thread: it keeps the last directories open.
package final class ArtifactPublisher {
    /// What temporary files begin with.
    package static let temporaryPrefix = FileReplacement.temporaryPrefix
    private static let mostOpen = 32

    private let root: Directory
    private let makesDirectories: Bool
    private var open: [BytePath: Directory] = [:]

    /// - Parameter makesDirectories: whether all directories above an artifact are made where they are missing. Where they
    ///   should be there, a `__pycache__` alone is.
    package init(root: Directory, makesDirectories: Bool = false) {
        self.root = root
        self.makesDirectories = makesDirectories
    }

    /// The directory that holds an artifact, made where it is missing.
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
        if open.count >= Self.mostOpen { open.removeAll() }
        open[path] = directory
        return directory
    }

    /// Puts a file into place.
    ///
    /// - Parameters:
    ///   - path: relative to the root.
    ///   - permissions: of the source; as import does, the file is writable for its owner and executable for none.
    ///   - modified: the file's time in nanoseconds since 1970; `nil` for now.
    /// - Returns: the file's stamp once it is in place.
    @discardableResult
    package func publish(
        _ path: BytePath, header: [UInt8], body: [UInt8], permissions: UInt32, modified: Int64? = nil
    ) throws(SystemError) -> Stamp {
        do throws(SystemError) {
            return try attempt(path, header: header, body: body, permissions: permissions, modified: modified)
        } catch  where error.isMissing && !error.isNotDirectory && open[path.parent] != nil {
            // The directory that we had open was deleted; another may have its name.
            open[path.parent] = nil
            return try attempt(path, header: header, body: body, permissions: permissions, modified: modified)
        }
    }

    private func attempt(
        _ path: BytePath, header: [UInt8], body: [UInt8], permissions: UInt32, modified: Int64?
    ) throws(SystemError) -> Stamp {
        let directory = try directory(path.parent)
        let name = BytePath.empty.appending(path.lastComponent)
        let file = try FileReplacement(name, in: directory, path: path).write(
            FileReplacement.Options(permissions: (permissions | 0o200) & 0o666, modified: modified)
        ) { file throws(SystemError) in try file.writeAll(header, body, path: path) }
        // Renaming changes the file's ctime, so its stamp is taken afterwards.
        return try file.status(path).stamp
    }

    /// Gives an artifact another time and size in its header, in place: eight bytes in one write, which no reader and
    /// no crash can see halves of.
    ///
    /// - Returns: the new stamp, or `nil` where the file is not the one that we published or has several hard links,
    ///   whose other names belong to somebody else.
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

    /// Gives an artifact another header of the same length, in place: all but the magic number, in one write.
    ///
    /// - Parameters:
    ///   - file: open to read and write.
    ///   - stamp: what it had when it was looked at.
    /// - Returns: `false` where somebody has written to it since, or it has several hard links.
    package static func reseal(
        _ file: OwnedDescriptor, _ path: BytePath, stamp: Stamp, header: [UInt8], modified: Int64?
    ) throws(SystemError) -> Bool {
        let status = try file.status(path)
        guard status.stamp == stamp, status.links == 1, status.kind == .regular, header.count > 4 else { return false }
        try file.writeAll(Array(header[4...]), at: 4, path: path)
        if let modified { try file.setModified(modified, path: path) }
        return true
    }

    /// Removes an artifact, and its `__pycache__` where that was the last file in it. Does nothing where there is none.
    package func remove(_ path: BytePath) throws(SystemError) {
        do throws(SystemError) {
            let directory = try root.directory(path.parent)
            guard try directory.removeFile(BytePath.empty.appending(path.lastComponent)) else { return }
        } catch  where error.isMissing || error.isLoop {
            // Behind a link (ELOOP) lies what is not ours.
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

    /// Removes bytecode of these kinds from a `__pycache__` where its source is not there.
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
            // A link that leads nowhere is no source. Where nobody can say, the bytecode stays.
            if parent.isSurelyMissing(source) { orphans.append(name) }
        }
        for name in orphans { _ = try? cache.removeFile(name) }
        if !orphans.isEmpty { _ = parent.removeEmptyDirectory(BytePath("__pycache__")) }
    }

    /// Whether a name is that of a temporary file which nobody will rename any more: left by a process that is gone, or
    /// ours, seen between two waves (somebody has copied a folder while we wrote in it).
    package static func isStray(_ name: BytePath) -> Bool {
        guard name.bytes.starts(with: temporaryPrefix.utf8) else { return false }
        let digits = name.bytes.dropFirst(temporaryPrefix.utf8.count).prefix { (0x30...0x39).contains($0) }
        guard let process = Int32(String(decoding: digits, as: UTF8.self)) else { return false }
        return process == Host.processIdentifier || !Host.isAlive(process)
    }

    /// Removes temporary files that a killed process has left in a `__pycache__`.
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
