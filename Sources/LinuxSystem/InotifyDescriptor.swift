// One inotify instance: the calls and masks of inotify(7).

import BasicTypes
import CLinuxShims
import Glibc

/// An inotify instance; non-blocking.
package final class InotifyDescriptor: Sendable {
    package let descriptor: OwnedDescriptor

    package init() throws(SystemError) {
        // inotify_init1(2) defines IN_NONBLOCK and IN_CLOEXEC as these flags of open(2).
        descriptor = OwnedDescriptor(try retrying("inotify_init1") { inotify_init1(O_NONBLOCK | O_CLOEXEC) })
    }

    /// Which changes of a directory send events.
    package enum Interest: Sendable {
        /// A directory with sources: all changes of names, contents and attributes.
        case sources
        /// The database's directory: only new files, which are cookies.
        case cookies
        /// A `__pycache__`: bytecode that is added, removed or written.
        case artifacts

        fileprivate var mask: UInt32 {
            switch self {
            case .sources:
                UInt32(
                    IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
                        | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK)
            case .cookies:
                UInt32(IN_CREATE) | UInt32(IN_ONLYDIR)
            case .artifacts:
                UInt32(IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF)
                    | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK)
            }
        }
    }

    /// Watches an open directory, whatever its current path.
    ///
    /// - Returns: the watch descriptor, which is the existing one if the directory is already watched.
    /// - Throws: `ENOSPC` if fs.inotify.max_user_watches is reached.
    package func watch(_ directory: Directory, _ interest: Interest) throws(SystemError) -> Int32 {
        let link = BytePath("/proc/self/fd/\(directory.descriptor.raw)")
        return try retrying("inotify_add_watch", link) {
            link.withCString { inotify_add_watch(descriptor.raw, $0, interest.mask) }
        }
    }

    /// Stops a watch. It is not an error if the kernel has already removed it.
    package func unwatch(_ watch: Int32) {
        _ = try? retrying("inotify_rm_watch") { inotify_rm_watch(descriptor.raw, watch) }
    }
}

extension SystemError {
    /// fs.inotify.max_user_watches is reached.
    package var isOutOfWatches: Bool { operation == "inotify_add_watch" && code == ENOSPC }
    /// fs.inotify.max_user_instances or the process's limit of descriptors is reached.
    package var isOutOfInstances: Bool { operation == "inotify_init1" && code == EMFILE }
}
