// Writes the files of a bundle that is a directory.

import BasicTypes
import Bundling
import LinuxSystem

struct BundleFolder {
    private let root: Directory
    private let time: FileTime

    /// - Parameters:
    ///   - root: an empty directory.
    ///   - time: of all files, in seconds since 1970.
    init(_ root: Directory, time: Int64) {
        self.root = root
        self.time = FileTime(seconds: time, nanosecond: 0)
    }

    /// Writes all files with the same permissions on every machine: a layer of a container is read by another user.
    func write(_ files: [BundleFolderFile]) throws(SystemError) {
        var folders: Set<BytePath> = [.empty]
        for file in files { try makeFolder(BytePath(file.path).parent, &folders) }
        let results = ParallelSlices.map(files, sliceSize: 32, scratch: {}) { file, _ -> SystemError? in
            do throws(SystemError) {
                try write(file)
                return nil
            } catch {
                return error
            }
        }
        for case let error? in results { throw error }
        // Entries change the time of a directory, so it is set last.
        for folder in folders {
            let descriptor = try root.directory(folder).descriptor
            try descriptor.setPermissions(0o755, path: folder)
            try descriptor.setModified(time, path: folder)
        }
    }

    private func write(_ file: BundleFolderFile) throws(SystemError) {
        let path = BytePath(file.path)
        let descriptor = try root.file(path, .createNew(0o600))
        try file.bytes.withRawBytes { bytes throws(SystemError) in try descriptor.writeAll(bytes, path: path) }
        try descriptor.setPermissions(file.permissions, path: path)
        try descriptor.setModified(time, path: path)
    }

    private func makeFolder(_ path: BytePath, _ folders: inout Set<BytePath>) throws(SystemError) {
        guard folders.insert(path).inserted else { return }
        try makeFolder(path.parent, &folders)
        _ = try root.directory(path.parent).makeDirectory(BytePath.empty.appending(path.lastComponent))
    }
}
