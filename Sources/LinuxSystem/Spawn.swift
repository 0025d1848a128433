// Starts processes and waits for their exit: posix_spawn(3), waitpid(2).

import BasicTypes
import CLinuxShims
import Glibc

enum Spawn {
    /// Starts a program with exactly this environment, in its own process group or session, with default signal
    /// handling and no descriptors except 0, 1 and 2.
    ///
    /// - Parameter prepare: sets up these three. Returns the result of the last posix_spawn function that it called.
    static func start(
        _ executable: BytePath, arguments: [BytePath], environment: [BytePath], directory: BytePath, isSession: Bool,
        prepare: (inout posix_spawn_file_actions_t) -> Int32
    ) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var failure = prepare(&actions)
        if failure == 0 { failure = directory.withCString { freshpyc_spawn_start_in(&actions, $0) } }
        // The child must not inherit descriptors that this process inherited without close-on-exec.
        if failure == 0 { failure = freshpyc_spawn_close_from(&actions, 3) }
        if failure == 0 { failure = freshpyc_spawn_defaults(&attributes, isSession ? 1 : 0) }
        guard failure == 0 else { throw SystemError("posix_spawn", executable, code: failure) }

        var child: pid_t = 0
        _ = try retrying("posix_spawn", executable) {
            // Unlike a system call, posix_spawn returns the errno.
            errno = withCStrings([executable] + arguments) { arguments in
                withCStrings(environment) { environment in
                    executable.withCString { posix_spawn(&child, $0, &actions, &attributes, arguments, environment) }
                }
            }
            return errno == 0 ? 0 : -1
        }
        return child
    }

    /// Waits until a child exits, and reaps it.
    static func wait(for child: pid_t) -> ExitReason {
        var status: Int32 = 0
        _ = try? retrying("waitpid") { waitpid(child, &status, 0) }
        return freshpyc_exited(status) != 0
            ? .status(freshpyc_exit_status(status)) : .signal(freshpyc_term_signal(status))
    }

    private static func withCStrings<Result>(
        _ strings: [BytePath], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { $0.withCString { strdup($0) } }
        pointers.append(nil)
        defer { pointers.forEach { free($0) } }
        return pointers.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the list holds its terminator") }
            return body(base)
        }
    }
}
