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
            "the files changed since the merge base with this git revision, including uncommitted and untracked files"
    )
    private static let tests = OptionSpecification(
        "--tests",
        help: "list only tests: as pytest's configuration says, else the names that pytest, unittest and Django know")
    private static let null = OptionSpecification(
        "--null", "-z", help: "separate the files with NULs, for `xargs -0`: names may contain newlines")
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
            since, tests, why, null, .kinds, .python, .exclude, .gitignore, .sourceRoot, .stateDirectory, .noDaemon,
            .textOrJSON, .help,
        ],
        exitStatuses: [0: "listed; the list may be empty", 2: "something could not be done"],
        examples: [
            .init(
                "freshpyc affected --since main --tests | xargs -r pytest",
                "test what a branch may have broken, if anything"),
            .init("freshpyc affected pkg/models.py --why", "which modules depend on it, and how"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        var question = try GraphQuestion(invocation, declaration, asksForFiles: true)
        let isFromGit = parsed.has(since.name)
        var changed = try changedFiles(parsed, question)
        // A data file that never existed affects nothing. Whether something imports a source that does not exist is for the
        // graph to say.
        let nonsense = isFromGit ? [] : neverSeen(changed.filter { !$0.hasSuffix(".py") }, question)
        changed.removeAll { nonsense.contains($0) }
        try question.ask(about: changed)
        question.ask(
            direction: nil, onlyTests: parsed.has(tests.name),
            showsChains: parsed.has(why.name) || question.arguments.format == .json)
        let isJSON = question.arguments.format == .json
        let isSeparatedByNULs = parsed.has(null.name)
        let onlyTests = parsed.has(tests.name)
        let showsWhy = parsed.has(why.name)
        let output = invocation.output
        let settled = question
        @Sendable func show(_ answer: AffectedDocument) -> Int32 {
            var document = answer
            let unknown = isFromGit ? [] : neverSeen((answer.unknown ?? []).map { BytePath($0) }, settled) + nonsense
            document.unknown = unknown.isEmpty ? nil : unknown.map(\.text).sorted()
            guard !isJSON else {
                output.write(JSONLine.encode(document))
                return document.unknown == nil ? 0 : 2
            }
            for path in document.unknown ?? [] {
                FreshpycCommand.complain(
                    "no such file: '\(settled.shown(path))', and nothing imports it; check the path")
            }
            for widening in document.widened {
                FreshpycCommand.complain("\(settled.shown(widening.path)) \(widening.reason)")
            }
            if onlyTests, document.affected.isEmpty, !document.changed.isEmpty, document.unknown == nil {
                let count = document.changed.count
                let what = count == 1 ? "'\(settled.shown(document.changed[0]))'" : Plural.count(count, "changed file")
                FreshpycCommand.complain("no test depends on \(what)")
            }
            if isSeparatedByNULs {
                output.write(document.affected.map { settled.exact($0.path) + "\0" }.joined())
            } else {
                output.write(
                    lines: document.affected.map { source in
                        settled.shown(source.path) + (showsWhy ? explanation(source, settled) : "")
                    })
            }
            return document.unknown == nil ? 0 : 2
        }
        guard !changed.isEmpty else {
            if nonsense.isEmpty {
                FreshpycCommand.complain(
                    isFromGit
                        ? "nothing has changed since the merge base with this revision" : "the list of files is empty")
            }
            return show(AffectedDocument(changed: [], AffectedAnswer(), hasChains: false))
        }
        return question.answer(.affected, alone: { ControlAnswers.affected($0, $1) }, show: show)
    }

    /// Relative to the root.
    private static func changedFiles(
        _ parsed: ParsedArguments, _ question: GraphQuestion
    ) throws(UsageError) -> [BytePath] {
        if let revision = parsed.last(since.name) {
            guard parsed.operands.isEmpty else { throw UsageError(message: "name files or --since REV, not both") }
            let root = question.arguments.configuration.rootPath
            let changes = try GitRepository(root: root).changes(since: revision)
            if changes.outside > 0 {
                FreshpycCommand.complain(
                    "\(Plural.count(changes.outside, "changed file")) outside \(root) not considered")
            }
            return changes.inside
        }
        guard !parsed.operands.isEmpty else {
            throw UsageError(message: "affected needs files, `-` for a list on standard input, or --since REV")
        }
        let named = parsed.operands == [BytePath("-")] ? listedFiles() : parsed.operands
        var paths: [BytePath] = []
        for path in named { paths.append(try question.relative(path)) }
        return paths
    }

    /// The files that do not exist and never did, as far as git knows: a deleted file that nothing imports affects nothing.
    private static func neverSeen(_ paths: [BytePath], _ question: GraphQuestion) -> [BytePath] {
        let root = question.arguments.configuration.rootPath
        let missing = paths.filter {
            !$0.isEmpty && (try? Host.status(root.appending($0), followsLinks: false)) == .some(nil)
        }
        guard !missing.isEmpty, let seen = try? GitRepository(root: root).committed(among: missing) else {
            return missing
        }
        return missing.filter { !seen.contains($0) }
    }

    /// Reads file names from standard input: separated by NULs if there are any, otherwise one per line.
    private static func listedFiles() -> [BytePath] {
        let bytes = Host.standardInput()
        let separator: UInt8 = bytes.contains(0) ? 0 : UInt8(ascii: "\n")
        return bytes.split(separator: separator).compactMap { BytePath($0) }
    }

    /// `: imports b.py (line 1), which is in the package of c.py`
    private static func explanation(_ source: AffectedDocument.Source, _ question: GraphQuestion) -> String {
        guard source.chain.count > 1 else { return ": changed" }
        var text = ""
        for (step, next) in zip(source.chain, source.chain.dropFirst()) {
            let path = question.shown(next.path)
            let how =
                switch step.link {
                case "imports": "imports \(path) (line \(step.line))"
                case "package": "is in the package of \(path)"
                case "mentions": "names \(path) in a string"
                case "assumed": "may depend on \(path)"
                case "declared": "depends on \(path), as declared"
                default: "is a test below \(path)"
                }
            text += step.path == source.path ? ": \(how)" : ", which \(how)"
        }
        return text
    }
}
