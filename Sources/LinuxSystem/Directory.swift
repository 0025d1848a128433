// Open directories: opening files below them (openat2(2)), and other calls with names relative to a directory.

import BasicTypes
import CLinuxShims
import Glibc

/// How a file is opened.
package enum OpenMode: Sendable {
    case read
    case readWrite
    /// Append; created with these permissions if missing.
    case append(UInt32)
    /// Create with these permissions. Fails if the name exists, even as a link.
    case createNew(UInt32)

    fileprivate var flags: Int32 {
        switch self {
        // A FIFO in place of a file must not block.
        case .read: O_RDONLY | O_NONBLOCK
        case .readWrite: O_RDWR | O_NONBLOCK
        case .append: O_RDWR | O_APPEND | O_CREAT
        case .createNew: O_WRONLY | O_CREAT | O_EXCL
        }
    }

    fileprivate var permissions: UInt32 {
        switch self {
        case .read, .readWrite: 0
        case .append(let permissions), .createNew(let permissions): permissions
        }
    }
}

/// An open directory. Names are relative to it, even if the path under which it was opened changes.
package final class Directory: Sendable {
    package let descriptor: OwnedDescriptor

    private init(_ descriptor: Int32) {
        self.descriptor = OwnedDescriptor(descriptor)
    }

    private static let openFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC

    /// Opens any path, following links. For roots that the user named.
    package init(path: BytePath) throws(SystemError) {
        let raw = try retrying("openat", path) {
            path.withCString { freshpyc_openat(AT_FDCWD, $0, Self.openFlags, 0) }
        }
        descriptor = OwnedDescriptor(raw)
    }

    /// Opens a directory below this one. No component may be a link or lead out (openat2(2); before Linux 5.6,
    /// component by component). The empty path opens this directory again.
    package func directory(_ path: BytePath) throws(SystemError) -> Directory {
        Directory(try beneath(path, flags: Self.openFlags, permissions: 0))
    }

    /// Opens a file below this directory without following any link.
    package func file(_ path: BytePath, _ mode: OpenMode) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(
            try beneath(path, flags: mode.flags | O_NOFOLLOW | O_CLOEXEC, permissions: mode.permissions))
    }

    /// Opens a file for reading, following links, since a source may be a link to another file.
    package func fileFollowingLinks(_ path: BytePath) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(
            try retrying("openat", path) {
                path.withCString {
                    freshpyc_openat(descriptor.raw, $0, OpenMode.read.flags | O_CLOEXEC | O_NOCTTY, 0)
                }
            })
    }

    private func beneath(_ path: BytePath, flags: Int32, permissions: UInt32) throws(SystemError) -> Int32 {
        let path = path.isEmpty ? BytePath(".") : path
        do throws(SystemError) {
            let resolve =
                UInt64(FRESHPYC_RESOLVE_BENEATH) | UInt64(FRESHPYC_RESOLVE_NO_SYMLINKS)
                | UInt64(FRESHPYC_RESOLVE_NO_MAGICLINKS)
            return try retrying("openat2", path) {
                path.withCString { freshpyc_openat2(descriptor.raw, $0, flags, permissions, resolve) }
            }
        } catch  where error.isUnsupported || error.code == EPERM || error.code == EAGAIN {
            // EPERM: the container's seccomp profile does not allow the call; if it is the file's own error, the walk
            // fails with it too. EAGAIN: a rename somewhere in the system raced with the lookup; the walk has no such
            // race.
            return try walk(path, flags: flags, permissions: permissions)
        }
    }

    private func walk(_ path: BytePath, flags: Int32, permissions: UInt32) throws(SystemError) -> Int32 {
        let components = path.components
        if components.contains(where: { $0.elementsEqual([0x2E, 0x2E]) }) {
            throw SystemError("openat", path, .leadsOutOfDirectory)
        }
        var current = descriptor
        for component in components.dropLast() {
            guard let name = BytePath(component) else { throw SystemError("openat", path, .malformedName) }
            current = OwnedDescriptor(
                try retrying("openat", path) {
                    name.withCString { freshpyc_openat(current.raw, $0, Self.openFlags | O_NOFOLLOW, 0) }
                })
        }
        guard let name = components.last.flatMap({ BytePath($0) }) else {
            throw SystemError("openat", path, .malformedName)
        }
        return try retrying("openat", path) {
            name.withCString { freshpyc_openat(current.raw, $0, flags | O_NOFOLLOW, permissions) }
        }
    }

    /// The status (stat(2)) of a name below this directory; `nil` if there is no such file.
    package func status(_ path: BytePath, followsLinks: Bool) throws(SystemError) -> FileStatus? {
        try path.withCString { pointer throws(SystemError) in try status(pointer, followsLinks: followsLinks) }
    }

    /// Whether there is certainly no file of this name, nor at the target of a link. False if that cannot be
    /// determined.
    package func isSurelyMissing(_ path: BytePath) -> Bool {
        do throws(SystemError) {
            return try status(path, followsLinks: true) == nil
        } catch {
            return false
        }
    }

    /// Whether this is certainly a directory, or a link to one. False if that cannot be determined.
    package func isSurelyDirectory(_ path: BytePath) -> Bool {
        (try? status(path, followsLinks: true))?.kind == .directory
    }

    /// The status (stat(2)) of a name given as a C string; `nil` if there is no such file.
    package func status(_ name: UnsafePointer<CChar>, followsLinks: Bool) throws(SystemError) -> FileStatus? {
        var raw = Glibc.stat()
        do throws(SystemError) {
            _ = try retrying("stat", BytePath(cString: name)) {
                fstatat(descriptor.raw, name, &raw, followsLinks ? 0 : AT_SYMLINK_NOFOLLOW)
            }
            return FileStatus(raw)
        } catch  where error.isMissing {
            return nil
        }
    }

    /// Creates one directory; `false` if the name exists.
    package func makeDirectory(_ name: BytePath, permissions: UInt32 = 0o777) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try retrying("mkdir", name) { name.withCString { mkdirat(descriptor.raw, $0, permissions) } }
            return true
        } catch  where error.alreadyExists {
            return false
        }
    }

    /// Renames within this directory, replacing any file of the new name.
    package func rename(_ old: BytePath, to new: BytePath) throws(SystemError) {
        _ = try retrying("rename", new) {
            old.withCString { from in
                new.withCString { to in renameat(descriptor.raw, from, descriptor.raw, to) }
            }
        }
    }

    /// Removes a file; `false` if there was none.
    package func removeFile(_ name: BytePath) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try retrying("unlink", name) { name.withCString { unlinkat(descriptor.raw, $0, 0) } }
            return true
        } catch  where error.isMissing {
            return false
        }
    }

    /// Removes an empty directory; `false` if it could not be removed.
    package func removeEmptyDirectory(_ name: BytePath) -> Bool {
        (try? retrying("rmdir", name) { name.withCString { unlinkat(descriptor.raw, $0, AT_REMOVEDIR) } }) != nil
    }
}
