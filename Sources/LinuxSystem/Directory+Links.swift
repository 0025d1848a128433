// Symbolic and hard links below an open directory: readlinkat(2), symlinkat(2), linkat(2).

import BasicTypes
import Glibc

extension Directory {
    /// The target of a symbolic link, as stored.
    package func linkTarget(_ path: BytePath) throws(SystemError) -> BytePath {
        let size = Int(PATH_MAX)
        var buffer = [CChar](repeating: 0, count: size)
        let count = try retrying("readlink", path) {
            path.withCString { readlinkat(descriptor.raw, $0, &buffer, size) }
        }
        guard let target = BytePath(buffer[..<count].map { UInt8(bitPattern: $0) }) else {
            throw SystemError("readlink", path, .malformedName)
        }
        return target
    }

    /// Creates a symbolic link; `false` if the name exists.
    package func makeLink(_ path: BytePath, to target: BytePath) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try retrying("symlink", path) {
                target.withCString { target in path.withCString { symlinkat(target, descriptor.raw, $0) } }
            }
            return true
        } catch  where error.alreadyExists {
            return false
        }
    }

    /// Creates a hard link to a file; both paths are relative to this directory. Does not follow a symbolic link at
    /// `existing`.
    package func makeHardLink(_ path: BytePath, to existing: BytePath) throws(SystemError) {
        _ = try retrying("link", path) {
            existing.withCString { existing in
                path.withCString { linkat(descriptor.raw, existing, descriptor.raw, $0, 0) }
            }
        }
    }
}
