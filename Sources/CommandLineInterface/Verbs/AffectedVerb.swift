// `freshpyc affected`

import BasicTypes
import BuildModel
import Documents
import ImportGraph
import LinuxSystem
import Service

enum AffectedVerb: Verb {
    private static let since = OptionSpecification(
        "--since", value: .text("REV"),
        help:
            "what this branch changed since it left this git revision (merge base), also uncommitted and untracked files"
    )
    private static let tests = OptionSpecification(
        "--tests", help: "list only tests, named as pytest expects: test_*.py and *_test.py")
    private static let why = OptionSpecification("--why", help: "show the chain of imports to each affected file")

    static let declaration = VerbDeclaration(
        name: "affected",
        summary: "list the modules that a change can affect",
        arguments: "[OPTIONS] FILE… | --since REV | -",
        traits: [.analyzesImports, .remembers],
        description: [
            "A file affects the modules that import it, directly or through others. A deleted file affects the modules that would import it, conftest.py affects the tests below it, and __init__.py its package. Where the answer is uncertain, more files are listed, and a message on standard error says why.",
            "With `-`, the files are read from standard input, one per line or separated by NULs.",
        ],
        options: [
            since, tests, why, .kinds, .python, .exclude, .gitignore, .sourceRoot, .stateDirectory, .noDaemon,
            .textOrJSON, .help,
        ],
        exitStatuses: [0: "listed; the list may be empty", 2: "something could not be done"],
        examples: [
            .init("freshpyc affected --since main --tests | xargs -r pytest", "test what a branch may have broken"),
            .init("freshpyc affected pkg/models.py --why", "which modules depend on it, and how"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        var question = try GraphQuestion(invocation, declaration, asksForFiles: true)
        let changed = try changedFiles(parsed, question)
        try question.ask(about: changed)
        question.ask(direction: nil, onlyTests: parsed.has(tests.name))
        let isJSON = question.arguments.format == .json
        let showsWhy = parsed.has(why.name)
        let output = invocation.output
        let settled = question
        @Sendable func show(_ document: AffectedDocument) -> Int32 {
            guard !isJSON else {
                output.write(JSONLine.encode(document))
                return 0
            }
            for widening in document.widened {
                FreshpycCommand.complain("\(settled.shown(widening.path)) \(widening.reason)")
            }
            output.write(
                lines: document.affected.map { source in
                    settled.shown(source.path) + (showsWhy ? explanation(source, settled) : "")
                })
            return 0
        }
        // No change affects nothing.
        guard !changed.isEmpty else { return show(AffectedDocument(changed: [], AffectedAnswer())) }
        return question.answer(.affected, alone: { ControlAnswers.affected($0, $1) }, show: show)
    }

    /// Relative to the root.
    private static func changedFiles(
        _ parsed: ParsedArguments, _ question: GraphQuestion
    ) throws(UsageError) -> [BytePath] {
        if let revision = parsed.last(since.name) {
            guard parsed.operands.isEmpty else { throw UsageError(message: "name files or --since REV, not both") }
            return try GitRepository(root: question.arguments.configuration.rootPath).changes(since: revision)
        }
        guard !parsed.operands.isEmpty else {
            throw UsageError(message: "affected needs files, `-` for a list on standard input, or --since REV")
        }
        let named = parsed.operands == [BytePath("-")] ? listedFiles() : parsed.operands
        var paths: [BytePath] = []
        for path in named { paths.append(try question.relative(path)) }
        return paths
    }

    /// From standard input: one per line, or separated by NULs if there is one.
    private static func listedFiles() -> [BytePath] {
        let bytes = Host.standardInput()
        let separator: UInt8 = bytes.contains(0) ? 0 : UInt8(ascii: "\n")
        return bytes.split(separator: separator).compactMap { BytePath($0) }
    }

    /// `: imports b.py (line 1), which lies in the package of c.py`
    private static func explanation(_ source: AffectedDocument.Source, _ question: GraphQuestion) -> String {
        guard source.chain.count > 1 else { return ": changed" }
        var text = ""
        for (step, next) in zip(source.chain, source.chain.dropFirst()) {
            let path = question.shown(next.path)
            let how =
                switch step.link {
                case "imports": "imports \(path) (line \(step.line))"
                case "package": "lies in the package of \(path)"
                default: "is a test below \(path)"
                }
            text += step.path == source.path ? ": \(how)" : ", which \(how)"
        }
        return text
    }
}
