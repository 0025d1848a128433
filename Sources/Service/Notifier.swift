// Telling a service manager how we are.
// Knows: the protocol of sd_notify(3). Does not know: when there is something to tell.

import BasicTypes
import LinuxSystem

/// Speaks to whoever listens at $NOTIFY_SOCKET; silent where nobody does.
package struct Notifier {
    private let socket: BytePath?
    /// How often the watchdog wants to hear of us, in nanoseconds; half of what it allows (sd_watchdog_enabled(3)).
    package let watchdogInterval: Int64?

    package init() {
        socket = Host.environment("NOTIFY_SOCKET")
        let microseconds = Host.environment("WATCHDOG_USEC").flatMap { Int64($0.description) }
        let process = Host.environment("WATCHDOG_PID").flatMap { Int32($0.description) }
        let isOurs = process == nil || process == Host.processIdentifier
        watchdogInterval = isOurs ? microseconds.map { max(1_000_000, $0 * 1000 / 2) } : nil
    }

    package func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }
    package func status(_ status: String) { send("STATUS=\(status)") }
    package func stopping() { send("STOPPING=1") }
    package func isAlive() { send("WATCHDOG=1") }

    /// Type=notify-reload wants the time of the reload's beginning (systemd.service(5)).
    package func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Host.monotonic / 1000)") }

    private func send(_ text: String) {
        // A manager that does not listen is its own problem.
        if let socket { try? UnixSocket.send(text, to: socket) }
    }
}
