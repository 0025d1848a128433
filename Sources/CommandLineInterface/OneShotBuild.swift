// One wave for `build` and `check`, in the daemon or in this process.

import BuildModel
import Documents
import LinuxSystem
import Waves

/// Runs one wave on a loop and shows its result. A check differs in its options and in what counts as a finding.
final class OneShotBuild {
    private let kind: BuildOutput.Kind
    private let arguments: SessionArguments
    private let results: BuildOutput
    private let loop: EventLoop
    private let progress: ProgressBar
    private var interruptedBy: Int32?

    private init(_ kind: BuildOutput.Kind, _ arguments: SessionArguments, _ results: BuildOutput, loop: EventLoop) {
        self.kind = kind
        self.arguments = arguments
        self.results = results
        self.loop = loop
        progress = ProgressBar(isQuiet: arguments.isQuiet || arguments.format == .json)
    }

    /// - Returns: the exit status.
    static func run(
        _ kind: BuildOutput.Kind, _ invocation: Invocation, _ declaration: VerbDeclaration
    ) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        var arguments = try SessionArguments(parsed, for: declaration)
        let isUntrusted = parsed.has(CheckVerb.untrusted.name)
        if isUntrusted { try UntrustedTree.restrict(&arguments.configuration) }
        if kind == .build { SessionArguments.warnOfOtherPlace() }
        let results = BuildOutput(
            kind, arguments, isStrict: arguments.arguments.has(OptionSpecification.strict.name),
            output: invocation.output)
        if !isUntrusted {
            switch parsed.has("--no-daemon")
                ? DaemonBuild.presence(arguments) : DaemonBuild.run(kind, arguments, declaration)
            {
            case .report(let report, let interpreters):
                return results.show(report, interpreters: interpreters, hasProblem: false)
            case .none: break
            case .unfit(let reason):
                // The daemon holds the database; this run only reads it.
                arguments.configuration.isReadOnlyDatabase = true
                if !parsed.has(OptionSpecification.noDaemon.name) {
                    let loss = kind == .check ? "" : ", and the results will not be remembered"
                    FreshpycCommand.complain("\(reason); working without it\(loss)")
                }
            }
        }
        let settled = arguments
        return EventLoop.run { loop in OneShotBuild(kind, settled, results, loop: loop).start() }
    }

    private func start() {
        do throws(SessionError) {
            let session = try Session(arguments.configuration, loop: loop)
            for notice in session.notices { FreshpycCommand.complain(notice) }
            for number in [EventLoop.interrupt, EventLoop.terminate, EventLoop.hangUp] {
                loop.onSignal(number) { [self] in
                    interruptedBy = number
                    session.cancel()
                }
            }
            session.build(progress: { [self] in progress.update($0, $1) }) { [self] report in
                progress.clear()
                let problem = session.close()
                if let problem { FreshpycCommand.complain(problem) }
                if let notice = session.storeNotice { FreshpycCommand.complain(notice) }
                loop.stop(finish(report, session, hasProblem: problem != nil))
            }
        } catch {
            FreshpycCommand.complain(error.message)
            loop.stop(2)
        }
    }

    private func finish(_ report: WaveReport, _ session: Session, hasProblem: Bool) -> Int32 {
        if let interruptedBy {
            FreshpycCommand.complain("interrupted; finished modules are kept")
            return 128 + interruptedBy
        }
        return results.show(
            report, interpreters: session.selectedInterpreters.map { ReportDocument.Python($0) }, hasProblem: hasProblem
        )
    }
}
