// The environment variables of the service manager.

import BasicTypes
import Service
import Testing

@Suite struct NotifierTests {
    @Test(arguments: [
        ("30000000", 15_000_000_000 as Int64?), ("1", 1_000_000), ("2000", 1_000_000), ("2002", 1_001_000),
        ("86400000000", 43_200_000_000_000), ("9223372036854775807", 43_200_000_000_000),
        ("18446744073709551615", 43_200_000_000_000), ("18446744073709551616", nil), ("0", nil), ("-1", nil),
        ("", nil), ("30s", nil),
    ])
    func theWatchdogHasAnIntervalForEveryNumber(text: String, interval: Int64?) {
        #expect(Notifier.interval(text) == interval)
    }

    @Test func aCommandDoesNotSpeakForTheDaemon() {
        let environment = ["A=1", "NOTIFY_SOCKET=/run/n", "WATCHDOG_USEC=1", "WATCHDOG_PID=2", "NOTIFY=3"]
        #expect(
            Notifier.withoutVariables(environment.map { BytePath($0) }).map(\.description) == ["A=1", "NOTIFY=3"])
    }
}
