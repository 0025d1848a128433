// The only owner of standard output. Verbs write their results here, and `FreshpycCommand` checks at the end whether all of
// it was written. Messages and progress go to standard error instead (`FreshpycCommand.complain`).

import LinuxSystem
import Synchronization

/// Writes to standard output and remembers the first write that failed; later text is dropped.
///
/// Each text is written immediately, so that results and messages on one terminal stay in order. To save system calls,
/// callers join their lines.
final class StandardOutput: Sendable {
    private let firstFailure = Mutex<SystemError?>(nil)

    func write(_ text: String) {
        guard !text.isEmpty else { return }
        firstFailure.withLock { failure in
            guard failure == nil else { return }
            do throws(SystemError) {
                try Host.writeAll(text, to: 1)
            } catch {
                failure = error
            }
        }
    }

    /// Writes each line with a newline after it.
    func write(lines: [String]) { write(lines.map { $0 + "\n" }.joined()) }

    /// The write that failed, or `nil` if everything was written so far.
    var failure: SystemError? { firstFailure.withLock { $0 } }

    /// The exit status of a verb that has ended with `status`, and a message if a failed write changes it.
    ///
    /// A reader that closes the pipe early, such as `head`, has what it wanted, so the status stays the same.
    func settle(_ status: Int32) -> (status: Int32, message: String?) {
        guard let failure, !failure.isBrokenPipe else { return (status, nil) }
        return (max(status, 2), "cannot write to standard output: \(failure.reason)")
    }
}
