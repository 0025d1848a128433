// A system call that failed, as a value.
// Knows: which call, on what, and errno. Does not know: what the caller wanted with it.

import BasicTypes
import Glibc

/// A failed system call.
package struct SystemError: Error, Hashable, Sendable {
    /// The call's name, as its man page has it.
    package let operation: String
    /// What it was about; empty where there is no path.
    package let path: BytePath
    /// From errno(3).
    package let code: Int32

    package init(_ operation: String, _ path: BytePath = .empty, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// With the `errno` that the call just made has left.
    static func last(_ operation: String, _ path: BytePath = .empty) -> SystemError {
        SystemError(operation, path, code: errno)
    }

    /// strerror(3), beginning with a small letter: it follows a colon.
    package var reason: String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let message = String(decoding: text, as: UTF8.self)
        return message.prefix(1).lowercased() + message.dropFirst()
    }

    package static let noSuchFile = ENOENT
    package static let isDirectory = EISDIR
    /// For a place that must be another.
    package static let sameFile = EXDEV
    /// For what is neither a regular file nor a directory.
    package static let isNoFile = EINVAL
    /// For a wait of our own that was in vain.
    package static let timedOut = SystemError("poll", code: ETIMEDOUT)
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    package var isDenied: Bool { code == EACCES || code == EPERM }
    package var isLoop: Bool { code == ELOOP }
    package var alreadyExists: Bool { code == EEXIST }
    package var isNotDirectory: Bool { code == ENOTDIR }
    package var isReadOnly: Bool { code == EROFS }
    package var wouldBlock: Bool { code == EAGAIN }
    package var isUnsupported: Bool { code == ENOSYS }
    package var isBrokenPipe: Bool { code == EPIPE }
    package var isTooLong: Bool { code == ENAMETOOLONG }
}

extension SystemError: CustomStringConvertible {
    /// `a/b.py: permission denied`
    package var description: String {
        path.isEmpty ? "\(operation): \(reason)" : "\(path): \(reason)"
    }
}

/// The funnel: every call that can be interrupted goes through here.
///
/// - Returns: the call's result, never negative.
/// - Throws: `SystemError` for any `errno` but `EINTR`, which means: again.
@inline(__always)
func retrying<Result: SignedInteger>(
    _ operation: @autoclosure () -> String, _ path: @autoclosure () -> BytePath = .empty, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw SystemError(operation(), path(), code: code) }
    }
}

extension SystemError {
    /// For a file that we refuse for its size.
    package static let fileTooLarge = SystemError("read", code: EFBIG)
    package var isFileTooLarge: Bool { code == EFBIG }
}
