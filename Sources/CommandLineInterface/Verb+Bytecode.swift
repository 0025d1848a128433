// The verbs about bytecode that is there: their options and help.
// Knows: names, options, examples. Does not know: how a verb is done.

extension Verb {
    /// Whether the verb looks at bytecode files as they are, and neither compiles nor remembers anything.
    var isAboutBytecode: Bool { self == .verify || self == .clean || self == .inspect }

    var bytecodeSummary: String {
        switch self {
        case .verify: "compare every bytecode file with its source"
        case .clean: "remove bytecode that nothing needs"
        default: "show what is in a bytecode file"
        }
    }

    var bytecodeUsage: String {
        switch self {
        case .verify: "freshpyc verify [options] [PATH…]"
        case .clean: "freshpyc clean [options] [PATH…]"
        default: "freshpyc inspect [options] FILE.pyc… | -"
        }
    }

    var bytecodeOptions: [OptionSpecification] {
        switch self {
        case .verify:
            [
                Self.python, Self.exclude,
                OptionSpecification(
                    "--repair",
                    help:
                        "compile anew what is stale or damaged, validated as it was, and remove what has no source and what was left over"
                ),
                OptionSpecification("--strict", help: "warnings and notes count as findings (exit status 1)"),
                Self.format("text or json"), Self.quiet, Self.help,
            ]
        case .clean:
            [
                OptionSpecification(
                    "--foreign", help: "also what no selected interpreter writes or reads, by its cache tag"),
                OptionSpecification("--all", help: "all bytecode of these paths, but for what has no source beside it"),
                Self.python, Self.exclude,
                OptionSpecification("--dry-run", "-n", help: "list what would go, and leave it"),
                OptionSpecification("--verbose", "-v", help: "list what goes"), Self.quiet, Self.help,
            ]
        default:
            [Self.format("text or json"), Self.help]
        }
    }

    var bytecodeExamples: [(String, String)] {
        switch self {
        case .verify:
            [
                ("freshpyc verify", "the project in the current directory"),
                ("freshpyc verify --strict --python all /opt/app", "before it is shipped: nothing may be left over"),
                ("freshpyc verify venv/lib/python3.12/site-packages", "what is left out unless it is named"),
            ]
        case .clean:
            [
                ("freshpyc clean --dry-run", "see what would go"),
                ("freshpyc clean --foreign --python 3.12 --python 3.13", "keep the bytecode of two Pythons"),
                ("freshpyc clean --all build/", "no bytecode at all"),
            ]
        default:
            [
                ("freshpyc inspect pkg/__pycache__/module.cpython-312.pyc", "its header and its code objects"),
                ("freshpyc inspect --format json module.pyc | jq '.files[].codes[].name'", "for a program"),
                ("unzip -p app.zip module.pyc | freshpyc inspect -", "from standard input"),
            ]
        }
    }

    var bytecodeNotes: String {
        switch self {
        case .verify:
            """
            Looks at the header, at the source that it speaks of, and at the code to its last byte. Sources without
            bytecode are counted, and are no finding.
            Exit status: 0 all is as it should be, 1 findings, 2 something could not be verified, or there is nothing.
            """
        case .clean:
            """
            Without options: bytecode in __pycache__ whose source is gone, and temporary files that were left behind.
            Bytecode that lies where a source would is never removed without one beside it. Links are not followed.
            Exit status: 0 done, 2 something could not be removed.
            """
        default:
            """
            Needs no Python to read a file; those that are found are asked whose magic number it is.
            Exit status: 0 it is whole, 1 it is damaged, 2 it could not be read.
            """
        }
    }
}
