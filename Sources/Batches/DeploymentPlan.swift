// Which bytecode files a deployment is to have.
// Knows: sources in scope, and where the bytecode of each goes. Does not know: what is there already, or how it is made.

import BasicTypes
import BuildModel
import FileWatching
import LinuxSystem

/// The jobs of a deployment, with the source of each.
struct DeploymentPlan {
    /// Relative to the root, sorted, each once.
    private(set) var sources: [BytePath] = []
    private(set) var jobs: [BatchJob] = []
    /// For each job, the place of its source among the sources.
    private(set) var sourceOfJob: [Int] = []
    /// Directories that could not be read.
    private(set) var problems: [LocatedDiagnostic] = []

    private let options: DeploymentOptions
    private let root: Directory

    /// - Parameter scans: what `scan` has met.
    init(
        _ options: DeploymentOptions, root: Directory, scans: [ScanResult], interpreters: [Interpreter]
    ) throws(DeploymentError) {
        self.options = options
        self.root = root
        try checkNames(interpreters)
        // Interpreters may share packages; where there is one group, every source is met once.
        var wanted: [BytePath: Set<Int>] = [:]
        let everyone = Array(interpreters.indices)
        for (group, found) in zip(options.groups, scans) {
            problems += found.problems
            sources += found.sources.map(\.path)
            guard options.groups.count > 1 else { break }
            for source in found.sources {
                wanted[source.path, default: []].formUnion(group.interpreter.map { [$0] } ?? everyone)
            }
        }
        if options.groups.count > 1 { sources = Array(wanted.keys) }
        sources.sort()
        for (place, source) in sources.enumerated() {
            let absolute = options.rootPath.appending(source)
            guard let fileName = options.embedded.fileName(of: absolute) else {
                throw .notBelowPrefix(absolute, prefix: options.embedded.strip ?? .empty)
            }
            for interpreter in wanted[source]?.sorted() ?? options.groups[0].interpreter.map({ [$0] }) ?? everyone {
                for level in options.levels {
                    jobs.append(job(source, fileName, interpreter, interpreters[interpreter], level))
                    sourceOfJob.append(place)
                }
            }
        }
    }

    /// Walks what is in scope, each group for itself.
    static func scan(_ options: DeploymentOptions, root: Directory) -> [ScanResult] {
        let scanner = TreeScanner(root: root, rootPath: options.rootPath, scope: options.scope, places: [])
        return options.groups.map { scanner.scan($0.starts, areInstalled: $0.interpreter != nil) }
    }

    private func checkNames(_ interpreters: [Interpreter]) throws(DeploymentError) {
        if options.isSourceless, interpreters.count > 1 || options.levels.count > 1 {
            throw .ambiguous("--sourceless has one file for each source; name one --python and one -O")
        }
        // Since 3.8; worker.py does not ask, and the code objects of that version tell it as well.
        if case .cachePrefix = options.destination,
            let old = interpreters.first(where: { $0.codeLayout == "python2" || $0.codeLayout == "keyword-only" })
        {
            throw .ambiguous("\(old.name) knows no PYTHONPYCACHEPREFIX; use --layout mirror")
        }
        if let old = interpreters.first(where: { $0.cacheTag.isEmpty }),
            options.levels.contains(.asserts), options.levels.contains(.docstrings)
        {
            throw .ambiguous("\(old.name) has one name (.pyo) for -O 1 and -O 2; name one of them")
        }
    }

    private func job(
        _ source: BytePath, _ fileName: BytePath, _ index: Int, _ interpreter: Interpreter, _ level: OptimizationLevel
    ) -> BatchJob {
        let own = ArtifactPlace(cacheTag: interpreter.cacheTag, level: level).path(of: source)
        let artifact = options.isSourceless ? Self.legacy(source, interpreter, level) : own
        let output =
            switch options.destination {
            case .inPlace: BatchPlace(root, artifact)
            case .mirror(let directory, _): BatchPlace(directory, artifact.relative(to: options.base) ?? artifact)
            case .cachePrefix(let directory): BatchPlace(directory, Self.prefixed(fileName, own))
            }
        // Bytecode in a copy is compiled from the copy, so that it is of the very source that lies beside it.
        var place = BatchPlace(root, source)
        if case .mirror(let directory, _) = options.destination, !options.isSourceless {
            place = BatchPlace(directory, source.relative(to: options.base) ?? source)
        }
        let isOwnPlace = output.directory === root && output.path == own
        return BatchJob(
            source: place, output: output, existing: isOwnPlace ? nil : BatchPlace(root, own), fileName: fileName,
            interpreter: index, level: level)
    }

    /// Where import looks for bytecode without a source: `x.pyc` beside where `x.py` was, whatever the level
    /// (`importlib.machinery.BYTECODE_SUFFIXES`); Python 2 with `-O` wants `x.pyo`.
    private static func legacy(_ source: BytePath, _ interpreter: Interpreter, _ level: OptimizationLevel) -> BytePath {
        let suffix = interpreter.cacheTag.isEmpty && level != .none ? "o" : "c"
        return source.parent.appending(Array(source.lastComponent) + Array(suffix.utf8))
    }

    /// `importlib.util.cache_from_source` with `sys.pycache_prefix`: the source's directory below the prefix.
    private static func prefixed(_ fileName: BytePath, _ own: BytePath) -> BytePath {
        BytePath.empty.appending(fileName.parent.bytes.drop { $0 == UInt8(ascii: "/") }).appending(own.lastComponent)
    }
}
