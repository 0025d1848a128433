// The command: from arguments to a verb to an exit status.
// Knows: which verb is meant. Does not know: how any is done.

import BuildModel
import LinuxSystem

package enum FreshpycCommand {
    package static let version = "0.1.0"

    /// Runs the process's command line and ends the process.
    package static func main() {
        Standard.ensureOpen()
        Host.ignoreWriteSignals()
        Host.exit(run(Host.arguments.map { Argument($0) }))
    }

    /// - Returns: the exit status: 0 fine, 1 findings, 2 could not be done.
    static func run(_ words: [Argument]) -> Int32 {
        do throws(UsageError) {
            guard let first = words.first?.text else {
                Host.write(Verb.overview, to: 2)
                return 2
            }
            if first == "--help" || first == "-h" || first == "help" { return help(for: words.dropFirst().first?.text) }
            if first == "--version" {
                Host.write("freshpyc \(version)\n", to: 1)
                return 0
            }
            guard let verb = Verb(rawValue: first) else {
                let hint = Suggestion.nearest(to: first, among: Verb.allCases.map(\.rawValue))
                throw UsageError(
                    message: "unknown verb '\(first)'"
                        + (hint.map { "; did you mean '\($0)'?" } ?? "; see `freshpyc --help`"))
            }
            if verb == .compileAll { return try CompileAllCommand.run(Array(words.dropFirst())) }
            if verb == .pyCompile { return try PyCompileCommand.run(Array(words.dropFirst())) }
            let parsed = try ParsedArguments(Array(words.dropFirst()), options: verb.options, verb: first)
            if parsed.has("--help") { return help(for: first) }
            return switch verb {
            case .build, .check: try BuildCommand.run(verb, parsed)
            case .watch: try WatchCommand.run(parsed)
            case .wait, .status, .why, .stop: try DaemonCommand.run(verb, parsed)
            case .graph, .affected, .cycles: try GraphCommand.run(verb, parsed)
            case .precompile: try PrecompileCommand.run(parsed)
            // Their command lines are Python's.
            case .compileAll, .pyCompile: help(for: first)
            case .verify: try VerifyCommand.run(parsed)
            case .clean: try CleanCommand.run(parsed)
            case .inspect: try InspectCommand.run(parsed)
            case .interpreters: try InterpretersCommand.run(parsed)
            }
        } catch {
            complain(error.message)
            return 2
        }
    }

    private static func help(for word: String?) -> Int32 {
        let text = word.flatMap { Verb(rawValue: $0) }.map(\.help) ?? Verb.overview
        Host.write(text, to: 1)
        return 0
    }

    /// One line on standard error.
    static func complain(_ message: String) {
        Host.write("freshpyc: \(message)\n", to: 2)
    }
}
