// A shell command that runs in parallel to this process, on the same terminal but in its own process group. A pidfd
// (pidfd_open(2)) reports its exit.

import BasicTypes
import CLinuxShims
import Glibc

/// A command that was started.
package final class CommandProcess {
    private let identifier: pid_t
    /// Becomes readable when the command exits.
    package let ending: OwnedDescriptor
    private var reason: ExitReason?

    /// Starts `/bin/sh -c command` without input. Its output is inherited or discarded.
    package init(
        _ command: String, in directory: BytePath, environment: [BytePath], sharesOutput: Bool
    ) throws(SystemError) {
        let shell = BytePath("/bin/sh")
        identifier = try Spawn.start(
            shell, arguments: [BytePath("-c"), BytePath(command)], environment: environment, directory: directory,
            isSession: false
        ) { actions in
            var failure = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            for descriptor: Int32 in [1, 2] where failure == 0 && !sharesOutput {
                failure = posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
            }
            return failure
        }
        let child = identifier
        do throws(SystemError) {
            ending = OwnedDescriptor(try retrying("pidfd_open") { freshpyc_pidfd_open(child) })
        } catch {
            Glibc.kill(-child, SIGKILL)
            _ = Spawn.wait(for: child)
            throw error
        }
    }

    deinit {
        if reason == nil { finish(withForce: true) }
    }

    /// Sends SIGTERM or SIGKILL to the command's process group, unless it was already reaped.
    package func terminate(withForce: Bool) {
        if reason == nil { Glibc.kill(-identifier, withForce ? SIGKILL : SIGTERM) }
    }

    /// Waits until the command exits, and reaps it.
    @discardableResult
    package func finish(withForce: Bool = false) -> ExitReason {
        if let reason { return reason }
        if withForce { terminate(withForce: true) }
        let found = Spawn.wait(for: identifier)
        reason = found
        return found
    }
}
