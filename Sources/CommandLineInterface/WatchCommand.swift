// `watch`: waves on the screen, or in a log, until it is stopped.
// Knows: what is printed where; how a daemon is sent to the background. Does not know: how waves come about.

import BasicTypes
import BuildModel
import Documents
import LinuxSystem
import Service
import Waves

/// Shows what a watch service tells.
final class WatchCommand {
    private let arguments: SessionArguments
    private let commandLine: ParsedArguments
    private let idleTimeout: Int64?
    private let loop: EventLoop
    private let printer: DiagnosticPrinter
    private let progress: ProgressBar
    private var service: WatchService?
    /// In the background: where everything goes after the first line.
    private let log: LogFile?
    private let level: LogLevel
    private let execMode: ImpactCommand.Mode
    private var hasAnnounced = false

    private static let patience: Int64 = 5_000_000_000

    private init(
        _ arguments: SessionArguments, _ commandLine: ParsedArguments, idleTimeout: Int64?, level: LogLevel,
        execMode: ImpactCommand.Mode, log: LogFile?, loop: EventLoop
    ) {
        self.arguments = arguments
        self.commandLine = commandLine
        self.idleTimeout = idleTimeout
        self.level = level
        self.execMode = execMode
        self.log = log
        self.loop = loop
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
        progress = ProgressBar(isQuiet: arguments.isQuiet || arguments.format == .json || log != nil)
    }

    /// - Returns: the exit status.
    static func run(_ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        let arguments = try SessionArguments(parsed, verb: .watch)
        let idleTimeout = try arguments.arguments.seconds("--idle-timeout")
        let isInBackground = Host.environment(SessionArguments.backgroundVariable) != nil
        let level: LogLevel =
            try arguments.arguments.choice("--log-level") ?? (arguments.isQuiet ? .warning : .info)
        let execMode: ImpactCommand.Mode = try arguments.arguments.choice("--exec-mode") ?? .restart
        replaceOtherVersion(arguments)
        if parsed.has("--background"), !isInBackground { return goToBackground(arguments) }
        return EventLoop.run { loop in
            let configuration = arguments.configuration
            let place = configuration.stateDirectory ?? configuration.rootPath.appending(".freshpyc")
            let log = isInBackground ? LogFile(directory: place) : nil
            WatchCommand(
                arguments, parsed, idleTimeout: idleTimeout, level: level, execMode: execMode, log: log, loop: loop
            ).start()
        }
    }

    /// A daemon of another version is told to stop, so that this one can take its place.
    private static func replaceOtherVersion(_ arguments: SessionArguments) {
        let configuration = arguments.configuration
        guard
            let client = ControlClient.connect(
                root: configuration.rootPath, stateDirectory: configuration.stateDirectory),
            let status = try? client.ask(ControlRequest(.status), for: StatusDocument.self, timeout: patience),
            status.version != FreshpycCommand.version
        else { return }
        _ = try? client.ask(ControlRequest(.stop), for: Acknowledgement.self, timeout: patience)
        DaemonCommand.waitForEnd(configuration, nanoseconds: patience)
    }

    /// Starts this very program again, in a session of its own, and waits for its first line.
    private static func goToBackground(_ arguments: SessionArguments) -> Int32 {
        do throws(SystemError) {
            guard let executable = Host.executable else { throw SystemError("exec", code: SystemError.noSuchFile) }
            let words = Host.arguments.filter { !["--background", "-b"].contains($0.description) }
            // The child starts in `/`; relative paths are still relative to here.
            let variable = Array("\(SessionArguments.backgroundVariable)=".utf8) + arguments.workingDirectory.bytes
            let environment = Host.variables + [BytePath(variable) ?? .empty]
            let child = try ChildProcess(
                executable, arguments: words, environment: environment, sharesErrors: false, isDaemon: true)
            var line: [UInt8] = []
            while true {
                try child.output.waitUntilReadable(nanoseconds: 60_000_000_000)
                var buffer = [UInt8](repeating: 0, count: 4096)
                do throws(SystemError) {
                    let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in
                        try child.output.read(into: bytes)
                    }
                    if count == 0 { break }
                    line += buffer[..<count]
                } catch  where error.wouldBlock {
                    continue
                }
                if line.contains(UInt8(ascii: "\n")) { break }
            }
            let text = String(decoding: line, as: UTF8.self)
            guard text.hasPrefix("ready") else {
                Host.write(text.isEmpty ? "freshpyc: the daemon did not start; see .freshpyc/log\n" : text, to: 2)
                return 2
            }
            if !arguments.isQuiet { Host.write(text, to: 2) }
            return 0
        } catch {
            FreshpycCommand.complain("cannot go to the background: \(error)")
            return 2
        }
    }

    private func start() {
        do throws(SessionError) {
            let service = try WatchService(
                arguments.configuration, version: FreshpycCommand.version, idleTimeout: idleTimeout, loop: loop,
                reconfigure: { [commandLine] () throws(SessionError) in
                    do throws(UsageError) {
                        return try SessionArguments(commandLine, verb: .watch).configuration
                    } catch {
                        throw .root(error.message)
                    }
                }
            ) { [self] in show($0) }
            self.service = service
            if let command = arguments.arguments.last("--exec") {
                // The command is not in the background of anything: its paths are relative to where it runs.
                let own = Array("\(SessionArguments.backgroundVariable)=".utf8)
                let environment = Host.variables.filter { !$0.bytes.starts(with: own) }
                service.run(command, mode: execMode, environment: environment, sharesOutput: log == nil)
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
            let modules = "\(report.modules) module\(report.modules == 1 ? "" : "s")"
            let watched = "\(directories) director\(directories == 1 ? "y" : "ies")"
            let line = "ready: \(modules), \(report.failed) failed, watching \(watched)"
            say(line, .info)
            if log != nil, !hasAnnounced { Host.write(line + "\n", to: 1) }
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
            case .interrupted, .asked, .idle: end(nil, status: 0)
            case .rootGone:
                end("freshpyc: \(arguments.configuration.rootPath) is gone; start again when it is back", status: 2)
            case .failed(let message): end("freshpyc: \(message)", status: 2)
            }
        }
    }

    private func end(_ line: String?, status: Int32) {
        if let line {
            say(line, .error)
            // Whoever waits for the first line gets the reason instead.
            if log != nil, !hasAnnounced { Host.write(line + "\n", to: 1) }
        }
        loop.stop(status)
    }

    private func say(_ line: String, _ lineLevel: LogLevel) {
        guard lineLevel <= level else { return }
        if let log { return log.write(line) }
        Host.write(line + "\n", to: 2)
    }

    private func show(_ everything: WaveReport) {
        let report = arguments.rules.filter(everything)
        for change in report.changes where level == .debug {
            let reason = change.reason.map { " (\($0.rawValue))" } ?? ""
            say("  \(printer.shown(change.path)) \(change.result.rawValue)\(reason)", .debug)
        }
        if log != nil {
            for finding in report.diagnostics { say(printer.text(finding), .info) }
        } else if arguments.format == .json {
            let document = ReportDocument(
                report, verb: Verb.watch.rawValue, root: arguments.configuration.rootPath, interpreters: [],
                exitStatus: 0)
            Host.write(JSONLine.encode(document), to: 1)
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
