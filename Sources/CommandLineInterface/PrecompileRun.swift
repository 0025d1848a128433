// One run of `precompile`: turns the options into a deployment, runs it and shows the result.

import BasicTypes
import Batches
import BuildModel
import Compilation
import Documents
import Interpreters
import LinuxSystem

/// Runs one deployment on a loop.
final class PrecompileRun {
    enum Layout: String, CaseIterable {
        case mirror
        case cachePrefix = "pycache-prefix"
    }

    private let arguments: SessionArguments
    private let parsed: ParsedArguments
    private let output: StandardOutput
    private let layout: Layout
    private let hasNamedPaths: Bool
    private let loop: EventLoop
    private let progress: ProgressBar
    private var interruptedBy: Int32?

    init(
        _ arguments: SessionArguments, hasNamedPaths: Bool, layout: Layout, output: StandardOutput, loop: EventLoop
    ) {
        self.arguments = arguments
        self.output = output
        parsed = arguments.arguments
        self.hasNamedPaths = hasNamedPaths
        self.layout = layout
        self.loop = loop
        progress = ProgressBar(isQuiet: arguments.isQuiet || arguments.format == .json)
    }

    func start() {
        do throws(UsageError) {
            // Only with --environment or --stdlib does the scan depend on the interpreters. Otherwise, it begins while they
            // start.
            let isWide = parsed.has("--environment") || parsed.has("--stdlib")
            let early = isWide ? nil : try makeOptions([])
            let ahead = early.map { options in
                Prefetch { Result { () throws(DeploymentError) in try DeploymentScan(options) } }
            }
            let compiler = try makeCompiler()
            for notice in compiler.notices { FreshpycCommand.complain(notice) }
            let options = if let early { early } else { try makeOptions(compiler.interpreters) }
            let deployment: Deployment
            do throws(DeploymentError) {
                let scan = if let ahead { try ahead.value.get() } else { try DeploymentScan(options) }
                deployment = try Deployment(options, scan: scan, compiler: compiler)
            } catch {
                throw UsageError(message: error.message)
            }
            for number in [EventLoop.interrupt, EventLoop.terminate, EventLoop.hangUp] {
                loop.onSignal(number) { [self] in
                    interruptedBy = number
                    deployment.cancel()
                }
            }
            deployment.run(progress: { [self] in progress.update($0, $1) }) { [self] result in
                progress.clear()
                compiler.close()
                if let notice = compiler.storeNotice { FreshpycCommand.complain(notice) }
                loop.stop(finish(result, options, compiler.interpreters))
            }
        } catch {
            FreshpycCommand.complain(error.message)
            loop.stop(2)
        }
    }

    private func makeCompiler() throws(UsageError) -> BatchCompiler {
        let configuration = arguments.configuration
        do throws(InterpreterError) {
            let candidates = try InterpreterFinder(root: configuration.rootPath)
                .candidates(configuration.pythons, relativeTo: configuration.workingDirectory)
            return try BatchCompiler(
                loop: loop, candidates: candidates, jobs: configuration.jobs, deadline: configuration.deadline,
                store: configuration.storePlace.map { CodeStore(place: $0) })
        } catch {
            throw UsageError(message: error.message)
        }
    }

    // MARK: From options to a deployment

    private func makeOptions(_ interpreters: [Interpreter]) throws(UsageError) -> DeploymentOptions {
        let configuration = arguments.configuration
        var places: [(path: BytePath, interpreter: Int?)] = []
        // Without a path, compile the current directory, unless --environment or --stdlib selects something else.
        if hasNamedPaths || !(parsed.has("--environment") || parsed.has("--stdlib")) {
            places += configuration.starts.map { (configuration.rootPath.appending($0), nil) }
        }
        for (index, interpreter) in interpreters.enumerated() {
            guard parsed.has("--environment") || parsed.has("--stdlib") else { break }
            let paths: InterpreterPaths
            do throws(InterpreterError) {
                paths = try InterpreterQuestions.paths(of: interpreter)
            } catch {
                throw UsageError(message: error.message)
            }
            if parsed.has("--environment") { places += try existing(paths.packages).map { ($0, index) } }
            if parsed.has("--stdlib") { places += try existing(paths.standardLibrary).map { ($0, index) } }
        }
        guard !places.isEmpty else {
            throw UsageError(
                message: "the interpreter has no directory of installed packages (--environment); name a path")
        }
        let base = try commonRoot(places.map(\.path))
        let root = try commonRoot([configuration.rootPath, base])
        var excludes = configuration.scope.excludeTexts.map {
            Self.rebased($0, from: configuration.rootPath.relative(to: root))
        }
        if parsed.has("--stdlib") { excludes += Self.leftOutOfLibraries }
        if let output = parsed.lastPath("--output").map({ resolved($0) }), let inside = output.relative(to: root),
            let text = inside.exactText, !inside.isEmpty
        {
            excludes.append("/\(Self.escaped(text))/")
        }
        var options = DeploymentOptions(
            rootPath: root, groups: Self.groups(places, root),
            scope: Scope(excludes: excludes, honoursGitignore: configuration.scope.honoursGitignore),
            levels: configuration.options.levels, mode: parsed.choice("--invalidation") ?? .uncheckedHash)
        options.base = base.relative(to: root) ?? .empty
        options.isForced = parsed.has("--force")
        options.isSourceless = parsed.has("--sourceless")
        options.linksDuplicates = parsed.has("--hardlink-dupes")
        options.prunes = parsed.has("--prune")
        options.epoch = try SourceDateEpoch.read()
        options.embedded = EmbeddedPath(
            strip: parsed.lastPath("--strip-prefix").map { resolved($0) },
            prepend: parsed.lastPath("--prepend-prefix"))
        if let output = parsed.lastPath("--output") {
            options.destination = try destination(output, places.map(\.path), root)
        }
        return options
    }

