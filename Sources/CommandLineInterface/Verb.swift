// The protocol of all verbs. Each verb is one type in its own file in Verbs/; `FreshpycCommand.verbs` lists them.

/// One verb: what can follow `freshpyc` on a command line.
protocol Verb: SendableMetatype {
    /// Its name, options and help.
    static var declaration: VerbDeclaration { get }

    /// - Returns: the exit status.
    static func run(_ invocation: Invocation) throws(UsageError) -> Int32
}

/// One use of a verb.
struct Invocation {
    /// Everything after the verb, as it was given.
    let words: [Argument]
    /// The same, parsed by the verb's options; empty for a verb that reads its own command line.
    let arguments: ParsedArguments
    let output: StandardOutput
}

/// The declaration of a verb. Parsing, `--help` and error messages are generated from it.
struct VerbDeclaration: Sendable {
    /// Properties of a verb, for the code that verbs share.
    struct Traits: OptionSet, Sendable {
        let rawValue: UInt8

        /// It starts compilers, as many as there are processors.
        static let compiles = Traits(rawValue: 1 << 0)
        /// It compiles without writing anything.
        static let checksOnly = Traits(rawValue: 1 << 1)
        /// It reads the imports of the sources.
        static let analyzesImports = Traits(rawValue: 1 << 2)
        /// It may write to `.freshpyc/`, to remember a parsed configuration.
        static let remembers = Traits(rawValue: 1 << 3)
        /// It shares compiled code with other trees.
        static let usesStore = Traits(rawValue: 1 << 4)
        /// It runs until it is stopped, and answers other verbs.
        static let serves = Traits(rawValue: 1 << 5)
        /// It has the command line of a Python module, and parses it as Python does.
        static let readsOwnCommandLine = Traits(rawValue: 1 << 6)
        /// It only talks to a daemon, so a mistake in the configuration does not prevent it.
        static let needsNoSettings = Traits(rawValue: 1 << 7)
    }

    struct Example: Sendable {
        let command: String
        let meaning: String

        init(_ command: String, _ meaning: String) {
            self.command = command
            self.meaning = meaning
        }
    }

    let name: String
    /// Half a sentence, in lower case and without a full stop.
    let summary: String
    /// The text after the name in the usage line.
    var arguments = "[OPTIONS] [PATH…]"
    var traits: Traits = []
    /// Paragraphs.
    let description: [String]
    let options: [OptionSpecification]
    /// The meaning of each exit status.
    let exitStatuses: KeyValuePairs<Int32, String>
    let examples: [Example]

    func has(_ option: String) -> Bool { options.contains { $0.name == option } }
}
