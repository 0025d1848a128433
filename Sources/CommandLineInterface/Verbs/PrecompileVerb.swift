// `freshpyc precompile`

import BuildModel
import LinuxSystem

enum PrecompileVerb: Verb {
    private static let invalidation = OptionSpecification(
        "--invalidation", value: .choice("MODE", InvalidationMode.self),
        help:
            "unchecked-hash (default: import trusts the bytecode), checked-hash or timestamp")
    private static let stripPrefix = OptionSpecification(
        "--strip-prefix", value: .path("DIR"), help: "remove DIR from the source paths recorded in the code")
    private static let prependPrefix = OptionSpecification(
        "--prepend-prefix", value: .path("DIR"), help: "prepend DIR to these paths")
    private static let output = OptionSpecification(
        "--output", value: .path("DIR"), help: "write a copy of the tree with its bytecode to DIR, and nothing else")
    private static let layout = OptionSpecification(
        "--layout", value: .choice("LAYOUT", PrecompileRun.Layout.self),
        help: "layout of --output: mirror (default), or pycache-prefix (only bytecode, for PYTHONPYCACHEPREFIX)")
    private static let sourceless = OptionSpecification(
        "--sourceless", help: "write x.pyc in the place of x.py, importable without it; --output omits the sources")
    private static let environment = OptionSpecification(
        "--environment", help: "also compile the interpreter's installed packages")
    private static let standardLibrary = OptionSpecification(
        "--stdlib", help: "also compile the interpreter's standard library")
    private static let prune = OptionSpecification(
        "--prune", help: "remove bytecode without a source, and of interpreters that are not selected")
    private static let manifest = OptionSpecification(
        "--manifest", value: .path("FILE"), help: "write a JSON list of the files made, with SHA-256, and of failures")

    static let declaration = VerbDeclaration(
        name: "precompile",
        summary: "compile a tree for shipping, reproducibly",
        traits: [.compiles, .usesStore],
        description: [
            "Makes bytecode for an image, an archive or a package. The same sources in the same directory (or with --strip-prefix) give the same bytes on every machine, and the bytecode stays valid when files are copied and their times are reset. Leaves bytecode and nothing else in the tree. Valid bytecode is not compiled again; only its header is rewritten if needed. All modules are compiled even if some fail.",
            "If SOURCE_DATE_EPOCH is set, every file written gets this time, and no recorded time is later. Python 2.7 and 3.6 have no hash-based bytecode; theirs is validated by timestamp.",
        ],
        options: [
            .python, .optimize, invalidation, stripPrefix, prependPrefix, output, layout, sourceless,
            .hardLinkDuplicates, environment, standardLibrary, prune, manifest, .force, .exclude, .gitignore, .jobs,
            .compileTimeout, .store, .noStore, .textOrJSON, .quiet, .help,
        ],
        exitStatuses: [
            0: "everything is compiled", 1: "a module does not compile", 2: "something could not be done",
        ],
        examples: [
            .init("freshpyc precompile --environment /app", "in a Dockerfile, once everything is installed"),
            .init(
                "freshpyc precompile src --output build --strip-prefix src",
                "a copy for an archive; tracebacks show paths relative to src"),
            .init("freshpyc precompile src --output dist --sourceless -O 2", "bytecode without its sources"),
            .init("freshpyc precompile -p 3.12 -p 3.13 --manifest bytecode.json", "for two Pythons, with a record"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let arguments = try SessionArguments(invocation.arguments, for: declaration)
        let layout: PrecompileRun.Layout = arguments.arguments.choice(Self.layout.name) ?? .mirror
        if layout == .cachePrefix {
            if !arguments.arguments.has(Self.output.name) {
                throw UsageError(
                    message:
                        "--layout pycache-prefix needs --output DIR, the directory that PYTHONPYCACHEPREFIX will name")
            }
            if arguments.arguments.has(prune.name) {
                throw UsageError(
                    message:
                        "--prune cannot tell which bytecode in a pycache-prefix is unneeded; empty the directory first")
            }
            if arguments.arguments.has(sourceless.name) {
                throw UsageError(message: "--sourceless bytecode must be where its source is; use --layout mirror")
            }
        }
        if let file = invocation.arguments.lastPath(manifest.name),
            file.hasSuffix(".py") || file.hasSuffix(".pyc") || file.hasSuffix(".pyo")
        {
            // Swapped arguments must not overwrite a source.
            throw UsageError(message: "'\(file)' is a source or bytecode; name another file with --manifest")
        }
        let hasNamedPaths = !invocation.arguments.operands.isEmpty
        let results = invocation.output
        return EventLoop.run { loop in
            PrecompileRun(arguments, hasNamedPaths: hasNamedPaths, layout: layout, output: results, loop: loop).start()
        }
    }
}
