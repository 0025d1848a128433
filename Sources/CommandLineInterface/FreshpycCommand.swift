// The command `freshpyc`: finds the verb in the arguments and runs it.

import BasicTypes
import LinuxSystem

package enum FreshpycCommand {
    package static let version = "0.1.0"

    /// All verbs, in the order of the help.
    static let verbs: [any Verb.Type] = [
        WatchVerb.self, BuildVerb.self, CheckVerb.self, WaitVerb.self, StatusVerb.self, WhyVerb.self, StopVerb.self,
        GraphVerb.self, AffectedVerb.self, CyclesVerb.self, PrecompileVerb.self, BundleVerb.self, VerifyVerb.self,
        CleanVerb.self,
        InspectVerb.self, CompileAllVerb.self, PyCompileVerb.self, InterpretersVerb.self,
    ]

    /// Runs the command line of the process and exits.
    package static func main() {
        Standard.ensureOpen()
        Host.ignoreWriteSignals()
        let output = StandardOutput()
        let result = output.settle(run(Host.arguments.map { Argument($0) }, output))
        if let message = result.message { complain(message) }
        Host.exit(result.status)
    }

    /// - Returns: the exit status: 0 for success, 1 for findings in the user's code, 2 if something could not be done.
    private static func run(_ words: [Argument], _ output: StandardOutput) -> Int32 {
        guard let first = words.first?.text else {
            Host.writeError(HelpText(columns: 80).overview(verbs.map { $0.declaration }))
            return 2
        }
        do throws(UsageError) {
            switch first {
            case "--help", "-h", "help":
                if words.count > 1, words[1].text != "help" {
                    output.write(HelpText.forOutput.verb(try verb(words[1].text).declaration))
                } else {
                    output.write(HelpText.forOutput.overview(verbs.map { $0.declaration }))
                }
                return 0
            case "--version", "-V":
                output.write("freshpyc \(version)\n")
                return 0
            default: return try run(try verb(first), Array(words.dropFirst()), output)
            }
        } catch {
            complain(error.message)
            return 2
        }
    }

    private static func run(
        _ verb: any Verb.Type, _ words: [Argument], _ output: StandardOutput
    ) throws(UsageError) -> Int32 {
        let declaration = verb.declaration
        let isRaw = declaration.traits.contains(.readsOwnCommandLine)
        let parsed = try ParsedArguments(isRaw ? [] : words, options: declaration.options, verb: declaration.name)
        if parsed.has("--help") {
            output.write(HelpText.forOutput.verb(declaration))
            return 0
        }
        let limit = DescriptorLimit.raise()
        guard limit >= DescriptorLimit.needed else {
            throw UsageError(
                message:
                    "only \(limit) files may be open, and \(DescriptorLimit.needed) are needed; raise the limit (ulimit -n)"
            )
        }
        return try verb.run(Invocation(words: words, arguments: parsed, output: output))
    }

    private static func verb(_ name: String) throws(UsageError) -> any Verb.Type {
        if let verb = verbs.first(where: { $0.declaration.name == name }) { return verb }
        if name.hasPrefix("-") {
            let hint = Suggestion.nearest(to: name, among: ["--help", "--version"])
            throw UsageError(
                message: "unknown option '\(name)'"
                    + (hint.map { "; did you mean '\($0)'?" } ?? "; see `freshpyc --help`"))
        }
        let hint = Suggestion.nearest(to: name, among: verbs.map { $0.declaration.name })
        throw UsageError(
            message: "unknown verb '\(name)'" + (hint.map { "; did you mean '\($0)'?" } ?? "; see `freshpyc --help`"))
    }

    /// Prints one line to standard error.
    static func complain(_ message: String) { Host.writeError("freshpyc: \(message)\n") }
}
