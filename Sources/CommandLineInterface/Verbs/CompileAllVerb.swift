// `freshpyc compileall`

import LinuxSystem

enum CompileAllVerb: Verb {
    /// The options are for the help; `CompileAllArguments` reads them as Python's argparse does.
    static let declaration = VerbDeclaration(
        name: "compileall",
        summary: "do what `python -m compileall` does, with its arguments",
        arguments: "[OPTIONS] [FILE|DIR…]",
        traits: [.compiles, .remembers, .readsOwnCommandLine],
        description: [
            "Takes the arguments of CPython's compileall, prints what it prints, and makes the files that it makes. The interpreter is selected as for other verbs, or by FRESHPYC_PYTHON. COMPILEALL.md in the manual lists the differences."
        ],
        options: [
            OptionSpecification("-l", help: "do not descend into subdirectories"),
            OptionSpecification(
                "-r", value: .text("RECURSION"), help: "maximum number of levels of subdirectories; overrides -l"),
            OptionSpecification("-f", help: "recompile files that are up to date, too"),
            OptionSpecification("-q", help: "print only errors; -qq prints nothing"),
            OptionSpecification("-b", help: "write x.pyc beside x.py"),
            OptionSpecification(
                "-d", value: .path("DESTDIR"), help: "the directory that tracebacks show; not with -s or -p"),
            OptionSpecification("-s", value: .path("STRIPDIR"), help: "remove this prefix from the path in tracebacks"),
            OptionSpecification("-p", value: .path("PREPENDDIR"), help: "prepend this to the path in tracebacks"),
            OptionSpecification("-x", value: .text("REGEXP"), help: "skip files whose path matches, as Python's re"),
            OptionSpecification(
                "-i", value: .path("FILE"), help: "also compile the files listed in FILE, one per line; - is stdin"),
            OptionSpecification(
                "-j", "--workers", value: .text("WORKERS"),
                help: "number of compiler processes; 0, or no -j, means one per processor"),
            OptionSpecification(
                "--invalidation-mode", value: .text("MODE"),
                help:
                    "timestamp, checked-hash or unchecked-hash (default: timestamp, or checked-hash if SOURCE_DATE_EPOCH is set)"
            ),
            OptionSpecification("-o", value: .text("LEVEL"), help: "optimization level; may be repeated"),
            OptionSpecification("-e", value: .path("DIR"), help: "skip symbolic links that lead out of DIR"),
            .hardLinkDuplicates, .help,
        ],
        exitStatuses: [
            0: "everything is compiled",
            1: "a file does not compile or does not exist, or the value of an option is invalid",
            2: "the arguments are wrong",
        ],
        examples: [
            .init("freshpyc compileall -q -j0 src", "like python -m compileall -q -j0 src"),
            .init("FRESHPYC_PYTHON=3.12 freshpyc compileall -o0 -o2 /usr/lib/app", "for another Python"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let arguments: CompileAllArguments
        do throws(UsageError) {
            guard let read = try CompileAllArguments.read(invocation.words) else {
                invocation.output.write(HelpText.forOutput.verb(declaration))
                return 0
            }
            arguments = read
        } catch {
            return ArgparseUsage.compileAll.complain(error.message)
        }
        let session = try SessionArguments(invocation.arguments, for: declaration)
        let output = invocation.output
        return EventLoop.run { loop in
            CompileAllPreparation(arguments, session, output: output, loop: loop).start()
        }
    }
}
