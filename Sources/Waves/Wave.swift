// One wave: judge, restore or compile, and report. Carries out the decisions of `ModuleProgress`. Compiling is in
// Wave+Compiling.swift; what lanes do for it is in WaveCompilation.swift.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import Interpreters
import LinuxSystem

/// The input of a wave.
package struct WaveInput {
    /// Sources in scope, as the scanner found them.
    package var sources: [ScannedSource]
    /// The number of sources that are up to date for certain, besides `sources`.
    package var settled = 0
    /// Sources that the scanner did not find, although they have a record or an event named them.
    package var missing: [BytePath]
    /// Whether to remove the record of a source that exists but was not found: it is out of scope. A run over a part of
    /// the tree, or with another `--exclude`, keeps such records.
    package var forgetsOutOfScope = false
    package var problems: [LocatedDiagnostic]
    /// When the wave began, in nanoseconds of the monotonic clock.
    package var begun: Int64
    /// Whether to reseal artifacts whose guard is over.
    package var resealsGuarded = false
    /// Whether the report includes the findings of sources that were up to date.
    package var reportsAll = true
    /// Whether to recompile sources that are up to date too.
    package var isForced = false
    /// Names of importable files that are not sources and appeared or disappeared.
    package var others: [[UInt8]] = []

    package init(
        sources: [ScannedSource], missing: [BytePath], problems: [LocatedDiagnostic], begun: Int64,
        resealsGuarded: Bool = false, reportsAll: Bool = true, isForced: Bool = false, others: [[UInt8]] = []
    ) {
        self.sources = sources
        self.missing = missing
        self.problems = problems
        self.begun = begun
        self.resealsGuarded = resealsGuarded
        self.reportsAll = reportsAll
        self.isForced = isForced
        self.others = others
    }
}

/// The outcome of a wave: its report and its changes to the records.
package struct WaveOutcome {
    package var report: WaveReport
    /// New and changed records.
    package var records: [ModuleRecord] = []
    /// The paths among `records` that were only observed again: nothing was written, and the source has not changed.
    package var refreshedOnly: Set<BytePath> = []
    package var removed: [BytePath] = []
    /// Sources that exist but are out of scope now: their records are removed, their bytecode stays.
    package var forgotten: [BytePath] = []
    /// Paths that turned out not to be sources in scope, with or without a record. The record stays if the bytecode cannot
    /// be removed.
    package var absent: [BytePath] = []
    /// Sources with an artifact that must be resealed when its second is over.
    package var guarded: [BytePath] { records.filter(\.isGuarded).map(\.path) }
}

