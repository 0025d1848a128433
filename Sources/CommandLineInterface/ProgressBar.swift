// A progress bar on a terminal: one line that is redrawn.

import LinuxSystem

/// Shows a wave's progress on standard error, if that is a terminal.
final class ProgressBar {
    private static let interval: Int64 = 50_000_000
    /// Waves that take less time than this show no progress bar, in nanoseconds.
    private static let patience: Int64 = 150_000_000

    private let isShown: Bool
    private let begun = Host.monotonic
    private var last: Int64 = 0
    private var isDrawn = false

    init(isQuiet: Bool) {
        isShown = !isQuiet && Host.isTerminal(2)
    }

    func update(_ done: Int, _ total: Int) {
        guard isShown, total > 0 else { return }
        let now = Host.monotonic
        guard now - begun > Self.patience, now - last > Self.interval else { return }
        last = now
        isDrawn = true
        let label = " \(done)/\(total) \(done * 100 / total) %"
        let width = max(10, min(40, (Host.terminalColumns(2) ?? 80) - label.count - 4))
        let filled = width * done / total
        Host.writeError(
            "\r[\(String(repeating: "=", count: filled))\(String(repeating: " ", count: width - filled))]\(label)\u{1B}[K"
        )
    }

    func clear() {
        if isDrawn { Host.writeError("\r\u{1B}[K") }
        isDrawn = false
    }
}
