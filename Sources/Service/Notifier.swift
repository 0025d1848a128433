// Tells the service manager about the state of the daemon (sd_notify(3)).

import BasicTypes
import LinuxSystem

/// Sends messages to $NOTIFY_SOCKET; does nothing if it is not set.
package struct Notifier {
    private let socket: BytePath?
    /// Nanoseconds between two keep-alive messages; `nil` if no watchdog waits for them.
    package let watchdogInterval: Int64?

    package init() {
        socket = Host.environment("NOTIFY_SOCKET")
        let process = Host.environment("WATCHDOG_PID").flatMap { Int32($0.description) }
        let isOurs = process == nil || process == Host.processIdentifier
        let microseconds = Host.environment("WATCHDOG_USEC")?.description
        watchdogInterval = isOurs ? microseconds.flatMap(Self.interval) : nil
    }

    /// Half the watchdog's timeout, as sd_watchdog_enabled(3) recommends, in nanoseconds: between a millisecond and half a
    /// day.
    ///
    /// - Parameter text: the value of WATCHDOG_USEC: any 64-bit number of microseconds.
    package static func interval(_ text: String) -> Int64? {
        guard let microseconds = UInt64(text), microseconds > 0 else { return nil }
        let day: UInt64 = 86_400_000_000
        return max(1_000_000, Int64(min(microseconds, day)) * 1000 / 2)
    }

    /// Removes the variables that the service manager sets for this process alone.
    package static func withoutVariables(_ environment: [BytePath]) -> [BytePath] {
        let names = ["NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="]
        return environment.filter { variable in !names.contains { variable.bytes.starts(with: $0.utf8) } }
    }

    package func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }
    package func status(_ status: String) { send("STATUS=\(status)") }
    package func stopping() { send("STOPPING=1") }
    package func isAlive() { send("WATCHDOG=1") }

    /// Type=notify-reload needs the time at which the reload began (systemd.service(5)).
    package func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Host.monotonic / 1000)") }

    private func send(_ text: String) {
        // Ignore failures: a service manager that does not listen must not stop the daemon.
        if let socket { try? UnixSocket.send(text, to: socket) }
    }
}
