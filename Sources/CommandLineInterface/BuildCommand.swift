// `build` and `check`: one wave, its result, an exit status.
// Knows: what is printed where, and what a result means to a shell. Does not know: how a wave is done.

import BuildEngine
import BuildModel
import LinuxSystem

/// Runs a one-shot wave on a loop. The same for both verbs: a check differs in its options and in what counts.
final class BuildCommand {
    private let verb: Verb
    private let arguments: SessionArguments
    private let isStrict: Bool
    private let loop: EventLoop
    private let printer: DiagnosticPrinter
    private let progress: ProgressBar
    private var interrupt: [EventLoop.Source] = []
    private var interruptedBy: Int32?

    private init(_ verb: Verb, _ arguments: SessionArguments, isStrict: Bool, loop: EventLoop) {
        self.verb = verb
        self.arguments = arguments
        self.isStrict = isStrict
        self.loop = loop
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
        progress = ProgressBar(isQuiet: arguments.isQuiet || arguments.format == .json)
    }

    /// - Returns: the exit status.
    static func run(_ verb: Verb, _ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        let arguments = try SessionArguments(parsed, verb: verb)
        let isStrict = parsed.has("--strict")
        return EventLoop.run { loop in
            BuildCommand(verb, arguments, isStrict: isStrict, loop: loop).start()
        }
    }

    private func start() {
        do throws(SessionError) {
            let session = try Session(arguments.configuration, loop: loop)
            for notice in session.notices { FreshpycCommand.complain(notice) }
            for number in [EventLoop.interrupt, EventLoop.terminate, EventLoop.hangUp] {
                interrupt.append(
                    loop.onSignal(number) { [self] in
                        interruptedBy = number
                        session.cancel()
                    })
            }
            session.build(progress: { [self] in progress.update($0, $1) }) { [self] report in
                progress.clear()
                let problem = session.close()
                if let problem { FreshpycCommand.complain(problem) }
                loop.stop(finish(report, session, hasProblem: problem != nil))
            }
        } catch {
            FreshpycCommand.complain(error.message)
            loop.stop(2)
        }
    }

    private func finish(_ report: WaveReport, _ session: Session, hasProblem: Bool) -> Int32 {
        if let interruptedBy {
            FreshpycCommand.complain("interrupted; what was built is kept")
            return 128 + interruptedBy
        }
        var status = exitStatus(report)
        if hasProblem { status = 2 }
        switch arguments.format {
        case .json:
            let document = ReportDocument(
                report, verb: verb, root: arguments.configuration.rootPath,
                interpreters: session.selectedInterpreters, exitStatus: status)
            Host.write(document.jsonLine(), to: 1)
        case .text:
            let lines = shown(report).map { printer.text($0) + "\n" }
            if !lines.isEmpty { Host.write(lines.joined(), to: 1) }
        case .github:
            let lines = shown(report).map { printer.github($0) + "\n" }
            if !lines.isEmpty { Host.write(lines.joined(), to: 1) }
        }
        if report.modules == 0, !report.isIncomplete {
            FreshpycCommand.complain(
                "nothing in scope: no .py file in \(printer.shown(arguments.configuration.starts[0])) that is not excluded; name another path, or see what --exclude and --gitignore leave out"
            )
        } else if !arguments.isQuiet {
            Host.write(summary(report) + "\n", to: 2)
        }
        return status
    }

    /// A build speaks of what kept it from building; a check of everything.
    private func shown(_ report: WaveReport) -> [LocatedDiagnostic] {
        verb == .check ? report.diagnostics : report.diagnostics.filter { $0.diagnostic.severity == .error }
    }

    private func summary(_ report: WaveReport) -> String {
        guard verb == .check else { return report.summary }
        func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
        return
            "\(counted(report.modules, "module")) checked: \(counted(report.errors, "error")), \(counted(report.warnings, "warning")) in \(WaveReport.seconds(report.duration))"
    }

    private func exitStatus(_ report: WaveReport) -> Int32 {
        if report.isIncomplete || report.modules == 0 { return 2 }
        if report.failed > 0 || report.errors > 0 { return 1 }
        return isStrict && report.warnings > 0 ? 1 : 0
    }
}
