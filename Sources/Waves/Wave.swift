// One wave: judge, read, compile, publish, and say what came of it.
// Knows: the order of things, what is stale, the outcome. Does not know: why these sources, or how one is compiled (see
// Wave+Compiling.swift).

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import Interpreters
import LinuxSystem

/// What a wave begins with.
package struct WaveInput {
    /// Sources that are there, as they were met.
    package var sources: [ScannedSource]
    /// Sources that were not met, though there was reason to look: most have a record.
    package var missing: [BytePath]
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
    /// Sources with an artifact that must be sealed again once their second is over.
    package var guarded: [BytePath] { records.filter(\.isGuarded).map(\.path) }
}

/// A wave under way. Lives on the session's loop from `start` until it has called back.
package final class Wave {
    /// One source and what has become of it so far.
    package struct Module {
        package let source: ScannedSource
        package var record: ModuleRecord?
        package var isChanged = false
        package var isRefreshed = false
        package var compiled = false
        package var restored = false
        package var restamped = false
        package var failed = false
        package var reason: StalenessReason?
        /// Compilations that are still to come back.
        package var pending = 0
        package var operational: [Diagnostic] = []
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
    package var schedule: CompilationSchedule<Job>?
    package var finishedModules = 0
    package var nextIdentifier: UInt32 = 0
    package var unwritable: Set<BytePath> = []
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
        modules = input.sources.map { Module(source: $0, record: session.record($0.path)) }
        removeMissing()
        let jobs = judge()
        finishedModules = modules.count { $0.pending == 0 }
        guard !jobs.isEmpty else { return finish() }
        compile(restore(jobs))
    }

    // MARK: Sources that went away

    private func removeMissing() {
        for path in input.missing {
            // Out of scope this time, but there: it is left alone, and what is known of it is kept.
            if (try? session.root.status(path, followsLinks: true)) != nil { continue }
            let record = session.record(path)
            if record != nil { removed.append(path) }
            removeArtifacts(of: path, record)
        }
    }

    /// Removes what we published for a source, and what import may have written beside it for interpreters we know.
    private func removeArtifacts(of path: BytePath, _ record: ModuleRecord?) {
        guard writes else { return }
        for interpreter in session.interpreters.known {
            for level in OptimizationLevel.allCases {
                let place = ArtifactPlace(cacheTag: interpreter.cacheTag, level: level)
                let isOurs = (record?.traces ?? []).contains {
                    $0.published != nil && $0.key.level == level
                        && session.interpreters[$0.key.interpreter].cacheTag == interpreter.cacheTag
                }
                if isOurs || !place.directory.isEmpty { publisher.remove(place.path(of: path)) }
            }
        }
    }

    // MARK: Judging

    private func judge() -> [Job] {
        let targets = session.targets
        var options = session.configuration.options
        if input.isForced { options.isForced = true }
        let judge = StalenessJudge(
            options: options, now: Host.realtime, resealsGuarded: input.resealsGuarded)
        var jobs: [Job] = []
        var unsure: [Int] = []
        for index in modules.indices {
            let module = modules[index]
            var isUnsure = false
            var mustReseal = false
            var stale: [(Int, StalenessReason)] = []
            for (position, target) in targets.enumerated() {
                let artifact = writes ? module.source.artifacts[position] : nil
                switch judge.glance(
                    record: module.record, key: target.key, stamp: module.source.stamp, artifact: artifact)
                {
                case .decided(.upToDate): break
                case .decided(.recompile(let reason)): stale.append((position, reason))
                case .decided(.reseal): mustReseal = true
                case .mustRead: isUnsure = true
                }
            }
            // Reading judges every target again, with more to go by.
            if isUnsure || mustReseal {
                unsure.append(index)
            } else {
                for (position, reason) in stale { jobs += [schedule(index, position, reason)] }
            }
        }
        return jobs + read(unsure, judge)
    }

    private func schedule(_ module: Int, _ target: Int, _ reason: StalenessReason) -> Job {
        let shown = reason == .neverBuilt ? renewed(module, target) ?? reason : reason
        modules[module].reason = modules[module].reason ?? shown
        modules[module].pending += 1
        return Job(module: module, target: target)
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
    private func read(_ unsure: [Int], _ judge: StalenessJudge) -> [Job] {
        guard !unsure.isEmpty else { return [] }
        let examiner = ModuleExaminer(root: session.root, targets: session.targets, judge: judge)
        let items = unsure.map { (index: $0, source: modules[$0].source, record: modules[$0].record) }
        let root = session.root
        let findings = ParallelSlices.map(items, sliceSize: 16, scratch: { ArtifactPublisher(root: root) }) {
            examiner.examine($0.source, record: $0.record, publisher: $1)
        }
        var jobs: [Job] = []
        for (item, finding) in zip(items, findings) { jobs += take(finding, for: item.index) }
        return jobs
    }

    private func take(_ finding: ModuleExamination, for index: Int) -> [Job] {
        switch finding {
        case .gone:
            let path = modules[index].source.path
            let record = modules[index].record
            if record != nil { removed.append(path) }
            removeArtifacts(of: path, record)
            modules[index].record = nil
            return []
        case .problem(let diagnostic):
            fail(index, diagnostic)
            return []
        case .judged(let examined):
            if let record = examined.record {
                modules[index].record = record
                modules[index].isRefreshed = true
                modules[index].isChanged = examined.isChanged
            }
            modules[index].restamped = examined.resealed != nil
            modules[index].reason = examined.resealed
            for diagnostic in examined.problems { fail(index, diagnostic) }
            if !examined.stale.isEmpty, modules.count <= BuildOrder.smallWave { snapshots[index] = examined.snapshot }
            return examined.stale.map { schedule(index, $0.target, $0.reason) }
        }
    }

    package func fail(_ module: Int, _ diagnostic: Diagnostic) {
        modules[module].failed = true
        modules[module].operational.append(diagnostic)
    }

    // MARK: The end

    /// Hands out no more and waits for nothing.
    package func cancel() { schedule?.cancel() }

    package func finish() {
        schedule = nil
        var outcome = WaveOutcome(report: WaveReport(clock: clock))
        outcome.report.diagnostics = input.problems
        outcome.report.removed = removed.count
        outcome.report.gone = removed
        outcome.removed = removed
        let gone = Set(removed)
        for module in modules where !gone.contains(module.source.path) {
            // What failed for the machine's sake has no verdict; what failed to compile has one on record.
            let hasFailed = module.failed || isFailing(module)
            let result: ModuleResult =
                hasFailed
                ? .failed
                : module.compiled
                    ? .compiled : module.restored ? .restored : module.restamped ? .restamped : .upToDate
            outcome.report.modules += 1
            switch result {
            case .upToDate: outcome.report.upToDate += 1
            case .restamped: outcome.report.restamped += 1
            case .restored: outcome.report.restored += 1
            case .compiled: outcome.report.compiled += 1
            case .failed: outcome.report.failed += 1
            }
            if result != .upToDate, module.reason != nil || module.failed {
                outcome.report.changes.append(
                    WaveReport.Change(path: module.source.path, result: result, reason: module.reason))
            }
            if let record = module.record {
                if module.isChanged || module.isRefreshed { outcome.records.append(record) }
                if !module.isChanged, module.isRefreshed { outcome.refreshedOnly.insert(record.path) }
                if input.reportsAll || module.compiled || module.restored || (hasFailed && module.isChanged) {
                    outcome.report.diagnostics += session.findings(record)
                }
            }
            outcome.report.diagnostics += module.operational.map {
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
