// The options that several verbs share, each declared once.

import BuildModel

extension OptionSpecification {
    static let python = OptionSpecification(
        "--python", "-p", value: .text("SPEC"),
        help:
            "interpreter: a path, a command, a version (3.12) or 'all'; may be repeated (default: the active virtual environment, else .venv, else python3 on PATH)"
    )
    static let optimize = OptionSpecification(
        "-O", value: .choice("LEVEL", of: ["0", "1", "2"]),
        help: "optimization level: 0, 1 or 2; may be repeated (default: 0)")
    static let invalidation = OptionSpecification(
        "--invalidation", value: .choice("MODE", InvalidationMode.self),
        help:
            "how import validates the bytecode: timestamp, checked-hash or unchecked-hash (default: timestamp, or checked-hash if SOURCE_DATE_EPOCH is set)"
    )
    static let exclude = OptionSpecification(
        "--exclude", value: .text("GLOB"),
        help: "skip files and directories that match, with .gitignore syntax; may be repeated")
    static let gitignore = OptionSpecification(
        "--gitignore", help: "skip what .gitignore files exclude (off by default: generated modules are often ignored)")
    static let select = OptionSpecification(
        "--select", value: .text("RULES"),
        help:
            "show only these findings, separated by commas: \(RuleSelection.optional.map(\.rawValue).joined(separator: ", "))"
    )
    static let ignore = OptionSpecification(
        "--ignore", value: .text("RULES"), help: "hide these findings; may be repeated")
    static let sourceRoot = OptionSpecification(
        "--source-root", value: .path("DIR"),
        help: "resolve absolute imports from DIR; may be repeated (default: detected from the packages)")
    static let jobs = OptionSpecification(
        "--jobs", "-j", value: .count("N"),
        help: "number of compiler processes (default: the processors available to this process)")
    static let compileTimeout = OptionSpecification(
        "--timeout", value: .seconds("SECONDS"), help: "maximum time to compile one file (default: 60)")
    static let stateDirectory = OptionSpecification(
        "--state-dir", value: .path("DIR"), help: "keep the database in DIR (default: .freshpyc/ at the root)")
    static let store = OptionSpecification(
        "--store", value: .path("DIR"),
        help:
            "share compiled code between trees in DIR, or 'none' to share nothing (default: $XDG_CACHE_HOME/freshpyc/store)"
    )
    static let noStore = OptionSpecification("--no-store", help: "do not share compiled code between trees")
    static let noDaemon = OptionSpecification(
        "--no-daemon", help: "do not ask the daemon of this tree, even if one is running")
    static let force = OptionSpecification("--force", "-f", help: "recompile modules that are up to date, too")
    static let strict = OptionSpecification("--strict", help: "exit with 1 on warnings, too")
    static let kinds = OptionSpecification(
        "--kinds", value: .text("KINDS"),
        help:
            "follow only these kinds of imports, separated by commas: eager, conditional, optional, deferred, lazy, dynamic, typeOnly"
    )
    static let hardLinkDuplicates = OptionSpecification(
        "--hardlink-dupes", help: "hard-link identical bytecode of several optimization levels")
    static let quiet = OptionSpecification("--quiet", "-q", help: "print no summary and no progress")
    static let help = OptionSpecification("--help", "-h", help: "print this help")

    static func format(_ words: String..., help: String) -> OptionSpecification {
        OptionSpecification("--format", value: .choice("FORMAT", of: words), help: "output format: \(help)")
    }

    static let textOrJSON = format("text", "json", help: "text (default) or json")
}
