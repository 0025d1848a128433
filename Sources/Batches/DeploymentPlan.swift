// Plans a deployment: finds the sources in scope and decides where the bytecode of each goes.

import BasicTypes
import BuildModel
import FileWatching
import LinuxSystem

/// The jobs of a deployment and their sources.
struct DeploymentPlan {
    /// Relative to the root, sorted, without duplicates.
    private(set) var sources: [BytePath] = []
    private(set) var jobs: [BatchJob] = []
    /// For each job, the index of its source in `sources`.
    private(set) var sourceOfJob: [Int] = []
    /// Directories that could not be read.
    private(set) var problems: [LocatedDiagnostic] = []

    private let options: DeploymentOptions
    private let root: Directory

    /// - Parameter scans: the result of `scan`.
    init(
        _ options: DeploymentOptions, root: Directory, scans: [ScanResult], interpreters: [Interpreter]
    ) throws(DeploymentError) {
        self.options = options
        self.root = root
        try checkNames(interpreters)
        // Interpreters may share packages, so groups may overlap. One group alone finds each source once.
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

    /// Finds the sources of each group.
    static func scan(_ options: DeploymentOptions, root: Directory) -> [ScanResult] {
        let scanner = TreeScanner(root: root, rootPath: options.rootPath, scope: options.scope, places: [])
        return options.groups.map { scanner.scan($0.starts, areInstalled: $0.interpreter != nil) }
    }

    private func checkNames(_ interpreters: [Interpreter]) throws(DeploymentError) {
        if options.isSourceless, interpreters.count > 1 || options.levels.count > 1 {
            throw .ambiguous("--sourceless writes one file for each source; select one --python and one -O")
        }
        // PYTHONPYCACHEPREFIX is new in 3.8. The layout of code objects changed in the same version.
        if case .cachePrefix = options.destination,
            let old = interpreters.first(where: { $0.codeLayout == "python2" || $0.codeLayout == "keyword-only" })
        {
            throw .ambiguous("\(old.name) does not support PYTHONPYCACHEPREFIX; use --layout mirror")
        }
        if let old = interpreters.first(where: { $0.cacheTag.isEmpty }),
            options.levels.contains(.asserts), options.levels.contains(.docstrings)
        {
            throw .ambiguous("\(old.name) uses one file name (.pyo) for -O 1 and -O 2; select one of them")
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
        // Compile from the copy, so that the bytecode matches the source next to it.
        var place = BatchPlace(root, source)
        if case .mirror(let directory, _) = options.destination, !options.isSourceless {
            place = BatchPlace(directory, source.relative(to: options.base) ?? source)
        }
        let isOwnPlace = output.directory === root && output.path == own
        return BatchJob(
            source: place, output: output, existing: isOwnPlace ? nil : BatchPlace(root, own), fileName: fileName,
            interpreter: index, level: level)
    }

    /// Where import looks for bytecode without a source: `x.pyc` in place of `x.py`, at every level
    /// (`importlib.machinery.BYTECODE_SUFFIXES`). Python 2 with `-O` looks for `x.pyo`.
    private static func legacy(_ source: BytePath, _ interpreter: Interpreter, _ level: OptimizationLevel) -> BytePath {
        let suffix = interpreter.cacheTag.isEmpty && level != .none ? "o" : "c"
        return source.parent.appending(Array(source.lastComponent) + Array(suffix.utf8))
    }

    /// `importlib.util.cache_from_source` with `sys.pycache_prefix`: the source's absolute directory, below the prefix.
    private static func prefixed(_ fileName: BytePath, _ own: BytePath) -> BytePath {
        BytePath.empty.appending(fileName.parent.bytes.drop { $0 == UInt8(ascii: "/") }).appending(own.lastComponent)
    }
}
