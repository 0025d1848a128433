// `daemon.json` in the database's directory: where the daemon of this database listens.

import BasicTypes
import Documents
import FoundationEssentials
import LinuxSystem

/// The location of a daemon's socket, recorded for clients that would not find it otherwise.
package struct SocketRecord: Codable, Sendable {
    package var schema = 1
    package var process: Int32
    /// The socket's path.
    package var socket: String

    private static let name = BytePath("daemon.json")

    /// `nil` for a path that JSON cannot hold.
    package init?(process: Int32, path: BytePath) {
        guard let text = path.exactText else { return nil }
        self.process = process
        socket = text
    }

    /// Writes the record. Failures are ignored: clients with the same environment find the daemon without it.
    package func write(in directory: Directory) {
        let bytes = Array(JSONLine.encode(self).utf8)
        do throws(SystemError) {
            _ = try directory.removeFile(Self.name)
            let file = try directory.file(Self.name, .createNew(0o600))
            try bytes.withRawBytes { buffer throws(SystemError) in try file.writeAll(buffer, path: Self.name) }
        } catch {
            _ = try? directory.removeFile(Self.name)
        }
    }

    package static func remove(in directory: Directory) {
        _ = try? directory.removeFile(name)
    }

    /// The path of the socket, if the record is a file of ours. A tree may come from anywhere, so the caller must not
    /// connect to a path just because it is named here.
    package static func read(in directory: BytePath) -> BytePath? {
        let path = directory.appending(name)
        guard let status = try? Host.status(path, followsLinks: false), status.kind == .regular,
            status.owner == UnixSocket.user, let bytes = Host.contents(path, limit: 1 << 16),
            let record = JSONLine.decode(SocketRecord.self, bytes)
        else { return nil }
        let socket = BytePath(record.socket)
        return socket.isAbsolute ? socket : nil
    }
}
