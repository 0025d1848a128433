// Errors of system calls, and files that freshpyc refuses.

import BasicTypes
import Glibc

/// A failed system call, or a refusal to use its result.
package struct SystemError: Error, Hashable, Sendable {
    /// What went wrong.
    package enum Cause: Hashable, Sendable {
        /// From errno(3).
        case errno(Int32)
        case refusal(Refusal)
    }

    /// Decided by freshpyc: no system call has failed.
    package enum Refusal: String, Hashable, Sendable {
        case isDirectory = "is a directory"
        case notRegularFile = "not a regular file"
        case foreignOwner = "other users may write to it"
        case incompleteWrite = "only a part could be written"
        case leadsOutOfDirectory = "leads out of its directory"
        case malformedName = "not a file name"
        case noAnswer = "unexpected answer"
        case sameDirectory = "the same directory"
        case socketPathTooLong = "too long for a socket"
        case timedOut = "no answer in time"
        case tooLarge = "file too large"
    }

    /// The call's name, as in its man page.
    package let operation: String
    /// The file concerned; empty if there is none.
    package let path: BytePath
    package let cause: Cause

    package init(_ operation: String, _ path: BytePath = .empty, code: Int32) {
        self.operation = operation
        self.path = path
        cause = .errno(code)
    }

    package init(_ operation: String, _ path: BytePath, _ refusal: Refusal) {
        self.operation = operation
        self.path = path
        cause = .refusal(refusal)
    }

    /// From errno(3); 0 for a refusal.
    package var code: Int32 {
        switch cause {
        case .errno(let code): code
        case .refusal: 0
        }
    }

    package var refusal: Refusal? {
        switch cause {
        case .errno: nil
        case .refusal(let refusal): refusal
        }
    }

    /// A message that starts in lower case because it follows a colon (strerror(3)).
    package var reason: String {
        switch cause {
        case .refusal(let refusal): return refusal.rawValue
        case .errno(let code):
            var buffer = [CChar](repeating: 0, count: 128)
            guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
            let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let message = String(decoding: text, as: UTF8.self)
            return message.prefix(1).lowercased() + message.dropFirst()
        }
    }

    package static let noSuchFile = ENOENT
    package static let isDirectory = EISDIR
    /// There is no such file. No other error means that: a file that cannot be reached or read may well exist.
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    /// This process, or the system, has too many files open.
    package var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }
    package var isDenied: Bool { code == EACCES || code == EPERM }
    package var isLoop: Bool { code == ELOOP }
    package var alreadyExists: Bool { code == EEXIST }
    package var isNotDirectory: Bool { code == ENOTDIR }
    /// There is a directory where a file was expected (EISDIR).
    package var isOfDirectory: Bool { code == EISDIR }
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

/// Makes a system call, and repeats it on `EINTR`. Every system call that can fail goes through here, so that tests can
/// make each of them fail (`FaultPlan`).
///
/// - Returns: the call's result, never negative.
/// - Throws: `SystemError` for any `errno` except `EINTR`.
@inline(__always)
func retrying<Result: SignedInteger>(
    _ operation: @autoclosure () -> String, _ path: @autoclosure () -> BytePath = .empty, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        #if DEBUG
            let fault = FaultPlan.fault(at: operation(), path())
            let result = fault == nil ? call() : -1
            let code = fault ?? errno
        #else
            let result = call()
            let code = errno
        #endif
        if result >= 0 { return result }
        if code != EINTR { throw SystemError(operation(), path(), code: code) }
    }
}
