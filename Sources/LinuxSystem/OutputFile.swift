// Writes files that the user named for output.

import BasicTypes
import CLinuxShims
import Glibc

package enum OutputFile {
    /// Writes a whole file. A regular file is replaced atomically and keeps its permissions. Anything else
    /// (`/dev/null`, `/dev/stdout`, a FIFO, a link) is written into, because replacing it would destroy it.
    ///
    /// Opening a FIFO blocks until it has a reader.
    package static func write(_ contents: [UInt8], to path: BytePath) throws(SystemError) {
        let status = try Host.status(path, followsLinks: false)
        guard let status, status.kind != .regular else {
            let directory = try Directory(path: path.parent.isEmpty ? BytePath(".") : path.parent)
            try FileReplacement(BytePath.empty.appending(path.lastComponent), in: directory, path: path)
                .write(contents, FileReplacement.Options(permissions: status?.permissions ?? 0o666))
            return
        }
        let file = OwnedDescriptor(
            try retrying("openat", path) {
                path.withCString {
                    freshpyc_openat(AT_FDCWD, $0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0o666)
                }
            })
        try contents.withRawBytes { bytes throws(SystemError) in try file.writeAll(bytes, path: path) }
    }
}