/// A running wave. Use it only on the session's loop; it lives from `start` until its callback.
package final class Wave {
    /// One source and its progress.
    package struct Module {
        package let source: ScannedSource
        package var record: ModuleRecord?
        package var progress = ModuleProgress()
        package var reason: StalenessReason?
        package var problems: [Diagnostic] = []
    }

    /// One pending compilation: indexes into `modules` and the session's targets.
    package struct Job {
        package let module: Int
        package let target: Int
    }

    package let session: Session
    package let input: WaveInput
    package let clock: UInt64
    package let progress: (Int, Int) -> Void
    private let publisher: ArtifactPublisher
    package var modules: [Module] = []
    private var removed: [BytePath] = []
    private var forgotten: [BytePath] = []
    private var absent: [BytePath] = []
    /// Problems of paths that are not in `modules`.
    private var problems: [LocatedDiagnostic] = []
    package var pipeline: CompilationPipeline<WaveCompilation>?
    package var finishedModules = 0
    /// Sources that are up to date; they are not among `modules`.
    private var settled = 0
    /// Directories with a failed write: reported once each, not for each source.
    package var unwritable: Set<BytePath> = []
    /// Interpreters that cannot be run: reported once each, not for each source.
    package var unavailable: Set<InterpreterID> = []
    /// Sources that were read while judging. Kept only in small waves, to limit memory.
    package var snapshots: [Int: SourceSnapshot] = [:]
    private var done: (WaveOutcome) -> Void = { _ in }

    package init(session: Session, input: WaveInput, clock: UInt64, progress: @escaping (Int, Int) -> Void) {
        self.session = session
        self.input = input
        self.clock = clock
        self.progress = progress
        publisher = ArtifactPublisher(root: session.root)
    }

    /// Whether this wave writes artifacts.
    package var writes: Bool { !session.configuration.options.isCheckOnly }

    package func start(_ done: @escaping (WaveOutcome) -> Void) {
        self.done = done
        problems = input.problems
        let examiner = session.examiner(isForced: input.isForced, resealsGuarded: input.resealsGuarded)
        collectModules(session.unchangedSources(examiner))
        removeMissing()
        let jobs = judge(examiner)
        compile(jobs)
    }

    /// Most sources of a large wave are unchanged. They are counted and not kept.
    private func collectModules(_ unchanged: UnchangedSources?) {
        settled = input.settled
        for source in input.sources {
            let record = session.record(source.path)
            if let unchanged, let record, unchanged.isSettled(record, source.stamp, source.artifacts) {
                settled += 1
            } else {
                modules.append(Module(source: source, record: record))
            }
        }
        finishedModules = settled
    }

    /// How many modules this wave judges.
    package var moduleCount: Int { settled + modules.count }

    /// Sends an event to the state machine of a module, and carries out the actions.
    package func handle(_ event: ModuleProgress.Event, _ module: Int) {
        for action in modules[module].progress.handle(event) {
            switch action {
            case .compile: break  // `schedule(_:_:)` creates all jobs of a module.
            case .countFinished: finishedModules += 1
            case .remove:
                let path = modules[module].source.path
                remove(path, modules[module].record)
                modules[module].record = nil
            }
        }
    }

    // MARK: Missing sources

    private func removeMissing() {
        let scanner = session.scanner()
        let unreadable = PathSet(input.problems.map(\.path))
        for path in input.missing {
            switch scanner.observe(path) {
            case .gone, .notASource:
                let before = problems.count
                if !remove(path, session.record(path)), input.forgetsOutOfScope, !session.isInScope(path, of: scanner) {
                    // Its bytecode cannot be removed, but it does not concern us any more.
                    problems.removeSubrange(before...)
                    forget(path)
                }
            case .present: if input.forgetsOutOfScope { forget(path) }
            case .unreadable(let error):
                if input.forgetsOutOfScope, !session.isInScope(path, of: scanner) {
                    forget(path)
                    continue
                }
                // We cannot tell whether the source exists, so its record and its bytecode stay.
                if !unreadable.covers(path) {
                    problems.append(UnreadablePlace(path: path, error: error, isDirectory: false).diagnostic)
                }
            }
        }
    }

    private func forget(_ path: BytePath) {
        absent.append(path)
        if session.record(path) != nil { forgotten.append(path) }
    }

    /// Removes the bytecode and the record of a deleted source. If that fails, the record stays, so that the next wave
    /// tries again.
    ///
    /// - Returns: whether nothing is left of it.
    @discardableResult
    private func remove(_ path: BytePath, _ record: ModuleRecord?) -> Bool {
        absent.append(path)
        guard !writes || removeArtifacts(of: path, record) else { return false }
        if record != nil { removed.append(path) }
        return true
    }

    /// - Returns: whether all artifacts are removed.
    private func removeArtifacts(of path: BytePath, _ record: ModuleRecord?) -> Bool {
        // The artifacts that we published, and those that import may have written for known interpreters.
        for interpreter in session.interpreters.known {
            for level in OptimizationLevel.allCases {
                let place = ArtifactPlace(cacheTag: interpreter.cacheTag, level: level)
                let isOurs = (record?.traces ?? []).contains {
                    $0.published != nil && $0.key.level == level
                        && session.interpreters[$0.key.interpreter].cacheTag == interpreter.cacheTag
                }
                guard isOurs || !place.directory.isEmpty else { continue }
                if let diagnostic = publisher.discard(place.path(of: path)) {
                    problems.append(LocatedDiagnostic(path: path, diagnostic: diagnostic))
                    return false
                }
            }
        }
        return true
    }

    /// Removes the bytecode of a source that the compiler rejects.
    private func discardBytecode(of module: Int, _ target: ArtifactTarget) {
        guard writes else { return }
        if let problem = session.targets.discard(modules[module].source.path, rejectedBy: target, publisher) {
            fail(module, problem)
        }
    }

    // MARK: Judging

    private func judge(_ examiner: ModuleExaminer) -> [Job] {
        var jobs: [Job] = []
        var unsure: [Int] = []
        for index in modules.indices {
            let module = modules[index]
            let source = module.source
            guard let decisions = examiner.glance(source.stamp, source.artifacts, record: module.record) else {
                unsure.append(index)
                continue
            }
            var stale: [(target: Int, reason: StalenessReason)] = []
            var mustReseal = false
            for decision in decisions {
                switch decision.staleness {
                case .upToDate: break
                case .recompile(let reason): stale.append((decision.target, reason))
                case .reseal: mustReseal = true
                case .discard: discardBytecode(of: index, session.targets[decision.target])
                }
            }
            // `read` decides about all targets of the module again, by contents.
            if mustReseal { unsure.append(index) } else { jobs += schedule(index, stale) }
        }
        return jobs + read(unsure, examiner)
    }

    private func schedule(_ module: Int, _ judged: [(target: Int, reason: StalenessReason)]) -> [Job] {
        let stale = needsCode(module, judged) ? judged + [(target: 0, reason: .noBytecode)] : judged
        for (target, reason) in stale {
            let shown = reason == .neverBuilt ? renewed(module, target) ?? reason : reason
            modules[module].reason = modules[module].reason ?? shown
        }
        handle(.judged(stale: stale.count), module)
        return stale.map { Job(module: module, target: $0.target) }
    }

    /// Whether a check must compile a source that is known to compile. The names that a source binds are read from its
    /// code; if neither its bytecode nor the graph has them, wrong imports of these names would not be found.
    private func needsCode(_ module: Int, _ stale: [(target: Int, reason: StalenessReason)]) -> Bool {
        guard !writes, let analysis = session.analysis, let target = session.targets.first,
            !stale.contains(where: { $0.target == 0 }), let record = modules[module].record,
            let trace = record.trace(target.key), !trace.isFailure
        else { return false }
        return analysis.lacksBindings(of: record.path) && !session.isIntact(record, target)
    }

    /// The reason `interpreterChanged` if another interpreter built the same file before, otherwise `nil`.
    private func renewed(_ module: Int, _ target: Int) -> StalenessReason? {
        let target = session.targets[target]
        let traces = modules[module].record?.traces ?? []
        return traces.contains { isSuperseded($0, by: target) } ? .interpreterChanged : nil
    }

    /// Whether a trace is for the same artifact as a target, but from another interpreter.
    package func isSuperseded(_ trace: Trace, by target: ArtifactTarget) -> Bool {
        trace.key.interpreter != target.key.interpreter && trace.key.level == target.key.level
            && session.interpreters[trace.key.interpreter].cacheTag == target.interpreter.cacheTag
    }

    /// Examines modules in parallel: reads sources, and artifacts where needed, and rewrites outdated headers.
    private func read(_ unsure: [Int], _ examiner: ModuleExaminer) -> [Job] {
        guard !unsure.isEmpty else { return [] }
        let items = unsure.map { (index: $0, source: modules[$0].source, record: modules[$0].record) }
        let root = session.root
        let findings = ParallelSlices.map(items, sliceSize: 16, scratch: { ArtifactPublisher(root: root) }) {
            examiner.examine($0.source, record: $0.record, publisher: $1)
        }
        var jobs: [Job] = []
        for (item, finding) in zip(items, findings) { jobs += adopt(finding, for: item.index) }
        return jobs
    }

    private func adopt(_ finding: ModuleExamination, for index: Int) -> [Job] {
        switch finding {
        case .gone:
            handle(.vanished, index)
            return []
        case .problem(let diagnostic):
            modules[index].problems.append(diagnostic)
            handle(.unreadable, index)
            return []
        case .judged(let examined):
            if let record = examined.record {
                modules[index].record = record
                modules[index].progress.note(examined.isChanged ? .changed : .observed)
            }
            if let reason = examined.resealed {
                modules[index].progress.note(ModuleProgress.Effect.resealed)
                modules[index].reason = reason
            }
            for diagnostic in examined.problems { fail(index, diagnostic) }
            for target in examined.unwanted { discardBytecode(of: index, session.targets[target]) }
            if !examined.stale.isEmpty, modules.count <= BuildOrder.smallWave { snapshots[index] = examined.snapshot }
            return schedule(index, examined.stale)
        }
    }

    /// Notes a failure that is not in the source itself.
    package func fail(_ module: Int, _ diagnostic: Diagnostic) {
        modules[module].progress.note(ModuleProgress.Effect.blocked)
        modules[module].problems.append(diagnostic)
    }

    // MARK: End

    /// Cancels pending compilations; the wave ends at once.
    package func cancel() { pipeline?.cancel() }

    package func finish() {
        pipeline = nil
        var outcome = WaveOutcome(report: WaveReport(clock: clock))
        outcome.report.diagnostics = problems
        outcome.report.removed = removed.count
        outcome.report.gone = removed
        outcome.report.lacksInterpreter = !unavailable.isEmpty
        outcome.removed = removed
        outcome.forgotten = forgotten
        outcome.absent = absent
        outcome.report.modules = settled
        outcome.report.upToDate = settled
        for module in modules where module.progress.phase != .gone {
            let result = module.progress.result(isFailing: isFailing(module))
            outcome.report.modules += 1
            switch result {
            case .upToDate: outcome.report.upToDate += 1
            case .restamped: outcome.report.restamped += 1
            case .restored: outcome.report.restored += 1
            case .compiled: outcome.report.compiled += 1
            case .failed: outcome.report.failed += 1
            }
            if result != .upToDate, module.reason != nil || module.progress.effect == .blocked {
                outcome.report.changes.append(
                    WaveReport.Change(path: module.source.path, result: result, reason: module.reason))
            }
            if let record = module.record {
                let change = module.progress.recordChange
                if change != .none { outcome.records.append(record) }
                if change == .observed { outcome.refreshedOnly.insert(record.path) }
                let isNews = [.compiled, .restored].contains(module.progress.effect)
                if input.reportsAll || isNews || (result == .failed && change == .changed) {
                    outcome.report.diagnostics += session.findings(record)
                }
            }
            outcome.report.diagnostics += module.problems.map {
                LocatedDiagnostic(path: module.source.path, diagnostic: $0)
            }
        }
        outcome.report.changes.sort { $0.path < $1.path }
        outcome.report.diagnostics.sort {
            ($0.path, $0.diagnostic.line, $0.diagnostic.column) < ($1.path, $1.diagnostic.line, $1.diagnostic.column)
        }
        done(outcome)
        done = { _ in }
    }

    private func isFailing(_ module: Module) -> Bool {
        guard let record = module.record else { return false }
        return session.targets.contains { record.trace($0.key)?.isFailure == true }
    }
}
