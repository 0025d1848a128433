// Runs a deployment: copies the tree if requested, compiles, links duplicates, prunes, and collects the results of each
// source.

import BasicTypes
import BuildModel
import BytecodeCare
import Compilation
import FileWatching
import Interpreters
import LinuxSystem

/// The result of a deployment.
package struct DeploymentResult: Sendable {
    /// One bytecode file in its place.
    package struct Artifact: Sendable {
        /// Relative to the base.
        package let source: BytePath
        package let place: BatchPlace
        /// Relative to the base of the deployment or of its copy.
        package let name: BytePath
        package let interpreter: Interpreter
        package let level: OptimizationLevel
        /// How Python validates it: as requested, or by timestamp if the interpreter has no other mode.
        package let mode: InvalidationMode
    }

    package var report = WaveReport(clock: 0)
    package var artifacts: [Artifact] = []
    package var skipped: [SkippedFile] = []
    /// Number of files replaced by a hard link to an equal one.
    package var linked = 0
    /// Number of files pruned.
    package var pruned = 0
}

/// The sources found for a deployment. The scan can run while the interpreters start.
package struct DeploymentScan: Sendable {
    fileprivate let root: Directory
    fileprivate let scans: [ScanResult]

    package init(_ options: DeploymentOptions) throws(DeploymentError) {
        do throws(SystemError) {
            root = try Directory(path: options.rootPath)
        } catch {
            throw .system(error)
        }
        scans = DeploymentPlan.scan(options, root: root)
    }
}

