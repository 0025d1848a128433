// Keeps a bundle up to date during a watch: when the command that builds it is run.
// Must not know what a bundle is.

import BasicTypes
import BuildModel
import LinuxSystem

/// One bundle. Lives on the loop.
final class ContinuousBundle {
    /// Events of one save of several files come within this time, in nanoseconds.
    private static let settling: Int64 = 100_000_000

    private let command: ImpactCommand
    /// Relative to the root.
    private let outputs: Set<BytePath>
    /// Files that are named, and so count wherever they are.
    private let included: [GlobPattern]
    private let root: BytePath
    private let loop: EventLoop
    private var timer: EventLoop.Source?

    init(
        _ command: String, outputs: [BytePath], included: [String], root: BytePath, environment: [BytePath],
        loop: EventLoop,
        report: @escaping (CommandEvent) -> Void
    ) {
        // A build that runs is let finish: it takes a moment, and the next one begins after it.
        self.command = ImpactCommand(
            command, mode: .queue, onError: .keep, root: root, environment: environment, sharesOutput: true, loop: loop,
            report: report)
        self.outputs = Set(outputs.compactMap { $0.relative(to: root) })
        self.included = included.compactMap { GlobPattern(line: $0.utf8) }
        self.root = root
        self.loop = loop
    }

    func build() {
        timer?.cancel()
        timer = nil
        command.run(Impact())
    }

    /// - Parameter path: relative to the root.
    func dataChanged(_ path: BytePath) {
        guard timer == nil, isData(path) else { return }
        timer = loop.after(Self.settling) { [weak self] in self?.build() }
    }

    /// Files of the project that programs write all the time, such as logs, are seldom in a package. What an earlier build wrote is
    /// no reason for another one.
    private func isData(_ path: BytePath) -> Bool {
        if path.lastComponent.first == UInt8(ascii: ".") { return false }
        var current = path
        while !current.isEmpty {
            if outputs.contains(current) { return false }
            if included.contains(where: { $0.matches(current.bytes[...], isDirectory: current != path) }) {
                return true
            }
            current = current.parent
        }
        var folder = path.parent
        while !folder.isEmpty {
            if ((try? Host.status(root.appending(folder).appending("__init__.py"))) ?? nil) != nil { return true }
            folder = folder.parent
        }
        return false
    }

    func stop() {
        timer?.cancel()
        timer = nil
        command.stop()
    }
}
