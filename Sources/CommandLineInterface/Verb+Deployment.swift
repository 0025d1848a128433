// The verbs that make bytecode to be shipped: their options and help.
// Knows: names, options, examples. Does not know: how a verb is done.

extension Verb {
    /// Whether the verb takes the command line of a module of Python's, word for word.
    var isDropIn: Bool { self == .compileAll || self == .pyCompile }

    var deploymentSummary: String {
        switch self {
        case .precompile: "compile what is shipped: reproducible, valid wherever it lands"
        case .compileAll: "do what python -m compileall does, with its arguments"
        default: "do what python -m py_compile does, with its arguments"
        }
    }

    var deploymentUsage: String {
        switch self {
        case .precompile: "freshpyc precompile [options] [PATH…]"
        case .compileAll: "freshpyc compileall [options] [FILE|DIR…]"
        default: "freshpyc py-compile [-q] FILE… | -"
        }
    }

    var deploymentOptions: [OptionSpecification] {
        switch self {
        case .precompile: precompileOptions
        case .compileAll: Self.compileAllOptions
        default: [OptionSpecification("-q", "--quiet", help: "print no errors"), Self.help]
        }
    }

    /// For the help alone: these words are read as Python's argparse reads them.
    private static let compileAllOptions = [
        OptionSpecification("-l", help: "do not go into subdirectories"),
        OptionSpecification("-r", value: "RECURSION", help: "go into so many levels of subdirectories; wins over -l"),
        OptionSpecification("-f", help: "compile what is up to date as well"),
        OptionSpecification("-q", help: "print errors alone; -qq prints nothing"),
        OptionSpecification("-b", help: "put x.pyc beside x.py"),
        OptionSpecification("-d", value: "DESTDIR", help: "the directory that tracebacks name; not with -s or -p"),
        OptionSpecification("-s", value: "STRIPDIR", help: "leave this out of the path that tracebacks name"),
        OptionSpecification("-p", value: "PREPENDDIR", help: "put this before that path"),
        OptionSpecification("-x", value: "REGEXP", help: "leave out files in whose path Python finds this"),
        OptionSpecification("-i", value: "FILE", help: "also what is listed there, a name a line; - is standard input"),
        OptionSpecification(
            "-j", "--workers", value: "WORKERS", help: "workers; 0, and no -j, mean as many as there are processors"),
        OptionSpecification(
            "--invalidation-mode", value: "MODE",
            help: "timestamp, checked-hash or unchecked-hash (default: checked-hash where SOURCE_DATE_EPOCH is set)"),
        OptionSpecification("-o", value: "LEVEL", help: "optimization level; may be repeated"),
        OptionSpecification("-e", value: "DIR", help: "leave out links that lead out of it"),
        OptionSpecification("--hardlink-dupes", help: "equal bytecode of several levels is one file"), Self.help,
    ]

    private var precompileOptions: [OptionSpecification] {
        [
            Self.python, Self.levels,
            OptionSpecification(
                "--invalidation", value: "MODE",
                help: "unchecked-hash (default: import trusts the bytecode), checked-hash or timestamp"),
            OptionSpecification(
                "--strip-prefix", value: "DIR", help: "leave this out of the path that code says it is from"),
            OptionSpecification("--prepend-prefix", value: "DIR", help: "put this before that path"),
            OptionSpecification(
                "--output", value: "DIR",
                help: "put a copy of the tree there, with its bytecode; nothing else is written"),
            OptionSpecification(
                "--layout", value: "LAYOUT",
                help: "of --output: mirror (default), or pycache-prefix (bytecode alone, for PYTHONPYCACHEPREFIX=DIR)"),
            OptionSpecification(
                "--sourceless", help: "x.pyc where x.py is, to be imported without it; --output leaves the sources out"),
            OptionSpecification("--hardlink-dupes", help: "equal bytecode of several levels is one file"),
            OptionSpecification("--environment", help: "the interpreter's installed packages as well"),
            OptionSpecification("--stdlib", help: "the interpreter's standard library as well"),
            OptionSpecification(
                "--prune", help: "remove bytecode without a source, and of other interpreters than these"),
            OptionSpecification(
                "--manifest", value: "FILE", help: "write what was made, from what, and what was not, as JSON"),
            OptionSpecification("--force", "-f", help: "recompile what is valid as well"),
            Self.exclude, Self.gitignore, Self.jobs, Self.timeout, Self.store, Self.noStore,
            Self.format("text or json"), Self.quiet, Self.help,
        ]
    }

    var deploymentExamples: [(String, String)] {
        switch self {
        case .precompile:
            [
                ("freshpyc precompile --environment /app", "in a Dockerfile, once all is installed"),
                (
                    "freshpyc precompile src --output build --strip-prefix src --prepend-prefix /var/task",
                    "a copy to be zipped, whose tracebacks name where it will lie"
                ),
                ("freshpyc precompile src --output dist --sourceless -O 2", "bytecode without its sources"),
                ("freshpyc precompile --python 3.12 --python 3.13 --manifest bytecode.json", "for two, with a record"),
            ]
        case .compileAll:
            [
                ("freshpyc compileall -q -j0 src", "as python -m compileall -q -j0 src"),
                (
                    "FRESHPYC_PYTHON=3.12 freshpyc compileall -o0 -o2 --hardlink-dupes /usr/lib/app",
                    "for another Python"
                ),
            ]
        default: [("freshpyc py-compile a.py b.py", "as python -m py_compile a.py b.py")]
        }
    }

    var deploymentNotes: String {
        switch self {
        case .precompile:
            """
            Leaves bytecode in the tree and nothing else. Bytecode that is valid is not compiled again: it gets the header that is
            wanted. All modules are tried, and the exit status says whether one failed.
            SOURCE_DATE_EPOCH: every file that is made has this time, and no time that is written is later.
            Python 2.7 and 3.6 know no hash-based bytecode; theirs is validated by time.
            Exit status: 0 all is there, 1 a module does not compile, 2 something could not be done.
            """
        case .compileAll:
            """
            Takes the arguments of the newest CPython's compileall, prints what it prints, and makes the files that it makes.
            The interpreter is chosen as for other verbs, or by FRESHPYC_PYTHON. What differs is in COMPILEALL.md.
            """
        default:
            """
            Takes the arguments of the newest CPython's py_compile, prints what it prints, and makes the files that it makes.
            The interpreter is chosen as for other verbs, or by FRESHPYC_PYTHON.
            """
        }
    }
}
