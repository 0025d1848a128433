// `watch`: waves on the screen until it is stopped.
// Knows: what is printed where. Does not know: how waves come about.

import BuildEngine
import BuildModel
import LinuxSystem
import Service

/// Shows what a watch service tells.
final class WatchCommand {
    private let arguments: SessionArguments
    private let loop: EventLoop
    private let printer: DiagnosticPrinter
    private let progress: ProgressBar
    private var service: WatchService?

    private init(_ arguments: SessionArguments, loop: EventLoop) {
        self.arguments = arguments
        self.loop = loop
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
        progress = ProgressBar(isQuiet: arguments.isQuiet || arguments.format == .json)
    }

    /// - Returns: the exit status.
    static func run(_ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        let arguments = try SessionArguments(parsed, verb: .watch)
        return EventLoop.run { loop in
            WatchCommand(arguments, loop: loop).start()
        }
    }

    private func start() {
        do throws(SessionError) {
            let service = try WatchService(arguments.configuration, loop: loop) { [self] in show($0) }
            self.service = service
            service.start { [self] in progress.update($0, $1) }
        } catch {
            FreshpycCommand.complain(error.message)
            loop.stop(2)
        }
    }

    private func show(_ event: WatchEvent) {
        switch event {
        case .ready(let report, let directories):
            progress.clear()
            show(report)
            let modules = "\(report.modules) module\(report.modules == 1 ? "" : "s")"
            let watched = "\(directories) director\(directories == 1 ? "y" : "ies")"
            say("ready: \(modules), \(report.failed) failed, watching \(watched)")
        case .wave(let report):
            show(report)
            say(line(report))
        case .notice(let text):
            progress.clear()
            FreshpycCommand.complain(text)
        case .stopped(.interrupted):
            progress.clear()
            loop.stop(0)
        case .stopped(.rootGone):
            FreshpycCommand.complain("\(arguments.configuration.rootPath) is gone; start again when it is back")
            loop.stop(2)
        case .stopped(.failed(let message)):
            FreshpycCommand.complain(message)
            loop.stop(2)
        }
    }

    private func say(_ line: String) {
        if !arguments.isQuiet { Host.write(line + "\n", to: 2) }
    }

    private func show(_ report: WaveReport) {
        if arguments.format == .json {
            let document = ReportDocument(
                report, verb: .watch, root: arguments.configuration.rootPath, interpreters: [], exitStatus: 0)
            Host.write(document.jsonLine(), to: 1)
        } else if !report.diagnostics.isEmpty {
            Host.write(report.diagnostics.map { printer.text($0) + "\n" }.joined(), to: 1)
        }
    }

    /// `wave 3: pkg/a.py compiled in 0.012 s`, or the counts where it was more than one.
    private func line(_ report: WaveReport) -> String {
        if report.changes.count == 1, report.removed == 0, let change = report.changes.first {
            return
                "wave \(report.clock): \(printer.shown(change.path)) \(change.result.rawValue) in \(WaveReport.seconds(report.duration))"
        }
        let counts = [
            (report.compiled, "compiled"), (report.restamped, "restamped"), (report.removed, "removed"),
            (report.failed, "failed"),
        ]
        let parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "wave \(report.clock): \(parts.joined(separator: ", ")) in \(WaveReport.seconds(report.duration))"
    }
}
