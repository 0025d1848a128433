// A child process, with pipes to its standard input and from its standard output.

import BasicTypes
import CLinuxShims
import Glibc

/// How a process exited.
package enum ExitReason: Hashable, Sendable {
    case status(Int32)
    case signal(Int32)

    /// SIGKILL, which no process sends itself by accident.
    package static var killSignal: Int32 { SIGKILL }
}

/// A child process that was started.
package final class ChildProcess {
    package let identifier: pid_t
    /// To the child's standard input; non-blocking.
    package private(set) var input: OwnedDescriptor
    /// From the child's standard output; non-blocking.
    package let output: OwnedDescriptor
    private var ending: ExitReason?
    private let isDaemon: Bool

    /// Starts a program in `/` with exactly this environment, in its own process group (this process handles Ctrl-C),
    /// with default signal handling and no descriptors except 0, 1 and 2.
    ///
    /// - Parameters:
    ///   - sharesErrors: whether the child inherits standard error; otherwise its standard error is discarded.
    ///   - isDaemon: whether the child gets its own session and outlives this object.
    package init(
        _ executable: BytePath, arguments: [BytePath], environment: [BytePath], sharesErrors: Bool,
        isDaemon: Bool = false
    ) throws(SystemError) {
        let (childInput, input) = try Self.pipe()
        let (output, childOutput) = try Self.pipe()
        // Pipes are close-on-exec; dup2 in the child clears that for 0 and 1 only. If a pipe already had the number 0
        // or 1, dup2 would leave the flag set, so these numbers must never be free (see `Standard`).
        identifier = try Spawn.start(
            executable, arguments: arguments, environment: environment, directory: BytePath("/"), isSession: isDaemon
        ) { actions in
            var failure = posix_spawn_file_actions_adddup2(&actions, childInput.raw, 0)
            if failure == 0 { failure = posix_spawn_file_actions_adddup2(&actions, childOutput.raw, 1) }
            if failure == 0, !sharesErrors {
                failure = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
            }
            return failure
        }
        self.isDaemon = isDaemon
        self.input = input
        self.output = output
        try input.setNonblocking()
        try output.setNonblocking()
    }

    /// Closes the child's input by dropping the last reference to it.
    package func closeInput() {
        input = output
    }

    deinit {
        if !isDaemon { kill() }
    }

    /// Kills the child and reaps it. A second call does nothing.
    @discardableResult
    package func kill() -> ExitReason {
        if let ending { return ending }
        Glibc.kill(identifier, SIGKILL)
        return wait()
    }

    /// Waits until the child exits, and reaps it.
    @discardableResult
    package func wait() -> ExitReason {
        if let ending { return ending }
        let reason = Spawn.wait(for: identifier)
        ending = reason
        return reason
    }

    /// Waits for a limited time until the child exits.
    ///
    /// - Returns: `nil` if it is still running.
    package func wait(nanoseconds: Int64) throws(SystemError) -> ExitReason? {
        if let ending { return ending }
        let process = OwnedDescriptor(try retrying("pidfd_open") { freshpyc_pidfd_open(identifier) })
        return try process.waitUntilReadable(nanoseconds: nanoseconds) ? wait() : nil
    }

    /// Waits until output (or its end) can be read, or, if `forInput`, until input can be written (poll(2)).
    ///
    /// - Returns: which of the two are ready; neither on timeout. Input counts as ready when its reader has closed it.
    package func waitUntilReady(
        forInput: Bool, nanoseconds: Int64
    ) throws(SystemError) -> (input: Bool, output: Bool) {
        var waited = [
            pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: forInput ? input.raw : -1, events: Int16(POLLOUT), revents: 0),
        ]
        _ = try retrying("poll") { poll(&waited, 2, Int32(clamping: nanoseconds / 1_000_000 + 1)) }
        return (waited[1].revents != 0, waited[0].revents != 0)
    }

    private static func pipe() throws(SystemError) -> (read: OwnedDescriptor, write: OwnedDescriptor) {
        var ends: [Int32] = [-1, -1]
        _ = try retrying("pipe2") { freshpyc_pipe(&ends) }
        return (OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1]))
    }
}

/// The three descriptors that every program expects to be open.
package enum Standard {
    /// Opens /dev/null on each of 0, 1 and 2 that the parent left closed, so that no other file gets its number.
    package static func ensureOpen() {
        while true {
            let raw = try? retrying("openat", BytePath("/dev/null")) {
                freshpyc_openat(AT_FDCWD, "/dev/null", O_RDWR, 0)
            }
            guard let raw else { return }
            if raw > 2 {
                close(raw)
                return
            }
        }
    }
}
