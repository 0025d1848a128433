// One inotify instance: the calls and masks of inotify(7).

import BasicTypes
import CLinuxShims
import Glibc

/// An inotify instance; not blocking.
package final class InotifyDescriptor: Sendable {
    package let descriptor: OwnedDescriptor

    package init() throws(SystemError) {
        // IN_NONBLOCK and IN_CLOEXEC are these flags of open(2), by inotify_init1(2).
        descriptor = OwnedDescriptor(try retrying("inotify_init1") { inotify_init1(O_NONBLOCK | O_CLOEXEC) })
    }

    /// What is asked of a directory.
    package enum Interest: Sendable {
        /// A directory with sources: every change of a name, of contents, of attributes.
        case sources
        /// The database's directory: cookies that are made there, and nothing else.
        case cookies
        /// A `__pycache__`: bytecode that comes, goes or is written, by whomever.
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

    /// Watches the very directory that is open, whatever its path is by now.
    ///
    /// - Returns: the watch descriptor; the one that it has already, if it is watched.
    /// - Throws: `ENOSPC` where fs.inotify.max_user_watches is reached.
    package func watch(_ directory: Directory, _ interest: Interest) throws(SystemError) -> Int32 {
        let link = BytePath("/proc/self/fd/\(directory.descriptor.raw)")
        return try retrying("inotify_add_watch", link) {
            link.withCString { inotify_add_watch(descriptor.raw, $0, interest.mask) }
        }
    }

    /// Stops a watch; one that is gone already is no error.
    package func unwatch(_ watch: Int32) {
        _ = try? retrying("inotify_rm_watch") { inotify_rm_watch(descriptor.raw, watch) }
    }
}

extension SystemError {
    /// fs.inotify.max_user_watches is reached.
    package var isOutOfWatches: Bool { operation == "inotify_add_watch" && code == ENOSPC }
    /// fs.inotify.max_user_instances, or the process's own limit of descriptors, is reached.
    package var isOutOfInstances: Bool { operation == "inotify_init1" && code == EMFILE }
}
