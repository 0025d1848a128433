// The verbs, and their help.
// Knows: names, options, examples. Does not know: how a verb is done.

/// Everything that can follow `freshpyc`.
enum Verb: String, CaseIterable, Sendable {
    case watch, build, check, wait, status, why, stop, graph, affected, cycles, precompile, verify, clean, inspect
    case compileAll = "compileall"
    case pyCompile = "py-compile"
    case interpreters

    var summary: String {
        switch self {
        case .watch: "keep a tree's bytecode fresh while it is edited"
        case .build: "bring a tree's bytecode up to date, once"
        case .check: "prove that every module compiles; writes nothing"
        case .wait: "wait until everything is compiled, as of now"
        case .status: "show what the daemon of a tree is at"
        case .why: "show the state of one source, and the reason"
        case .stop: "stop the daemon of a tree"
        case .graph: "show who imports whom"
        case .affected: "list what a change can affect"
        case .cycles: "find imports that go round"
        case .precompile, .compileAll, .pyCompile: deploymentSummary
        case .verify, .clean, .inspect: bytecodeSummary
        case .interpreters: "list the Python interpreters that can be used"
        }
    }

    /// Whether the verb looks at imports.
    var analyzesImports: Bool {
        switch self {
        case .watch, .check, .graph, .affected, .cycles: true
        case .build, .wait, .status, .why, .stop, .precompile, .compileAll, .pyCompile, .verify, .clean, .inspect,
            .interpreters:
            false
        }
    }

    /// Whether the verb asks about the graph, and about nothing else.
    var isAboutGraph: Bool { self == .graph || self == .affected || self == .cycles }

    /// Whether the verb may compile; the others need no count of the processors.
    var builds: Bool { self == .watch || self == .build || self == .check || self == .precompile || isDropIn }

    var usage: String {
        switch self {
        case .watch: "freshpyc watch [options] [PATH…]"
        case .build: "freshpyc build [options] [PATH…]"
        case .check: "freshpyc check [options] [PATH…]"
        case .wait: "freshpyc wait [options] [PATH]"
        case .status: "freshpyc status [options] [PATH]"
        case .why: "freshpyc why [options] FILE"
        case .stop: "freshpyc stop [options] [PATH]"
        case .graph: "freshpyc graph [options]"
        case .affected: "freshpyc affected [options] FILE… | --since REV | -"
        case .cycles: "freshpyc cycles [options] [PATH]"
        case .precompile, .compileAll, .pyCompile: deploymentUsage
        case .verify, .clean, .inspect: bytecodeUsage
        case .interpreters: "freshpyc interpreters [options]"
        }
    }

    static let python = OptionSpecification(
        "--python", "-p", value: "SPEC",
        help:
            "path, command or version (3.12), or all; may be repeated. Default: the active virtual environment, else .venv, else python3 on PATH"
    )
    static let levels = OptionSpecification(
        "-O", value: "LEVEL", help: "optimization level 0, 1 or 2; may be repeated (default: 0)")
    static let exclude = OptionSpecification(
        "--exclude", value: "GLOB", help: "leave out what matches, as in .gitignore; may be repeated")
    static let gitignore = OptionSpecification(
        "--gitignore", help: "leave out what git ignores (generated modules often are ignored, and still imported)")
    private static let select = OptionSpecification(
        "--select", value: "RULES",
        help:
            "of findings about imports, and of warnings, only these: \(RuleSelection.optional.map(\.rawValue).joined(separator: ", "))"
    )
    private static let ignore = OptionSpecification(
        "--ignore", value: "RULES", help: "not these findings; may be repeated")
    private static let sourceRoot = OptionSpecification(
        "--source-root", value: "DIR",
        help: "look for absolute imports there; may be repeated (default: found from where packages begin)")
    static let jobs = OptionSpecification(
        "--jobs", "-j", value: "N", help: "workers (default: the processors that this process may use)")
    static let timeout = OptionSpecification(
        "--timeout", value: "SECONDS", help: "what one file may take to compile (default: 60)")
    private static let stateDirectory = OptionSpecification(
        "--state-dir", value: "DIR", help: "keep the database there and not in .freshpyc/")
    static let store = OptionSpecification(
        "--store", value: "DIR",
        help: "share compiled code with other trees there (default: $XDG_CACHE_HOME/freshpyc/store), or none")
    static let noStore = OptionSpecification("--no-store", help: "share no compiled code")
    static let quiet = OptionSpecification("--quiet", "-q", help: "no summary and no progress")
    static let help = OptionSpecification("--help", "-h", help: "show this help")
    private static let invalidation = OptionSpecification(
        "--invalidation", value: "MODE",
        help:
            "timestamp, checked-hash or unchecked-hash (default: timestamp; checked-hash where SOURCE_DATE_EPOCH is set)"
    )

