// The daemon's end of the control socket: connections, lines, limits, and who may connect.

import BasicTypes
import Documents
import FoundationEssentials
import LinuxSystem

/// Accepts connections and passes requests on. A client that misbehaves does not affect others.
package final class ControlServer {
    /// One client.
    package final class Connection {
        fileprivate let descriptor: OwnedDescriptor
        fileprivate var reader: EventLoop.Source?
        fileprivate var writer: EventLoop.Source?
        fileprivate var received: [UInt8] = []
        fileprivate var unsent: [UInt8] = []
        package fileprivate(set) var isClosed = false
        /// The number of requests that wait for an answer.
        var openQuestions = 0
        /// When the client last sent something, in nanoseconds of the monotonic clock.
        fileprivate var lastUsed = Host.monotonic
        /// Whether the client gets an event for each wave.
        package var isSubscribed = false
        fileprivate weak var server: ControlServer?

        fileprivate init(_ descriptor: OwnedDescriptor) {
            self.descriptor = descriptor
        }

        /// Sends a line. The connection of a client that does not read is closed once too much is pending.
        package func send(_ line: String) {
            guard !isClosed, let server else { return }
            unsent += Array(line.utf8)
            server.flush(self)
            if unsent.count > ControlServer.mostPendingOutput { server.close(self) }
        }
    }

    private static let longestLine = ControlRequest.longestLine
    /// In bytes. The graph of a tree of 10,000 sources takes about 10 MiB.
    private static let mostPendingOutput = 64 << 20
    private static let mostConnections = 256
    /// How long to wait after `accept` has failed, in nanoseconds.
    private static let pause: Int64 = 200_000_000

    private let loop: EventLoop
    private let listener: OwnedDescriptor
    private let place: SocketPlace
    /// The file of the socket when it was created. Another daemon may have replaced it since.
    private let file: FileStatus?
    private var source: EventLoop.Source?
    private var connections: [ObjectIdentifier: Connection] = [:]
    private let handle: (ControlRequest, Connection) -> Void

    /// Listens at the first place that works. The caller holds the lock on the database, so no other daemon listens there.
    package init(
        loop: EventLoop, places: [SocketPlace], handle: @escaping (ControlRequest, Connection) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.handle = handle
        var failure = SystemError("listen", code: SystemError.noSuchFile)
        for place in places {
            do throws(SystemError) {
                listener = try UnixSocket.listen(place.directory, place.name)
                self.place = place
                file = (try? place.directory.status(place.name, followsLinks: false)) ?? nil
                start()
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }

    package var path: BytePath { place.path }

    private func start() {
        source = loop.onReadable(listener) { [weak self] in self?.accept() }
    }

    /// Closes all connections, and removes the socket.
    package func stop() {
        source?.cancel()
        for connection in connections.values { close(connection) }
        let current = (try? place.directory.status(place.name, followsLinks: false)) ?? nil
        if let file, current?.stamp.inode == file.stamp.inode { _ = try? place.directory.removeFile(place.name) }
    }

    /// Sends a line to all subscribers.
    package func publish(_ line: @autoclosure () -> String) {
        let subscribed = connections.values.filter(\.isSubscribed)
        guard !subscribed.isEmpty else { return }
        let text = line()
        for connection in subscribed { connection.send(text) }
    }

    private func accept() {
        while let descriptor = next() {
            // Only this user and root may connect.
            guard let user = try? UnixSocket.peer(descriptor), user == UnixSocket.user || user == 0 else { continue }
            // Idle connections must not keep others out: close the one that has been idle the longest.
            if connections.count >= Self.mostConnections,
                let silent = connections.values.min(by: { $0.lastUsed < $1.lastUsed })
            {
                close(silent)
            }
            let connection = Connection(descriptor)
            connection.server = self
            connections[ObjectIdentifier(connection)] = connection
            connection.reader = loop.onReadable(descriptor) { [weak self, weak connection] in
                guard let self, let connection else { return }
                receive(connection)
            }
        }
    }

    /// The next connection; `nil` if none waits, or none can be accepted now.
    private func next() -> OwnedDescriptor? {
        do throws(SystemError) {
            return try UnixSocket.accept(listener)
        } catch {
            // If there are no free descriptors, the connection stays in the queue, and the listener would wake us at once.
            source = loop.after(Self.pause) { [weak self] in
                self?.start()
                self?.accept()
            }
            return nil
        }
    }

    fileprivate func close(_ connection: Connection) {
        guard !connection.isClosed else { return }
        connection.isClosed = true
        connection.reader?.cancel()
        connection.writer?.cancel()
        connections[ObjectIdentifier(connection)] = nil
    }

    private func receive(_ connection: Connection) {
        connection.lastUsed = Host.monotonic
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var hasEnded = false
        while !hasEnded, connection.received.count <= Self.longestLine {
            do throws(SystemError) {
                let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in
                    try connection.descriptor.read(into: bytes)
                }
                if count == 0 { hasEnded = true } else { connection.received += buffer[..<count] }
            } catch {
                if error.wouldBlock { break }
                hasEnded = true
            }
        }
        var rest = connection.received[...]
        while !connection.isClosed, let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(rest[..<end], connection)
            rest = rest[(end + 1)...]
        }
        connection.received = Array(rest)
        if connection.received.count > Self.longestLine {
            connection.send(JSONLine.encode(ControlReply<Acknowledgement>(id: nil, error: .tooLong)))
            close(connection)
        }
        if hasEnded { close(connection) }
    }

    private func take(_ line: ArraySlice<UInt8>, _ connection: Connection) {
        guard line.contains(where: { $0 != 0x20 && $0 != 0x0D }) else { return }
        guard let request = JSONLine.decode(ControlRequest.self, line) else {
            let isObject =
                line.first { $0 != 0x20 } == UInt8(ascii: "{") && line.last { $0 != 0x0D } == UInt8(ascii: "}")
            let error: ControlError = isObject ? .notRequest : .notJSON
            connection.send(JSONLine.encode(ControlReply<Acknowledgement>(id: nil, error: error)))
            return
        }
        handle(request, connection)
    }

    fileprivate func flush(_ connection: Connection) {
        while !connection.unsent.isEmpty {
            do throws(SystemError) {
                let count = try connection.unsent.withRawBytes { bytes throws(SystemError) in
                    try connection.descriptor.writeSome(bytes)
                }
                connection.unsent.removeFirst(count)
            } catch {
                if !error.wouldBlock { close(connection) }
                break
            }
        }
        if connection.unsent.isEmpty {
            connection.writer?.cancel()
            connection.writer = nil
        } else if connection.writer == nil, !connection.isClosed {
            connection.writer = loop.onWritable(connection.descriptor) { [weak self, weak connection] in
                guard let self, let connection else { return }
                flush(connection)
            }
        }
    }
}
