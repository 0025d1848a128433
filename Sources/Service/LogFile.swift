// The log of a daemon in the background.

import BasicTypes
import BuildModel
import LinuxSystem

/// `log` in the database's directory. At 1 MiB it is renamed to `log.1`, and a new one is started.
package final class LogFile {
    private static let name = BytePath("log")
    private static let oldName = BytePath("log.1")
    private static let mostBytes = 1 << 20

    private let path: BytePath
    private var directory: Directory?
    private var file: OwnedDescriptor?
    private var size = 0

    /// - Parameter directory: need not exist yet.
    package init(directory: BytePath) {
        path = directory
    }

    /// Appends a line with the time in UTC (RFC 3339). A log that cannot be written does not stop the daemon.
    package func write(_ line: String) {
        guard let file = open() else { return }
        let bytes = Array("\(time) \(line)\n".utf8)
        do throws(SystemError) {
            try bytes.withRawBytes { buffer throws(SystemError) in try file.writeAll(buffer, path: Self.name) }
            size += bytes.count
            guard size > Self.mostBytes else { return }
            try directory?.rename(Self.name, to: Self.oldName)
            self.file = nil
            size = 0
        } catch {
            self.file = nil
        }
    }

    private var time: String { CalendarTime(seconds: UInt32(clamping: Host.realtime / 1_000_000_000)).rfc3339 }

    private func open() -> OwnedDescriptor? {
        if let file { return file }
        if directory == nil { directory = try? Directory(path: path) }
        file = try? directory?.file(Self.name, .append(0o600))
        size = Int(clamping: (try? file?.status())?.stamp.size ?? 0)
        return file
    }
}
