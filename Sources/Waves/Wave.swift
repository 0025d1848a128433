// One wave: judge, read, compile, publish, and say what came of it. How one source is compiled is in
// Wave+Compiling.swift; what `ModuleProgress` decides is carried out here.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import Interpreters
import LinuxSystem

/// What a wave begins with.
package struct WaveInput {
    /// Sources in scope, as they were met.
    package var sources: [ScannedSource]
    /// Sources that were not met although they are on record, or that an event named.
    package var missing: [BytePath]
    /// Whether a source that exists and was not met is out of scope from now on, so that its record goes. A run over a
    /// part of the tree, or with another `--exclude`, keeps such records.
    package var forgetsOutOfScope = false
    package var problems: [LocatedDiagnostic]
    /// Nanoseconds of the monotonic clock.
    package var begun: Int64
    /// Whether artifacts whose guard is over are a reason to write.
    package var resealsGuarded = false
    /// Whether the report lists findings of sources that were up to date.
    package var reportsAll = true
    /// Recompile what is up to date as well.
    package var isForced = false
    /// Names by which something that is no source came or went.
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

/// What a wave changed.
package struct WaveOutcome {
    package var report: WaveReport
    /// Records that are new or different.
    package var records: [ModuleRecord] = []
    /// Of these, the ones that differ only in what was observed, not in anything that was done.
    package var refreshedOnly: Set<BytePath> = []
    package var removed: [BytePath] = []
    /// Sources that still exist and are no longer in scope: their records go, their bytecode stays.
    package var forgotten: [BytePath] = []
    /// Sources with an artifact that must be sealed again once their second is over.
    package var guarded: [BytePath] { records.filter(\.isGuarded).map(\.path) }
}

/// A wave under way. Lives on the session's loop from `start` until it has called back.
package final class Wave {
    /// One source and what has become of it so far.
    package struct Module {
        package let source: ScannedSource
        package var record: ModuleRecord?
        package var progress = ModuleProgress()
        package var reason: StalenessReason?
        package var problems: [Diagnostic] = []
    }

    /// One compilation that is to be done.
    package struct Job {
        package let module: Int
        package let target: Int
    }

    package let session: Session
    package let input: WaveInput
    package let clock: UInt64
    package let progress: (Int, Int) -> Void
    package let reader: SourceReader
    package let publisher: ArtifactPublisher
    package var modules: [Module] = []
    private var removed: [BytePath] = []
    private var forgotten: [BytePath] = []
    /// Problems of paths that have no module in this wave.
    private var problems: [LocatedDiagnostic] = []
    package var schedule: CompilationSchedule<Job>?
    package var finishedModules = 0
    package var nextIdentifier: UInt32 = 0
    package var unwritable: Set<BytePath> = []
    /// Interpreters that cannot compile at all: reported once, not for each source.
    package var unavailable: Set<InterpreterID> = []
    /// What was read while judging, for waves so small that it does not matter in memory.
    package var snapshots: [Int: SourceSnapshot] = [:]
    private var done: (WaveOutcome) -> Void = { _ in }

    package init(session: Session, input: WaveInput, clock: UInt64, progress: @escaping (Int, Int) -> Void) {
        self.session = session
        self.input = input
        self.clock = clock
        self.progress = progress
        reader = SourceReader(root: session.root)
        publisher = ArtifactPublisher(root: session.root)
    }

    /// Whether artifacts are written at all.
    package var writes: Bool { !session.configuration.options.isCheckOnly }

    package func start(_ done: @escaping (WaveOutcome) -> Void) {
        self.done = done
        problems = input.problems
        modules = input.sources.map { Module(source: $0, record: session.record($0.path)) }
        removeMissing()
        let jobs = judge()
        guard !jobs.isEmpty else { return finish() }
        compile(restore(jobs))
    }

    /// Hands an event to the state machine of a module and carries out what it asks for.
    package func handle(_ event: ModuleProgress.Event, _ module: Int) {
        for action in modules[module].progress.handle(event) {
            switch action {
            case .compile: break  // Jobs are made together, in `schedule`.
            case .countFinished: finishedModules += 1
            case .remove:
                let path = modules[module].source.path
                remove(path, modules[module].record)
                modules[module].record = nil
            }
        }
    }

    // MARK: Sources that were not met

    private func removeMissing() {
        let scanner = session.scanner()
        let unreadable = PathSet(input.problems.map(\.path))
        for path in input.missing {
            switch scanner.observe(path) {
            case .gone, .notASource: remove(path, session.record(path))
            case .present: if input.forgetsOutOfScope { forget(path) }
            case .unreadable(let error):
                // Nobody can say whether the source is there: its record and its bytecode stay as they are.
                if !unreadable.covers(path) {
                    problems.append(UnreadablePlace(path: path, error: error, isDirectory: false).diagnostic)
                }
            }
        }
    }

    private func forget(_ path: BytePath) {
        if session.record(path) != nil { forgotten.append(path) }
    }

    /// Removes the bytecode of a source that is gone, and its record. If that fails, the record stays, so that the next
    /// wave tries again.
    private func remove(_ path: BytePath, _ record: ModuleRecord?) {
        if !writes || removeArtifacts(of: path, record), record != nil { removed.append(path) }
    }

    /// - Returns: whether all are gone.
    private func removeArtifacts(of path: BytePath, _ record: ModuleRecord?) -> Bool {
        // What we published for the source, and what import may have written for interpreters that we know.
        for interpreter in session.interpreters.known {
            for level in OptimizationLevel.allCases {
                let place = ArtifactPlace(cacheTag: interpreter.cacheTag, level: level)
                let isOurs = (record?.traces ?? []).contains {
                    $0.published != nil && $0.key.level == level
                        && session.interpreters[$0.key.interpreter].cacheTag == interpreter.cacheTag
                }
                guard isOurs || !place.directory.isEmpty else { continue }
                if let diagnostic = discard(place.path(of: path)) {
                    problems.append(LocatedDiagnostic(path: path, diagnostic: diagnostic))
                    return false
                }
            }
        }
        return true
    }

    /// Removes bytecode.
    ///
    /// - Returns: what is wrong where it could not be removed.
    private func discard(_ artifact: BytePath) -> Diagnostic? {
        do throws(SystemError) {
            try publisher.remove(artifact)
            return nil
        } catch {
            return Diagnostic.unremovable(artifact, error)
        }
    }

    /// Removes the bytecode of a source that the compiler refuses: import would run it in place of the source.
    package func discardBytecode(of module: Int, _ target: ArtifactTarget) {
        guard writes else { return }
        // The same compiler refuses it at every level; a level that is a target of its own has its own verdict.
        let others = OptimizationLevel.allCases.filter { level in
            level != target.key.level
                && !session.targets.contains {
                    $0.key.interpreter == target.key.interpreter && $0.key.level == level
                }
        }
        for level in [target.key.level] + others {
            let place = ArtifactPlace(cacheTag: target.interpreter.cacheTag, level: level)
            if let diagnostic = discard(place.path(of: modules[module].source.path)) { return fail(module, diagnostic) }
        }
    }

    // MARK: Judging

    private func judge() -> [Job] {
        var options = session.configuration.options
        if input.isForced { options.isForced = true }
        let examiner = ModuleExaminer(
            root: session.root, targets: session.targets,
            judge: StalenessJudge(options: options, now: Host.realtime, resealsGuarded: input.resealsGuarded))
        var jobs: [Job] = []
        var unsure: [Int] = []
        for index in modules.indices {
            let module = modules[index]
            guard let decisions = examiner.glance(module.source, record: module.record) else {
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
            // Reading decides about every target again, with more to go by.
            if mustReseal { unsure.append(index) } else { jobs += schedule(index, stale) }
        }
        return jobs + read(unsure, examiner)
    }

    private func schedule(_ module: Int, _ stale: [(target: Int, reason: StalenessReason)]) -> [Job] {
        for (target, reason) in stale {
            let shown = reason == .neverBuilt ? renewed(module, target) ?? reason : reason
            modules[module].reason = modules[module].reason ?? shown
        }
        handle(.judged(stale: stale.count), module)
        return stale.map { Job(module: module, target: $0.target) }
    }

    /// Whether another interpreter has built the same file before.
    private func renewed(_ module: Int, _ target: Int) -> StalenessReason? {
        let target = session.targets[target]
        let traces = modules[module].record?.traces ?? []
        return traces.contains { isSuperseded($0, by: target) } ? .interpreterChanged : nil
    }

    package func isSuperseded(_ trace: Trace, by target: ArtifactTarget) -> Bool {
        trace.key.interpreter != target.key.interpreter && trace.key.level == target.key.level
            && session.interpreters[trace.key.interpreter].cacheTag == target.interpreter.cacheTag
    }

    /// Reads sources, and artifacts where needed, side by side; writes the headers that are all that is wrong.
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

    /// Notes a failure that is not the source's own.
    package func fail(_ module: Int, _ diagnostic: Diagnostic) {
        modules[module].progress.note(ModuleProgress.Effect.blocked)
        modules[module].problems.append(diagnostic)
    }

    // MARK: The end

    /// Hands out no more and waits for nothing.
    package func cancel() { schedule?.cancel() }

    package func finish() {
        schedule = nil
        var outcome = WaveOutcome(report: WaveReport(clock: clock))
        outcome.report.diagnostics = problems
        outcome.report.removed = removed.count
        outcome.report.gone = removed
        outcome.removed = removed
        outcome.forgotten = forgotten
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