    var options: [OptionSpecification] {
        switch self {
        case .watch:
            [
                Self.python, Self.levels, Self.invalidation, Self.exclude, Self.gitignore, Self.jobs, Self.timeout,
                Self.stateDirectory, Self.store, Self.noStore,
                OptionSpecification(
                    "--background", "-b", help: "run as a daemon: returns when it is ready, or with the error"),
                OptionSpecification(
                    "--idle-timeout", value: "SECONDS", help: "leave after this long without a wave or a request"),
                Self.select, Self.ignore, Self.sourceRoot,
                OptionSpecification(
                    "--exec", value: "COMMAND",
                    help:
                        "run it in the root when all compiles: at the start, and after each wave; {changed}, {affected} and {affected-tests} stand for files"
                ),
                OptionSpecification(
                    "--exec-mode", value: "MODE",
                    help: "restart: a new wave ends a run under way (default); queue: the next run begins after it"),
                OptionSpecification(
                    "--log-level", value: "LEVEL",
                    help: "error, warning, info (each wave) or debug (each source, and why); default: info"),
                Self.format("text or json (one object a wave)"), Self.quiet, Self.help,
            ]
        case .build:
            [
                Self.python, Self.levels, Self.invalidation,
                OptionSpecification("--force", "-f", help: "recompile what is up to date as well"), Self.exclude,
                Self.gitignore, Self.jobs, Self.timeout, Self.stateDirectory, Self.store, Self.noStore, Self.noDaemon,
                Self.format("text or json"), Self.quiet, Self.help,
            ]
        case .check:
            [
                Self.python, OptionSpecification("--strict", help: "warnings are findings too (exit status 1)"),
                Self.levels, Self.exclude, Self.gitignore, Self.jobs, Self.timeout, Self.stateDirectory,
                Self.select, Self.ignore, Self.sourceRoot, Self.noDaemon,
                Self.format("text, json or github (annotations of a workflow)"), Self.quiet, Self.help,
            ]
        case .wait:
            [
                OptionSpecification("--timeout", value: "SECONDS", help: "give up after this long (exit status 2)"),
                Self.python, Self.levels, Self.invalidation, Self.exclude, Self.gitignore, Self.sourceRoot,
                Self.stateDirectory, Self.format("text or json"), Self.quiet, Self.help,
            ]
        case .status:
            [
                OptionSpecification("--config", help: "show the settings that hold here, and where each comes from"),
                Self.stateDirectory, Self.format("text or json"), Self.help,
            ]
        case .why:
            [
                Self.python, Self.levels, Self.invalidation, Self.exclude, Self.gitignore, Self.sourceRoot,
                Self.noDaemon, Self.stateDirectory, Self.format("text or json"), Self.help,
            ]
        case .stop:
            [Self.stateDirectory, Self.quiet, Self.help]
        case .graph:
            [
                OptionSpecification("--from", value: "PATH", help: "a source or folder to begin at; may be repeated"),
                OptionSpecification(
                    "--direction", value: "WAY", help: "dependencies (default) or dependents of --from"),
                OptionSpecification("--depth", value: "N", help: "go so many steps from --from"), Self.kinds,
                OptionSpecification("--external", help: "show what leads out of the tree as well"),
                Self.python, Self.exclude, Self.gitignore, Self.sourceRoot, Self.stateDirectory, Self.noDaemon,
                Self.format("text, json, dot or mermaid"), Self.help,
            ]
        case .affected:
            [
                OptionSpecification("--since", value: "REV", help: "what differs from a git revision, untracked too"),
                OptionSpecification("--tests", help: "only tests, as pytest finds them: test_*.py and *_test.py"),
                OptionSpecification("--why", help: "show how each is reached"), Self.kinds,
                Self.python, Self.exclude, Self.gitignore, Self.sourceRoot, Self.stateDirectory, Self.noDaemon,
                Self.format("text or json"), Self.help,
            ]
        case .cycles:
            [
                Self.python, Self.exclude, Self.gitignore, Self.sourceRoot, Self.stateDirectory, Self.noDaemon,
                Self.format("text or json"), Self.help,
            ]
        case .precompile, .compileAll, .pyCompile: deploymentOptions
        case .verify, .clean, .inspect: bytecodeOptions
        case .interpreters:
            [Self.format("text or json"), Self.help]
        }
    }

    private static let kinds = OptionSpecification(
        "--kinds", value: "KINDS",
        help: "count only these imports: eager, conditional, optional, deferred, lazy, dynamic, typeOnly")

    private static let noDaemon = OptionSpecification(
        "--no-daemon", help: "work alone, even if a daemon keeps this tree")

    static func format(_ help: String) -> OptionSpecification {
        OptionSpecification("--format", value: "FORMAT", help: help)
    }

