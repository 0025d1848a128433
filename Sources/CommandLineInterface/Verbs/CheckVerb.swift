// `freshpyc check`

enum CheckVerb: Verb {
    static let untrusted = OptionSpecification(
        "--untrusted",
        help:
            "run nothing that the tree contains or names: no interpreter inside it, no configuration file, no daemon, no database"
    )

    static let declaration = VerbDeclaration(
        name: "check",
        summary: "report modules that do not compile, and imports that fail",
        traits: [.compiles, .checksOnly, .analyzesImports],
        description: [
            "Compiles all modules without writing bytecode, and looks for imports inside the tree that do not resolve. Results of an earlier build or check are reused for files that have not changed.",
            "Sources are compiled, never executed. The interpreter is executed, and by default it is the one in .venv, or the one that the project's configuration names: use --untrusted for code that you do not trust.",
        ],
        options: [
            .python, .strict, .optimize, untrusted, .exclude, .gitignore, .jobs, .compileTimeout, .stateDirectory,
            .select, .ignore, .sourceRoot, .noDaemon,
            .format("text", "json", "github", help: "text (default), json, or github (annotations in a workflow)"),
            .quiet, .help,
        ],
        exitStatuses: [
            0: "no errors, and with --strict no warnings",
            1: "findings: errors, and with --strict warnings",
            2: "something could not be checked, or nothing is in scope",
        ],
        examples: [
            .init("freshpyc check", "the project in the current directory"),
            .init("freshpyc check --strict --format github src", "in a GitHub workflow; warnings count"),
            .init("freshpyc check --untrusted --python 3.12 download/", "untrusted code"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        try OneShotBuild.run(.check, invocation, declaration)
    }
}
