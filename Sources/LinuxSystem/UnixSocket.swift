// Unix sockets (unix(7)): listening, connecting, and identifying the peer.

import BasicTypes
import CLinuxShims
import Glibc

package enum UnixSocket {
    /// A socket's path must fit into 108 bytes with its terminator, so sockets are addressed through the descriptor of
    /// their directory (`/proc/self/fd/N/name`).
    private static func withAddress<Result>(
        _ directory: Directory, _ name: BytePath,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try withAddress(BytePath("/proc/self/fd/\(directory.descriptor.raw)").appending(name), body)
    }

    private static func withAddress<Result>(
        _ path: BytePath, isAbstract: Bool = false,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.bytes)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("bind", path, .socketPathTooLong)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        // An abstract name begins with NUL and is delimited by the address length (unix(7)).
        if isAbstract { withUnsafeMutableBytes(of: &address.sun_path) { $0[0] = 0 } }
        let offset = MemoryLayout<sa_family_t>.size
        let length = isAbstract ? offset + bytes.count : MemoryLayout<sockaddr_un>.size
        // The structure begins like `sockaddr` (sockaddr(3type)).
        return try withUnsafePointer(to: address) { pointer throws(SystemError) in
            try body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), socklen_t(length))
        }
    }

    private static func make(_ kind: Int32, isBlocking: Bool) throws(SystemError) -> OwnedDescriptor {
        let flags = kind | Int32(SOCK_CLOEXEC.rawValue) | (isBlocking ? 0 : Int32(SOCK_NONBLOCK.rawValue))
        return OwnedDescriptor(try retrying("socket") { socket(AF_UNIX, flags, 0) })
    }

    private static let stream = Int32(SOCK_STREAM.rawValue)
    private static let datagram = Int32(SOCK_DGRAM.rawValue)

    /// Listens at a name in a directory. Removes any file of that name first, so the caller must hold a lock that keeps
    /// others from listening there. Only the owner can connect.
    package static func listen(_ directory: Directory, _ name: BytePath) throws(SystemError) -> OwnedDescriptor {
        _ = try directory.removeFile(name)
        let listener = try make(stream, isBlocking: false)
        // A socket gets its permissions from the umask when it is bound.
        let mask = umask(0o177)
        defer { umask(mask) }
        try withAddress(directory, name) { address, length throws(SystemError) in
            _ = try retrying("bind", name) { bind(listener.raw, address, length) }
        }
        _ = try retrying("listen", name) { Glibc.listen(listener.raw, 128) }
        return listener
    }

    /// The next connection, non-blocking; `nil` if none is waiting.
    package static func accept(_ listener: OwnedDescriptor) throws(SystemError) -> OwnedDescriptor? {
        do throws(SystemError) {
            return OwnedDescriptor(try retrying("accept") { freshpyc_accept(listener.raw) })
        } catch  where error.wouldBlock || error.code == ECONNABORTED {
            return nil
        }
    }

    /// Connects, blocking; `nil` if nobody listens there.
    package static func connect(_ directory: Directory, _ name: BytePath) throws(SystemError) -> OwnedDescriptor? {
        let connection = try make(stream, isBlocking: true)
        do throws(SystemError) {
            try withAddress(directory, name) { address, length throws(SystemError) in
                _ = try retrying("connect", name) { Glibc.connect(connection.raw, address, length) }
            }
            return connection
        } catch  where error.isMissing || error.code == ECONNREFUSED {
            return nil
        }
    }

    /// The process at the other end, as recorded by the kernel at listen(2) (SO_PEERCRED).
    package static func peerProcess(_ connection: OwnedDescriptor) throws(SystemError) -> Int32 {
        Int32(truncatingIfNeeded: try retrying("getsockopt") { freshpyc_peer_process(connection.raw) })
    }

    /// The user at the other end, as recorded by the kernel at connect(2) (SO_PEERCRED).
    package static func peer(_ connection: OwnedDescriptor) throws(SystemError) -> UInt32 {
        UInt32(try retrying("getsockopt") { freshpyc_peer_user(connection.raw) })
    }

    /// The user of this process.
    package static var user: UInt32 { geteuid() }

    /// Sends one datagram to a path, or to an abstract name if it begins with `@`, as sd_notify(3) does.
    package static func send(_ text: String, to path: BytePath) throws(SystemError) {
        let sender = try make(datagram, isBlocking: true)
        let bytes = Array(text.utf8)
        try withAddress(path, isAbstract: path.bytes.first == UInt8(ascii: "@")) {
            address, length throws(SystemError) in
            _ = try retrying("sendto", path) {
                sendto(sender.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }
}