/// One deployment. Lives on its loop.
package final class Deployment {
    private let options: DeploymentOptions
    private let compiler: BatchCompiler
    private let plan: DeploymentPlan
    private let root: Directory
    private let begun = Host.monotonic
    private var results: [BatchResult?]
    private var isCancelled = false

    /// Plans the deployment. Writes nothing.
    package init(
        _ options: DeploymentOptions, scan: DeploymentScan, compiler: BatchCompiler
    ) throws(DeploymentError) {
        self.options = options
        self.compiler = compiler
        root = scan.root
        plan = try DeploymentPlan(options, root: root, scans: scan.scans, interpreters: compiler.interpreters)
        results = Array(repeating: nil, count: plan.jobs.count)
    }

    /// Runs the deployment.
    ///
    /// - Parameter done: called once, on the loop.
    package func run(progress: @escaping (Int, Int) -> Void, done: @escaping (DeploymentResult) -> Void) {
        var result = DeploymentResult()
        result.report.diagnostics = plan.problems
        if case .mirror(let output, _) = options.destination {
            let mirror = TreeMirror(
                root: root, output: output, base: options.base, scope: options.scope,
                leftOut: options.isSourceless ? Set(plan.sources) : [],
                latest: options.epoch.map { FileTime(seconds: $0, nanosecond: 0) })
            do throws(SystemError) {
                for group in options.groups { result.skipped += try mirror.copy(group.starts) }
            } catch {
                result.report.diagnostics.append(
                    LocatedDiagnostic(path: error.path, diagnostic: .unwritable(error.path, error)))
                return done(result)
            }
            result.report.diagnostics += result.skipped.filter(\.isProblem).map {
                LocatedDiagnostic(path: $0.path, diagnostic: Diagnostic(.unwritable, .error, message: $0.reason))
            }
        }
        var batch = BatchOptions(mode: options.mode, reuse: options.isForced ? .none : .valid)
        batch.epoch = options.epoch
        if case .cachePrefix = options.destination { batch.makesDirectories = true }
        compiler.run(
            plan.jobs, options: batch, progress: progress, each: { [self] in results[$0] = $1 },
            done: { [self] in done(finish(result)) })
    }

    /// Stops the deployment early.
    package func cancel() {
        isCancelled = true
        compiler.cancel()
    }

    /// Removes orphans, and bytecode of other interpreters, from where this deployment writes.
    private func prune(_ result: inout DeploymentResult) {
        let rootPath: BytePath
        var starts = options.groups.flatMap(\.starts)
        switch options.destination {
        case .inPlace: rootPath = options.rootPath
        case .mirror(_, let path):
            rootPath = path
            starts = [.empty]
        case .cachePrefix: return
        }
        let tags = Set(compiler.interpreters.map(\.cacheTag))
        do throws(SystemError) {
            let cleaner = try BytecodeCleaner(
                rootPath: rootPath, scope: options.scope, extent: .foreign(tags: tags), isDryRun: false)
            let cleaned = cleaner.clean(starts)
            result.pruned = cleaned.removed.count
            result.report.diagnostics += cleaned.problems
        } catch {
            result.report.diagnostics.append(
                LocatedDiagnostic(path: error.path, diagnostic: .unwritable(error.path, error)))
        }
    }

    private func linkDuplicates(_ result: inout DeploymentResult) {
        var rest = result.artifacts[...]
        while let first = rest.first {
            let same = rest.prefix { $0.source == first.source && $0.interpreter == first.interpreter }
            result.linked += DuplicateLinks.make(same.map(\.place))
            rest = rest.dropFirst(same.count)
        }
    }

    private func named(_ path: BytePath) -> BytePath { path.relative(to: options.base) ?? path }

    private func finish(_ begunResult: DeploymentResult) -> DeploymentResult {
        var result = begunResult
        var ofSource: [(result: ModuleResult, problem: Diagnostic?)] = plan.sources.map { _ in (.upToDate, nil) }
        var diagnostics: [[(Diagnostic, Int)]] = plan.sources.map { _ in [] }
        for (index, job) in plan.jobs.enumerated() {
            let place = plan.sourceOfJob[index]
            // A cancelled batch has no result for some jobs.
            guard let outcome = results[index] else { continue }
            ofSource[place].result = ofSource[place].result.joined(with: outcome.outcome)
            diagnostics[place] += outcome.diagnostics.map { ($0, job.interpreter) }
            switch outcome.outcome {
            case .problem(let diagnostic, _):
                ofSource[place].problem = ofSource[place].problem ?? diagnostic
                result.skipped.append(SkippedFile(path: named(plan.sources[place]), reason: diagnostic.message))
            case .refused:
                let first = outcome.diagnostics.first { $0.severity == .error }
                let line = first.map { $0.line > 0 ? ", line \($0.line)" : "" } ?? ""
                result.skipped.append(
                    SkippedFile(
                        path: named(plan.sources[place]),
                        reason:
                            "does not compile with \(compiler.interpreters[job.interpreter].name): \(first?.message ?? "no reason given")\(line)"
                    ))
            case .upToDate, .resealed, .restored, .compiled:
                let interpreter = compiler.interpreters[job.interpreter]
                result.artifacts.append(
                    DeploymentResult.Artifact(
                        source: named(plan.sources[place]), place: job.output,
                        name: job.output.directory === root ? named(job.output.path) : job.output.path,
                        interpreter: interpreter, level: job.level,
                        mode: interpreter.sourceHash == nil ? .timestamp : options.mode))
            }
        }
        // Leave an interrupted deployment as it is.
        if isCancelled { return result }
        if options.linksDuplicates { linkDuplicates(&result) }
        if options.prunes { prune(&result) }
        for (place, path) in plan.sources.enumerated() {
            result.report.count(ofSource[place].result, path: path)
            if let problem = ofSource[place].problem {
                result.report.diagnostics.append(LocatedDiagnostic(path: path, diagnostic: problem))
            }
            result.report.diagnostics += CombinedFindings.of(diagnostics[place], by: compiler.interpreters).map {
                LocatedDiagnostic(path: path, diagnostic: $0.diagnostic, interpreters: $0.interpreters)
            }
        }
        result.skipped = Set(result.skipped).sorted { ($0.path, $0.reason) < ($1.path, $1.reason) }
        result.report.duration = Host.monotonic - begun
        return result
    }
}

extension ModuleResult {
    /// The result of a source after one more of its files.
    fileprivate func joined(with outcome: BatchOutcome) -> ModuleResult {
        let other: ModuleResult =
            switch outcome {
            case .upToDate: .upToDate
            case .resealed: .restamped
            case .restored: .restored
            case .compiled: .compiled
            case .refused, .problem: .failed
            }
        let order: [ModuleResult] = [.upToDate, .restamped, .restored, .compiled, .failed]
        return (order.firstIndex(of: self) ?? 0) >= (order.firstIndex(of: other) ?? 0) ? self : other
    }
}

extension WaveReport {
    /// Counts one source.
    package mutating func count(_ result: ModuleResult, path: BytePath) {
        modules += 1
        switch result {
        case .upToDate: upToDate += 1
        case .restamped: restamped += 1
        case .restored: restored += 1
        case .compiled: compiled += 1
        case .failed: failed += 1
        }
        if result != .upToDate { changes.append(Change(path: path, result: result, reason: nil)) }
    }
}
