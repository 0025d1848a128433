// Stores equal bytecode of several levels once, with hard links. Compares only files of one source and interpreter.

import BasicTypes
import LinuxSystem

package enum DuplicateLinks {
    /// Replaces each file that equals the one before it by a hard link to that one.
    ///
    /// - Parameter places: the files of one source and interpreter, by level.
    /// - Returns: the number of files replaced.
    @discardableResult
    package static func make(_ places: [BatchPlace]) -> Int {
        var linked = 0
        var previous: (place: BatchPlace, bytes: [UInt8])?
        for place in places {
            guard let bytes = contents(place) else { continue }
            if let previous, previous.bytes == bytes, replace(place, by: previous.place) { linked += 1 }
            previous = (place, bytes)
        }
        return linked
    }

    private static func contents(_ place: BatchPlace) -> [UInt8]? {
        try? place.directory.file(place.path, .read).readAll(
            expected: 65_536, limit: Int(Int32.max), path: place.path)
    }

    /// Replaces by a rename, so that the name always exists.
    private static func replace(_ place: BatchPlace, by other: BatchPlace) -> Bool {
        do throws(SystemError) {
            let directory = try place.directory.directory(place.path.parent)
            let name = BytePath.empty.appending(place.path.lastComponent)
            let existing = BytePath.empty.appending(other.path.lastComponent)
            let status = try (
                directory.status(name, followsLinks: false), directory.status(existing, followsLinks: false)
            )
            if status.0?.stamp.inode == status.1?.stamp.inode { return false }
            try FileReplacement(name, in: directory).link(to: existing)
            return true
        } catch {
            // File systems without hard links keep two files.
            return false
        }
    }
}
