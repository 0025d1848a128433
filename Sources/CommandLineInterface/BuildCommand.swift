// `build` and `check`: one wave, its result, an exit status.
// Knows: what is printed where, and what a result means to a shell. Does not know: how a wave is done.

import BuildModel
import Documents
import LinuxSystem
import Service
import Waves

/// Runs a one-shot wave on a loop. The same for both verbs: a check differs in its options and in what counts.
final class BuildCommand {
    private let verb: Verb
    private let arguments: SessionArguments
    private let output: BuildOutput
    private let loop: EventLoop
    private let progress: ProgressBar
    private var interruptedBy: Int32?

    private init(_ verb: Verb, _ arguments: SessionArguments, isStrict: Bool, loop: EventLoop) {
        self.verb = verb
        self.arguments = arguments
        output = BuildOutput(verb, arguments, isStrict: isStrict)
        self.loop = loop
        progress = ProgressBar(isQuiet: arguments.isQuiet || arguments.format == .json)
    }

    /// - Returns: the exit status.
    static func run(_ verb: Verb, _ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        let arguments = try SessionArguments(parsed, verb: verb)
        let isStrict = parsed.has("--strict")
        var alone = arguments
        switch parsed.has("--no-daemon") ? DaemonBuild.presence(arguments) : DaemonBuild.run(verb, arguments) {
        case .report(let report, let interpreters):
            let output = BuildOutput(verb, arguments, isStrict: isStrict)
            return output.show(report, interpreters: interpreters, hasProblem: false)
        case .none: break
        case .unfit(let reason):
            // It holds the database; this run reads it and remembers nothing.
            alone.configuration.isReadOnlyDatabase = true
            FreshpycCommand.complain("\(reason); this run works alone, and nothing is remembered of it")
        }
        let final = alone
        return EventLoop.run { loop in
            BuildCommand(verb, final, isStrict: isStrict, loop: loop).start()
        }
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
            FreshpycCommand.complain("interrupted; what was built is kept")
            return 128 + interruptedBy
        }
        return output.show(
            report, interpreters: session.selectedInterpreters.map { ReportDocument.Python($0) }, hasProblem: hasProblem
        )
    }
}
