// `freshpyc build`

enum BuildVerb: Verb {
    static let declaration = VerbDeclaration(
        name: "build",
        summary: "compile what has changed, once",
        traits: [.compiles, .remembers, .usesStore],
        description: [
            "Brings the bytecode of all modules up to date. Modules that are up to date are not compiled again, and all others are compiled even if some fail."
        ],
        options: [
            .python, .optimize, .invalidation, .force, .exclude, .gitignore, .jobs, .compileTimeout, .stateDirectory,
            .store, .noStore, .noDaemon, .textOrJSON, .quiet, .help,
        ],
        exitStatuses: [
            0: "everything is up to date",
            1: "a module does not compile",
            2: "something could not be done, such as writing a file; or nothing is in scope",
        ],
        examples: [
            .init("freshpyc build", "the project in the current directory"),
            .init("freshpyc build -O 0 -O 2 --exclude tests/data/", "two levels, without test data"),
            .init("freshpyc build --format json | jq .modules", "the counts, for a program"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        try OneShotBuild.run(.build, invocation, declaration)
    }
}