    /// Paths that CPython's own `make install` does not compile: installed packages, and test data that is not valid Python.
    private static let leftOutOfLibraries = [
        "site-packages/", "dist-packages/", "badsyntax_*.py", "bad_coding*.py", "lib2to3/tests/data/",
        "test_lib2to3/data/",
    ]

    /// Re-anchors a pattern to a directory above the one that it was written for.
    private static func rebased(_ pattern: String, from place: BytePath?) -> String {
        guard let place = place?.exactText, !place.isEmpty else { return pattern }
        let isNegated = pattern.hasPrefix("!")
        let body = isNegated ? pattern.dropFirst() : pattern[...]
        guard body.dropLast(body.hasSuffix("/") ? 1 : 0).contains("/") else { return pattern }
        return (isNegated ? "!" : "") + "/\(escaped(place))/" + body.drop { $0 == "/" }
    }

    /// A path as a pattern that matches only this path.
    private static func escaped(_ path: String) -> String {
        String(path.flatMap { "\\*?[]!#".contains($0) ? ["\\", $0] : [$0] })
    }

    private static func groups(_ places: [(path: BytePath, interpreter: Int?)], _ root: BytePath) -> [DeploymentGroup] {
        var starts: [Int?: [BytePath]] = [:]
        for place in places { starts[place.interpreter, default: []].append(place.path.relative(to: root) ?? .empty) }
        let order: [Int?] = starts.keys.sorted { ($0 ?? -1) < ($1 ?? -1) }
        return order.map { DeploymentGroup(starts: starts[$0] ?? [], interpreter: $0) }
    }

    private func existing(_ paths: [BytePath]) throws(UsageError) -> [BytePath] {
        var found: [BytePath] = []
        for path in paths where try isDirectory(path) {
            do throws(SystemError) {
                found.append(try Host.realPath(path))
            } catch {
                throw UsageError(message: "\(path): \(error.reason)")
            }
        }
        return found
    }

    /// - Throws: if that cannot be determined: a wrong guess would put all files in the wrong place.
    private func isDirectory(_ path: BytePath) throws(UsageError) -> Bool {
        do throws(SystemError) {
            return try Host.status(path)?.kind == .directory
        } catch {
            throw UsageError(message: "cannot access \(path): \(error.reason); make it readable, or omit it")
        }
    }

    /// The nearest directory that contains all of them.
    private func commonRoot(_ places: [BytePath]) throws(UsageError) -> BytePath {
        var directories: [BytePath] = []
        for path in places { directories.append(try isDirectory(path) ? path : path.parent) }
        var common = directories[0]
        for directory in directories { while !directory.isWithin(common) { common = common.parent } }
        return common
    }

    private func destination(
        _ output: BytePath, _ places: [BytePath], _ root: BytePath
    ) throws(UsageError) -> DeploymentDestination {
        let path = resolved(output)
        do throws(SystemError) {
            try Host.makeDirectories(path)
            let directory = try Directory(path: path)
            if layout == .cachePrefix { return .cachePrefix(directory) }
            if places.contains(where: { $0 == path }) || root == path {
                throw SystemError("mirror", path, .sameDirectory)
            }
            return .mirror(directory, path: path)
        } catch {
            if error.refusal == .sameDirectory {
                throw UsageError(message: "--output is the tree itself; omit it to work in place")
            }
            throw UsageError(message: "cannot create \(path): \(error.reason); name another --output")
        }
    }

    private func resolved(_ path: BytePath) -> BytePath {
        let absolute = (path.isAbsolute ? path : arguments.workingDirectory.appending(path)).normalized
        return (try? Host.realPath(absolute)) ?? absolute
    }

    // MARK: The result

    private func finish(_ result: DeploymentResult, _ options: DeploymentOptions, _ interpreters: [Interpreter])
        -> Int32
    {
        if let interruptedBy {
            FreshpycCommand.complain("interrupted; finished files are kept")
            return 128 + interruptedBy
        }
        var hasProblem = false
        if let file = parsed.lastPath("--manifest") {
            do throws(SystemError) {
                let base = try Directory(path: options.rootPath.appending(options.base))
                let document = try DeploymentManifest(result, base: base, interpreters: interpreters)
                // Not resolved: the target of /dev/stdout has no path that can be opened.
                let place = file.isAbsolute ? file : arguments.workingDirectory.appending(file)
                try OutputFile.write(Array(JSONLine.encodeForPeople(document).utf8), to: place)
            } catch {
                FreshpycCommand.complain(
                    "cannot write the manifest \(file): \(error.reason); name another file with --manifest")
                hasProblem = true
            }
        }
        for old in interpreters where old.sourceHash == nil && options.mode != .timestamp && !arguments.isQuiet {
            FreshpycCommand.complain(
                "\(old.name) has no hash-based bytecode (PEP 552); its files are validated by timestamp")
        }
        if result.pruned > 0, !arguments.isQuiet {
            Host.writeError("\(Plural.count(result.pruned, "file")) pruned\n")
        }
        var shown = arguments
        shown.configuration.rootPath = options.rootPath
        let results = BuildOutput(.precompile, shown, isStrict: false, output: output)
        return results.show(
            result.report, interpreters: interpreters.map { ReportDocument.Python($0) }, hasProblem: hasProblem)
    }
}
