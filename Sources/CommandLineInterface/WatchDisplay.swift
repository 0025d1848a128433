// One run of `watch`: prints what the service reports, on the terminal or to a log, until it ends.

import BasicTypes
import BuildModel
import Documents
import LinuxSystem
import Service
import Waves

/// Shows one watch.
final class WatchDisplay {
    /// What only a watch can be told.
    struct Options: Sendable {
        /// Nanoseconds.
        let idleTimeout: Int64?
        let level: LogLevel
        /// From `--exec`.
        let command: String?
        let commandMode: ImpactCommand.Mode
    }

    private let arguments: SessionArguments
    private let invocation: Invocation
    private let options: Options
    private let loop: EventLoop
    private let printer: DiagnosticPrinter
    private let progress: ProgressBar
    private var service: WatchService?
    /// In the background: where everything goes after the first line.
    private let log: LogFile?
    private var hasAnnounced = false

    private var output: StandardOutput { invocation.output }

    init(_ arguments: SessionArguments, _ invocation: Invocation, _ options: Options, log: LogFile?, loop: EventLoop) {
        self.arguments = arguments
        self.invocation = invocation
        self.options = options
        self.log = log
        self.loop = loop
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
        progress = ProgressBar(isQuiet: arguments.isQuiet || arguments.format == .json || log != nil)
    }

    func start() {
        do throws(SessionError) {
            let service = try WatchService(
                arguments.configuration, version: FreshpycCommand.version, idleTimeout: options.idleTimeout, loop: loop,
                reconfigure: { [commandLine = invocation.arguments] () throws(SessionError) in
                    do throws(UsageError) {
                        return try SessionArguments(commandLine, for: WatchVerb.declaration).configuration
                    } catch {
                        throw .root(error.message)
                    }
                }
            ) { [self] in show($0) }
            self.service = service
            if let command = options.command {
                // The command does not run in `/` as a daemon does: its relative paths are relative to the root.
                let own = Array("\(SessionArguments.backgroundVariable)=".utf8)
                let environment = Host.variables.filter { !$0.bytes.starts(with: own) }
                service.run(command, mode: options.commandMode, environment: environment, sharesOutput: log == nil)
            }
            service.start { [self] in progress.update($0, $1) }
        } catch {
            end("freshpyc: \(error.message)", status: 2)
        }
    }

    private func show(_ event: WatchEvent) {
        switch event {
        case .ready(let report, let directories):
            progress.clear()
            show(report)
            let modules = Plural.count(report.modules, "module")
            let watched = Plural.count(directories, "directory", "directories")
            let line = "ready: \(modules), \(report.failed) failed, watching \(watched)"
            say(line, .info)
            if log != nil, !hasAnnounced { output.write(line + "\n") }
            hasAnnounced = true
        case .wave(let report):
            show(report)
            if report.hasChanges { say(line(report), .info) }
        case .notice(let text):
            progress.clear()
            say("freshpyc: \(text)", .warning)
        case .stopped(let ending):
            progress.clear()
            switch ending {
            case .interrupted, .asked: end(nil, status: 0)
            case .idle:
                let seconds = WaveReport.seconds(options.idleTimeout ?? 0)
                say("freshpyc: stopped after \(seconds) without changes or requests", .info)
                end(nil, status: 0)
            case .rootGone:
                end("freshpyc: \(arguments.configuration.rootPath) is gone; start again when it is back", status: 2)
            case .failed(let message): end("freshpyc: \(message)", status: 2)
            }
        }
    }

    private func end(_ line: String?, status: Int32) {
        if let line {
            say(line, .error)
            // The process that waits for the first line gets the reason instead.
            if log != nil, !hasAnnounced { output.write(line + "\n") }
        }
        loop.stop(status)
    }

    private func say(_ line: String, _ lineLevel: LogLevel) {
        guard lineLevel <= options.level else { return }
        if let log { return log.write(line) }
        Host.writeError(line + "\n")
    }

    private func show(_ everything: WaveReport) {
        let report = arguments.rules.filter(everything)
        for change in report.changes where options.level == .debug {
            let reason = change.reason.map { " (\($0.rawValue))" } ?? ""
            say("  \(printer.shown(change.path)) \(change.result.rawValue)\(reason)", .debug)
        }
        if log != nil {
            for finding in report.diagnostics { say(printer.text(finding), .info) }
        } else if arguments.format == .json {
            let document = ReportDocument(
                report, verb: WatchVerb.declaration.name, root: arguments.configuration.rootPath, interpreters: [],
                exitStatus: 0)
            output.write(JSONLine.encode(document))
        } else {
            output.write(lines: report.diagnostics.map { printer.text($0) })
        }
        // Nobody reads the results any more, or they cannot be kept: `FreshpycCommand` reports which.
        if log == nil, output.failure != nil { loop.later { [self] in service?.end() } }
    }

    /// `wave 3: pkg/a.py compiled in 0.012 s`, or the counts if there were several modules.
    private func line(_ report: WaveReport) -> String {
        if report.changes.count == 1, report.removed == 0, let change = report.changes.first {
            return
                "wave \(report.clock): \(printer.shown(change.path)) \(change.result.rawValue) in \(WaveReport.seconds(report.duration))"
        }
        let counts = [
            (report.compiled, "compiled"), (report.restored, "from the store"), (report.restamped, "restamped"),
            (report.removed, "removed"),
            (report.failed, "failed"),
        ]
        let parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "wave \(report.clock): \(parts.joined(separator: ", ")) in \(WaveReport.seconds(report.duration))"
    }
}