    private var examples: [(String, String)] {
        switch self {
        case .watch:
            [
                ("freshpyc watch", "the project in the current directory"),
                ("freshpyc watch src --python 3.12 --python 3.13", "for two interpreters"),
                ("freshpyc watch --exec 'pytest -q {affected-tests}'", "run the tests that a save can have broken"),
            ]
        case .build:
            [
                ("freshpyc build", "the project in the current directory"),
                ("freshpyc build -O 0 -O 2 --exclude 'tests/data/'", "two levels, without test data"),
                ("freshpyc build --format json | jq .modules", "the counts, for a program"),
            ]
        case .check:
            [
                ("freshpyc check", "the project in the current directory"),
                ("freshpyc check --strict --format github src", "in a workflow, warnings count"),
            ]
        case .wait:
            [
                ("freshpyc wait && ./restart-server", "restart once all is compiled"),
                ("freshpyc wait --timeout 5 src", "for the daemon that keeps src"),
            ]
        case .status:
            [("freshpyc status", "the daemon of this directory"), ("freshpyc status --format json", "for a program")]
        case .why: [("freshpyc why pkg/module.py", "what holds of it, and why")]
        case .stop: [("freshpyc stop", "the daemon of this directory")]
        case .graph:
            [
                ("freshpyc graph --from pkg/api.py --direction dependents --depth 1", "who imports it"),
                ("freshpyc graph --format dot | dot -Tsvg > graph.svg", "a picture"),
            ]
        case .affected:
            [
                ("freshpyc affected --since main --tests | xargs -r pytest", "test what a branch can have broken"),
                ("freshpyc affected pkg/models.py --why", "what it reaches, and how"),
            ]
        case .cycles: [("freshpyc cycles", "the project in the current directory")]
        case .precompile, .compileAll, .pyCompile: deploymentExamples
        case .verify, .clean, .inspect: bytecodeExamples
        case .interpreters:
            [("freshpyc interpreters", "what --python can name here")]
        }
    }

    private var notes: String {
        switch self {
        case .watch:
            """
            Builds first, says `ready`, then compiles whatever changes. Stop it with Ctrl-C, or `freshpyc stop`.
            In the background it writes to .freshpyc/log. `build`, `check`, `wait`, `status` and `why` ask it.
            The bytecode of a deleted source is removed.
            """
        case .build:
            """
            Exit status: 0 all is up to date, 1 a module does not compile, 2 something could not be done.
            """
        case .check:
            """
            What an earlier build or check has found in a file that did not change is not asked again.
            Exit status: 0 no finding, 1 findings, 2 something could not be checked, or nothing is in scope.
            """
        case .wait:
            """
            When it returns, everything saved before the call is compiled, or its error is on record.
            A daemon with other values than the options given here is an error.
            Exit status: 0 all is compiled, 1 something does not compile or could not be written, 2 no daemon, another
            daemon, or not in time.
            """
        case .status:
            """
            Exit status: 0 a daemon runs, 2 none does.
            """
        case .why:
            """
            Asks the daemon of the tree, or looks for itself. Writes nothing.
            """
        case .stop:
            """
            Exit status: 0 it has stopped, 2 none was running.
            """
        case .graph:
            """
            Asks the daemon of the tree, or scans what has changed since the last time. Nothing is compiled.
            """
        case .affected:
            """
            A deleted file counts by those who would import it. conftest.py reaches the tests below it, and an
            __init__.py its package. What cannot be told exactly is taken wider, and said on standard error.
            """
        case .cycles:
            """
            Exit status: 0 none is eager, 1 some are, 2 something could not be done.
            """
        case .precompile, .compileAll, .pyCompile: deploymentNotes
        case .verify, .clean, .inspect: bytecodeNotes
        case .interpreters:
            """
            The first one is used where no --python is given.
            """
        }
    }

    var help: String {
        var text = "\(usage)\n\n\(summary.prefix(1).uppercased() + summary.dropFirst()).\n\n\(notes)\n\nOptions:\n"
        for option in options {
            let names = option.names.joined(separator: ", ") + (option.value.map { " \($0)" } ?? "")
            text += Self.entry(names, option.help)
        }
        text += "\nExamples:\n"
        for (command, meaning) in examples { text += "  \(command)\n      \(meaning)\n" }
        return text
    }

    static var overview: String {
        var text = """
            freshpyc keeps the bytecode of a Python tree fresh.

            freshpyc VERB [options] [PATH…]

            Verbs:

            """
        for verb in allCases { text += entry(verb.rawValue, verb.summary) }
        return text + """

            freshpyc VERB --help shows the options of a verb and examples.
            freshpyc --version shows the version.

            """
    }

    /// A left column of 24 characters, and text wrapped at 100.
    private static func entry(_ left: String, _ right: String) -> String {
        let indent = 26
        var lines: [String] = []
        var line = ""
        for word in right.split(separator: " ") {
            if !line.isEmpty, line.count + word.count + 1 > 100 - indent {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        let pad = String(repeating: " ", count: indent)
        let head = "  " + left
        let first = head.count >= indent ? head + "\n" + pad : head + String(repeating: " ", count: indent - head.count)
        return first + lines.joined(separator: "\n" + pad) + "\n"
    }
}
