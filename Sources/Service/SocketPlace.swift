// The possible locations of a root's control socket.

import BasicTypes
import LinuxSystem

/// A place where the socket of a root is or may be.
package struct SocketPlace {
    package let directory: Directory
    package let name: BytePath
    /// The whole path, for messages and for `SocketRecord`.
    package let path: BytePath

    /// The places where a daemon may listen, the preferred one first: the user's runtime directory (XDG Base Directory
    /// Specification), else the database's directory.
    ///
    /// - Parameter stateDirectory: the directory that `--state-dir` names; `nil` for `.freshpyc` in the root.
    package static func toListen(root: BytePath, stateDirectory: BytePath?) -> [SocketPlace] {
        if let runtime = runtimeDirectory { _ = try? Host.makeDirectory(runtime, permissions: 0o700) }
        return standard(root: root, stateDirectory: stateDirectory)
    }

    /// The places where a daemon may be listening. They include the one that it has recorded, because its runtime directory
    /// may differ from ours, or we may have none (in a cron job, for example).
    package static func toConnect(root: BytePath, stateDirectory: BytePath?) -> [SocketPlace] {
        var places = standard(root: root, stateDirectory: stateDirectory)
        if let recorded = SocketRecord.read(in: stateDirectory ?? root.appending(".freshpyc")),
            recorded.parent != runtimeDirectory,
            recorded.lastComponent.elementsEqual(fileName(root, stateDirectory).bytes),
            let place = shared(recorded.parent, root, stateDirectory)
        {
            places.append(place)
        }
        return places
    }

    private static func standard(root: BytePath, stateDirectory: BytePath?) -> [SocketPlace] {
        var places: [SocketPlace] = []
        if let runtime = runtimeDirectory, let place = shared(runtime, root, stateDirectory) { places.append(place) }
        let own = stateDirectory ?? root.appending(".freshpyc")
        if let directory = try? Directory(path: own) {
            let name = BytePath("socket")
            places.append(SocketPlace(directory: directory, name: name, path: own.appending(name)))
        }
        return places
    }

    private static var runtimeDirectory: BytePath? {
        guard let runtime = Host.environment("XDG_RUNTIME_DIR"), runtime.isAbsolute else { return nil }
        return runtime.appending("freshpyc")
    }

    /// A place in a directory that holds the sockets of all of the user's daemons.
    private static func shared(_ path: BytePath, _ root: BytePath, _ stateDirectory: BytePath?) -> SocketPlace? {
        guard isSafe(path), let directory = try? Directory(path: path) else { return nil }
        let name = fileName(root, stateDirectory)
        return SocketPlace(directory: directory, name: name, path: path.appending(name))
    }

    /// Whether a directory is ours alone and not a link. Anyone who could write there could pose as the daemon.
    private static func isSafe(_ path: BytePath) -> Bool {
        guard let status = try? Host.status(path, followsLinks: false) else { return false }
        return status.kind == .directory && status.owner == UnixSocket.user && status.permissions & 0o077 == 0
    }

    /// A hash, because the path of a root may be too long for a file name. It depends on the state directory too, because a
    /// root may have one daemon for each.
    private static func fileName(_ root: BytePath, _ stateDirectory: BytePath?) -> BytePath {
        var bytes = Array(root.bytes)
        if let stateDirectory {
            let real = (try? Host.realPath(stateDirectory)) ?? stateDirectory
            if real != root.appending(".freshpyc") { bytes += [0] + Array(real.bytes) }
        }
        let (high, low) = bytes.withUnsafeBytes { SipHash.hash128($0, key: (0, 0)) }
        return BytePath(String(high, radix: 16) + String(low, radix: 16) + ".sock")
    }
}
