// A client's end of the control socket: one request, one answer, a deadline.

import BasicTypes
import Documents
import LinuxSystem

/// Why a request has no answer.
package enum ControlFailure: Error, Sendable {
    case timeout
    case disconnected
    /// The daemon does not answer at all: its process is stopped or hangs.
    case silent(process: Int32)
    case refused(ControlError)
}

/// A connection to the daemon of a root.
package final class ControlClient {
    /// After this many nanoseconds without an answer, the client asks the daemon for its status. The daemon has the same
    /// time to answer that.
    private static let patience: Int64 = 10_000_000_000

    private let root: BytePath
    private let stateDirectory: BytePath?
    private let connection: OwnedDescriptor
    private var received: [UInt8] = []

    private init(_ connection: OwnedDescriptor, root: BytePath, stateDirectory: BytePath?) {
        self.connection = connection
        self.root = root
        self.stateDirectory = stateDirectory
    }

    /// Connects to the daemon of a root; `nil` if there is none. Only a daemon of the same user, or of root, is trusted.
    package static func connect(root: BytePath, stateDirectory: BytePath?) -> ControlClient? {
        for place in SocketPlace.toConnect(root: root, stateDirectory: stateDirectory) {
            guard let connection = (try? UnixSocket.connect(place.directory, place.name)) ?? nil,
                let user = try? UnixSocket.peer(connection), user == UnixSocket.user || user == 0
            else { continue }
            return ControlClient(connection, root: root, stateDirectory: stateDirectory)
        }
        return nil
    }

    /// Sends a request and waits for the answer.
    ///
    /// - Parameter timeout: nanoseconds; `nil` to wait as long as the daemon is alive.
    package func ask<Result: Codable & Sendable>(
        _ request: ControlRequest, for _: Result.Type = Result.self, timeout: Int64? = nil
    ) throws(ControlFailure) -> Result {
        let line = Array(JSONLine.encode(request).utf8)
        // The daemon would close the connection before we have sent everything, and its reason might be lost.
        guard line.count <= ControlRequest.longestLine else { throw .refused(.tooLong) }
        let begun = Host.monotonic
        do throws(SystemError) {
            try line.withRawBytes { bytes throws(SystemError) in try connection.writeAll(bytes) }
        } catch {
            throw .disconnected
        }
        guard let bytes = try nextLine(begun: begun, timeout: timeout),
            let reply = JSONLine.decode(ControlReply<Result>.self, bytes)
        else { throw .disconnected }
        if let error = reply.error { throw .refused(error) }
        guard let result = reply.result else { throw .disconnected }
        return result
    }

    private func nextLine(begun: Int64, timeout: Int64?) throws(ControlFailure) -> [UInt8]? {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(received[..<end])
                received.removeFirst(end + 1)
                return line
            }
            do throws(SystemError) {
                let rest = timeout.map { $0 - (Host.monotonic - begun) } ?? Self.patience
                guard rest > 0, try connection.waitUntilReadable(nanoseconds: rest) else {
                    throw SystemError("poll", .empty, .timedOut)
                }
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in
                    try connection.read(into: bytes)
                }
                if count == 0 { return nil }
                received += buffer[..<count]
            } catch {
                guard error.refusal == .timedOut else { throw .disconnected }
                if timeout != nil { throw .timeout }
                if isSilent { throw .silent(process: process) }
            }
        }
    }

    /// The process of the daemon; 0 if that is unknown.
    private var process: Int32 { (try? UnixSocket.peerProcess(connection)) ?? 0 }

    /// Whether the daemon does not even answer `status`, which it can answer at any time, even during a long build.
    private var isSilent: Bool {
        guard let other = Self.connect(root: root, stateDirectory: stateDirectory) else { return false }
        do throws(ControlFailure) {
            _ = try other.ask(ControlRequest(.status), for: StatusDocument.self, timeout: Self.patience)
            return false
        } catch {
            if case .timeout = error { return true }
            return false
        }
    }

    /// Throws if the daemon does not answer at all.
    package func requireAnswers() throws(ControlFailure) {
        if isSilent { throw .silent(process: process) }
    }
}
