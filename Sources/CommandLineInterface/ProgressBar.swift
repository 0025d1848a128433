// Progress on a terminal.
// Knows: one line that is drawn over itself. Does not know: what progresses.

import LinuxSystem

/// A bar on standard error, for as long as a wave takes. Draws nothing where there is no terminal.
final class ProgressBar {
    private static let interval: Int64 = 50_000_000
    /// Waves that are done sooner show nothing at all.
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
        Host.write(
            "\r[\(String(repeating: "=", count: filled))\(String(repeating: " ", count: width - filled))]\(label)\u{1B}[K",
            to: 2)
    }

    func clear() {
        if isDrawn { Host.write("\r\u{1B}[K", to: 2) }
        isDrawn = false
    }
}
