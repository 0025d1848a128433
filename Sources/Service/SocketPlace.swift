// Where the control socket of a root lies.
// Knows: $XDG_RUNTIME_DIR and what makes a directory safe. Does not know: what is said over the socket.

import BasicTypes
import LinuxSystem

/// The place of a root's socket.
package struct SocketPlace {
    package let directory: Directory
    package let name: BytePath
    /// For people.
    package let path: BytePath

    /// The places where the socket of a root may be, the preferred one first: the user's runtime directory
    /// (XDG Base Directory Specification), else the database's directory.
    ///
    /// - Parameters:
    ///   - isServer: whether directories are made.
    ///   - fallback: `.freshpyc` in the root, or what `--state-dir` names.
    package static func candidates(root: BytePath, fallback: BytePath, isServer: Bool) -> [SocketPlace] {
        var places: [SocketPlace] = []
        if let runtime = Host.environment("XDG_RUNTIME_DIR"), runtime.isAbsolute {
            let path = runtime.appending("freshpyc")
            if isServer { _ = try? Host.makeDirectory(path, permissions: 0o700) }
            if isSafe(path), let directory = try? Directory(path: path) {
                let name = BytePath(fileName(root))
                places.append(SocketPlace(directory: directory, name: name, path: path.appending(name)))
            }
        }
        if let directory = try? Directory(path: fallback) {
            let name = BytePath("socket")
            places.append(SocketPlace(directory: directory, name: name, path: fallback.appending(name)))
        }
        return places
    }

    /// Ours alone, and no link: whoever could write there could answer in our place.
    private static func isSafe(_ path: BytePath) -> Bool {
        guard let status = try? Host.status(path, followsLinks: false) else { return false }
        return status.kind == .directory && status.owner == UnixSocket.user && status.permissions & 0o077 == 0
    }

    /// A root's path may be longer than a name; its hash is not.
    private static func fileName(_ root: BytePath) -> String {
        let (high, low) = Array(root.bytes).withUnsafeBytes { SipHash.hash128($0, key: (0, 0)) }
        return String(high, radix: 16) + String(low, radix: 16) + ".sock"
    }
}
