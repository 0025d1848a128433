// `freshpyc stop`

import Documents
import LinuxSystem
import Service

enum StopVerb: Verb {
    static let declaration = VerbDeclaration(
        name: "stop",
        summary: "stop the daemon of a tree",
        arguments: "[OPTIONS] [PATH]",
        traits: [.remembers, .needsNoSettings],
        description: ["Returns when the daemon has ended. Modules that it has compiled are kept."],
        options: [.stateDirectory, .quiet, .help],
        exitStatuses: [
            0: "it has stopped",
            2: "no daemon was running, or it did not stop in time",
        ],
        examples: [.init("freshpyc stop", "the daemon of the current directory")])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        try invocation.arguments.requireOperands(atMost: 1, for: declaration)
        let arguments = try SessionArguments(invocation.arguments, for: declaration)
        return DaemonConnection.ask(arguments, advice: "") { client throws(ControlFailure) in
            _ = try client.ask(
                ControlRequest(.stop), for: Acknowledgement.self, timeout: DaemonConnection.patience)
            guard DaemonConnection.waitForEnd(of: arguments.configuration) else { throw .timeout }
            if !arguments.isQuiet { Host.writeError("stopped\n") }
            return 0
        }
    }
}
