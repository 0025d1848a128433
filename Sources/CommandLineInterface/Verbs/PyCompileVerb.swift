// `freshpyc py-compile`

import BasicTypes
import LinuxSystem

enum PyCompileVerb: Verb {
    static let declaration = VerbDeclaration(
        name: "py-compile",
        summary: "do what `python -m py_compile` does, with its arguments",
        arguments: "[-q] FILE… | -",
        traits: [.compiles, .remembers, .readsOwnCommandLine],
        description: [
            "Takes the arguments of CPython's py_compile, prints what it prints, and makes the files that it makes. The interpreter is selected as for other verbs, or by FRESHPYC_PYTHON."
        ],
        options: [OptionSpecification("-q", "--quiet", help: "print no errors"), .help],
        exitStatuses: [
            0: "everything is compiled", 1: "a file does not compile", 2: "the arguments are wrong",
        ],
        examples: [.init("freshpyc py-compile a.py b.py", "like python -m py_compile a.py b.py")])

    private enum Option: ArgparseOption {
        case help, quiet

        var names: [String] { self == .help ? ["-h", "--help"] : ["-q", "--quiet"] }
        var takesValue: Bool { false }
    }

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        var names: [BytePath] = []
        var isQuiet = false
        do throws(UsageError) {
            let operands = try ArgparseReader<Option>.read(invocation.words, required: "filenames") { option, _ in
                if option == .quiet { isQuiet = true }
                return option != .help
            }
            guard let operands else {
                invocation.output.write(HelpText.forOutput.verb(declaration))
                return 0
            }
            names = operands
        } catch {
            return ArgparseUsage.pyCompile.complain(error.message)
        }
        if names == [BytePath("-")] {
            names = DropIn.lines(Host.standardInput()).compactMap { BytePath($0) }
        }
        let session = try SessionArguments(invocation.arguments, for: declaration)
        let all = names
        let quiet = isQuiet
        return EventLoop.run { loop in PyCompileRun(session, names: all, isQuiet: quiet, loop: loop).start() }
    }
}
