// `freshpyc wait`

import BasicTypes
import Documents
import LinuxSystem
import Service
import Waves

enum WaitVerb: Verb {
    private static let timeout = OptionSpecification(
        "--timeout", value: .seconds("SECONDS"), help: "give up after this long (exit status 2)")

    static let declaration = VerbDeclaration(
        name: "wait",
        summary: "wait until the daemon has compiled everything saved so far",
        arguments: "[OPTIONS] [PATH]",
        traits: [.remembers],
        description: [
            "When it returns, everything saved before the call is compiled, or its error has been reported. It is an error if the daemon runs with other options than those given here."
        ],
        options: [
            timeout, .python, .optimize, .invalidation, .exclude, .gitignore, .sourceRoot, .stateDirectory,
            .textOrJSON, .quiet, .help,
        ],
        exitStatuses: [
            0: "everything is compiled",
            1: "a module does not compile, or its bytecode could not be written",
            2: "no daemon is running, its options differ, or the timeout expired",
        ],
        examples: [
            .init("freshpyc wait && ./restart-server", "restart once everything is compiled"),
            .init("freshpyc wait --timeout 5 src", "for the daemon that watches src"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        try parsed.requireOperands(atMost: 1, for: declaration)
        let arguments = try SessionArguments(parsed, for: declaration)
        let timeout = try parsed.seconds(timeout.name)
        var parameters: ControlParameters?
        if DaemonConnection.exists(arguments.configuration) { parameters = try self.parameters(arguments, parsed) }
        return DaemonConnection.ask(arguments) { client throws(ControlFailure) in
            let answer: WaitDocument = try client.ask(ControlRequest(.wait, parameters), timeout: timeout)
            if arguments.format == .json { invocation.output.write(JSONLine.encode(answer)) }
            if answer.failed > 0, !arguments.isQuiet {
                let names = (answer.failing ?? []).map {
                    DiagnosticPrinter(
                        root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory
                    ).shown(BytePath($0)).description
                }
                let more = answer.failed - names.count
                FreshpycCommand.complain(
                    "\(answer.failed) of \(Plural.count(answer.modules, "module")) failed: \(names.joined(separator: ", "))"
                        + (more > 0 ? " and \(more) more" : ""))
            }
            if let other = unwatched(arguments, answer.watched ?? [""]) {
                FreshpycCommand.complain(
                    "the daemon watches only \(other); name a path in it, or restart it for this one")
                return 2
            }
            return answer.failed > 0 ? 1 : 0
        }
    }

    /// What the daemon watches, if the current directory is elsewhere in the tree.
    private static func unwatched(_ arguments: SessionArguments, _ watched: [String]) -> String? {
        let places = watched.map { BytePath($0) }
        let isTouched = arguments.configuration.starts.contains { here in
            places.contains { here.isWithin($0) || $0.isWithin(here) }
        }
        return isTouched ? nil : watched.joined(separator: ", ")
    }

    /// The daemon must keep the path on the command line up to date, with the options on the command line.
    private static func parameters(
        _ arguments: SessionArguments, _ parsed: ParsedArguments
    ) throws(UsageError) -> ControlParameters {
        do throws(SessionError) {
            let starts = parsed.operands.isEmpty ? nil : arguments.configuration.starts.map(\.description)
            return ControlParameters(
                version: FreshpycCommand.version, options: try arguments.namedOptions(parsed), starts: starts)
        } catch {
            throw UsageError(message: error.message)
        }
    }
}
