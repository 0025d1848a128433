// One wave: judge, read, compile, publish, and say what came of it.
// Knows: the order of things. Does not know: why these sources, or what becomes of the outcome.

import BuildModel
import FileWatching
import Interpreters
import LinuxSystem

/// What a wave begins with.
struct WaveInput {
    /// Sources that are there, as they were met.
    var sources: [ScannedSource]
    /// Records whose source was not met.
    var missing: [BytePath]
    var problems: [LocatedDiagnostic]
    /// Nanoseconds of the monotonic clock.
    var begun: Int64
    /// Whether artifacts whose guard is over are a reason to write.
    var resealsGuarded = false
    /// Whether the report lists findings of sources that were up to date.
    var reportsAll = true
    /// Recompile what is up to date as well.
    var isForced = false
}

/// What a wave changed.
struct WaveOutcome {
    var report: WaveReport
    /// Records that are new or different.
    var records: [ModuleRecord] = []
    /// Of these, the ones that differ only in what was observed, not in anything that was done.
    var refreshedOnly: Set<BytePath> = []
    var removed: [BytePath] = []
    /// Sources with an artifact that must be sealed again once their second is over.
    var guarded: [BytePath] { records.filter(\.isGuarded).map(\.path) }
}

/// A wave under way. Lives on the session's loop from `start` until it has called back.
final class Wave {
    /// One source and what has become of it so far.
    private struct Module {
        let source: ScannedSource
        var record: ModuleRecord?
        var isChanged = false
        var isRefreshed = false
        var compiled = false
        var restamped = false
        var failed = false
        var reason: StalenessReason?
        /// Compilations that are still to come back.
        var pending = 0
        var operational: [Diagnostic] = []
    }

    /// One compilation that is to be done.
    private struct Job {
        let module: Int
        let target: Int
    }

    private let session: Session
    private let input: WaveInput
    private let clock: UInt64
    private let progress: (Int, Int) -> Void
    private let reader: SourceReader
    private let publisher: ArtifactPublisher
    private var modules: [Module] = []
    private var removed: [BytePath] = []
    private var queues: [(pool: WorkerPool, jobs: [Job], next: Int)] = []
    private var outstanding = 0
    private var finishedModules = 0
    private var nextIdentifier: UInt32 = 0
    private var unwritable: Set<BytePath> = []
    /// What was read while judging, for waves so small that it does not matter in memory.
    private var snapshots: [Int: SourceSnapshot] = [:]
    private var done: (WaveOutcome) -> Void = { _ in }

    init(session: Session, input: WaveInput, clock: UInt64, progress: @escaping (Int, Int) -> Void) {
        self.session = session
        self.input = input
        self.clock = clock
        self.progress = progress
        reader = SourceReader(root: session.root)
        publisher = ArtifactPublisher(root: session.root)
    }

    /// Whether artifacts are written at all.
    private var writes: Bool { !session.configuration.options.isCheckOnly }

    func start(_ done: @escaping (WaveOutcome) -> Void) {
        self.done = done
        modules = input.sources.map { Module(source: $0, record: session.record($0.path)) }
        removeMissing()
        let jobs = judge()
        finishedModules = modules.count { $0.pending == 0 }
        guard !jobs.isEmpty else { return finish() }
        compile(jobs)
    }

    // MARK: Sources that went away

    private func removeMissing() {
        for path in input.missing {
            // Out of scope this time, but there: it is left alone, and what is known of it is kept.
            if (try? session.root.status(path, followsLinks: true)) != nil { continue }
            removed.append(path)
            if let record = session.record(path) { removeArtifacts(of: record) }
        }
    }

    /// Removes what we published for a source, and what import may have written beside it for interpreters we know.
    private func removeArtifacts(of record: ModuleRecord) {
        guard writes else { return }
        for interpreter in session.interpreters.known {
            for level in OptimizationLevel.allCases {
                let place = ArtifactPlace(cacheTag: interpreter.cacheTag, level: level)
                let isOurs = record.traces.contains {
                    $0.published != nil && $0.key.level == level
                        && session.interpreters[$0.key.interpreter].cacheTag == interpreter.cacheTag
                }
                if isOurs || !place.directory.isEmpty { publisher.remove(place.path(of: record.path)) }
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

    private func isSuperseded(_ trace: Trace, by target: ArtifactTarget) -> Bool {
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
            if let record = modules[index].record {
                removed.append(path)
                removeArtifacts(of: record)
            }
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

    private func fail(_ module: Int, _ diagnostic: Diagnostic) {
        modules[module].failed = true
        modules[module].operational.append(diagnostic)
    }

    // MARK: Compiling

    /// Fills the pools, drains what comes back, and waits: one interpreter after the other, so that no more processes
    /// run at once than were asked for.
    private func compile(_ jobs: [Job]) {
        outstanding = jobs.count
        let order = ordered(jobs)
        for id in session.interpreters.selected {
            let own = order.filter { session.targets[$0.target].key.interpreter == id }
            if !own.isEmpty { queues.append((pool: session.interpreters.pool(id), jobs: own, next: 0)) }
        }
        for index in queues.indices { queues[index].pool.onRoom = { [weak self] in self?.fill() } }
        progress(finishedModules, modules.count)
        fill()
    }

    private func ordered(_ jobs: [Job]) -> [Job] {
        guard (2...BuildOrder.smallWave).contains(jobs.count) else {
            return BuildOrder.sorted(jobs.map { (job: $0, size: modules[$0.module].source.stamp.size) })
        }
        for job in jobs where snapshots[job.module] == nil {
            snapshots[job.module] = try? reader.read(modules[job.module].source.path)
        }
        let sources = Set(jobs.map(\.module)).compactMap { index in
            snapshots[index].map { (path: modules[index].source.path, bytes: $0.bytes) }
        }
        let importers = BuildOrder.importers(sources)
        return jobs.sorted {
            (importers[modules[$0.module].source.path] ?? 0) > (importers[modules[$1.module].source.path] ?? 0)
        }
    }

    private func fill() {
        guard let current = queues.firstIndex(where: { $0.next < $0.jobs.count || !$0.pool.isIdle }) else { return }
        while queues[current].next < queues[current].jobs.count, queues[current].pool.hasRoom {
            let job = queues[current].jobs[queues[current].next]
            queues[current].next += 1
            send(job, to: queues[current].pool)
        }
    }

    private func send(_ job: Job, to pool: WorkerPool) {
        let module = modules[job.module]
        let snapshot: SourceSnapshot
        do throws(SourceProblem) {
            if let known = snapshots.removeValue(forKey: job.module) {
                snapshot = known
            } else {
                snapshot = try reader.read(module.source.path)
            }
        } catch {
            // The answer comes later, as from a worker: callers are not entered again from within.
            session.loop.later { [self] in
                switch error {
                case .gone: modules[job.module].isRefreshed = true
                case .diagnostic(let diagnostic): fail(job.module, diagnostic)
                }
                finishJob(job)
            }
            return
        }
        nextIdentifier &+= 1
        let target = session.targets[job.target]
        // A hash in the header needs the source; the rest needs only what is known of it.
        let request = CompileRequest(
            identifier: nextIdentifier & 0x7FFF_FFFF, level: target.key.level, wantsCode: writes,
            fileName: session.configuration.rootPath.appending(module.source.path), source: snapshot.bytes)
        pool.compile(request) { [self] result in
            take(result, snapshot, job)
            finishJob(job)
        }
    }

    private func take(_ result: CompileResult, _ snapshot: SourceSnapshot, _ job: Job) {
        let target = session.targets[job.target]
        switch result {
        case .compiled(let code, let diagnostics, let microseconds):
            var outcome = Outcome.compiles
            if writes {
                guard let published = publish(code, snapshot, job) else { return }
                outcome = .published(published)
            }
            modules[job.module].compiled = true
            record(outcome, diagnostics, microseconds, snapshot, job)
        case .refused(let diagnostics, let microseconds):
            recordFailure(diagnostics, microseconds, snapshot, job)
        case .crashed(let reason):
            let how =
                switch reason {
                case .signal(let number): "signal \(number)"
                case .status(let status): "exit status \(status)"
                }
            recordFailure(
                [
                    Diagnostic(
                        .compilerCrash, .error,
                        message:
                            "\(target.interpreter.name) died on this file, twice (\(how)); simplify it or --exclude it")
                ], 0, snapshot, job)
        case .timedOut:
            let seconds = WaveReport.seconds(session.configuration.deadline)
            recordFailure(
                [
                    Diagnostic(
                        .timeout, .error,
                        message:
                            "\(target.interpreter.name) did not compile this file in \(seconds), twice; raise --timeout or --exclude it"
                    )
                ], 0, snapshot, job)
        case .unavailable(let reason):
            fail(
                job.module,
                Diagnostic(
                    .unreadable, .error,
                    message:
                        "\(target.interpreter.path) cannot compile: \(reason); name another interpreter with --python"))
        }
    }

    private func publish(_ code: [UInt8], _ snapshot: SourceSnapshot, _ job: Job) -> PublishedArtifact? {
        let target = session.targets[job.target]
        let path = target.place.path(of: modules[job.module].source.path)
        let seal = target.seal(
            stamp: snapshot.state.stamp, source: snapshot.bytes,
            mode: session.configuration.options.invalidation, isGuarded: snapshot.needsGuard)
        do throws(SystemError) {
            let stamp = try publisher.publish(
                path, header: seal.header, body: code, permissions: snapshot.permissions)
            return PublishedArtifact(
                stamp: stamp, body: code.withUnsafeBytes(BodyHash.of), mode: seal.mode, seconds: seal.seconds,
                size: seal.size, isGuarded: seal.isGuarded)
        } catch {
            modules[job.module].failed = true
            if unwritable.insert(path.parent).inserted {
                fail(job.module, Diagnostic.unwritable(path, error))
            }
            return nil
        }
    }

    private func recordFailure(
        _ diagnostics: [Diagnostic], _ microseconds: UInt32, _ snapshot: SourceSnapshot, _ job: Job
    ) {
        modules[job.module].failed = true
        // Bytecode of an older version must not outlive the source that it was made from.
        if writes {
            publisher.remove(session.targets[job.target].place.path(of: modules[job.module].source.path))
        }
        record(.failed, diagnostics, microseconds, snapshot, job)
    }

    private func record(
        _ outcome: Outcome, _ diagnostics: [Diagnostic], _ microseconds: UInt32, _ snapshot: SourceSnapshot, _ job: Job
    ) {
        let target = session.targets[job.target]
        var record =
            modules[job.module].record
            ?? ModuleRecord(path: modules[job.module].source.path, source: snapshot.state)
        record.source = snapshot.state
        record.traces.removeAll { isSuperseded($0, by: target) }
        record.record(
            Trace(
                key: target.key, fingerprint: snapshot.state.fingerprint, outcome: outcome, diagnostics: diagnostics,
                microseconds: microseconds, clock: clock))
        modules[job.module].record = record
        modules[job.module].isChanged = true
    }

    private func finishJob(_ job: Job) {
        modules[job.module].pending -= 1
        if modules[job.module].pending == 0 {
            finishedModules += 1
            progress(finishedModules, modules.count)
        }
        outstanding -= 1
        if outstanding == 0 {
            endCompiling()
        } else if outstanding > 0 {
            fill()
        }
    }

    // MARK: The end

    /// Hands out no more and waits for nothing.
    func cancel() {
        guard outstanding > 0 else { return }
        outstanding = 0
        for index in queues.indices { queues[index].pool.shutDown() }
        endCompiling()
    }

    private func endCompiling() {
        for index in queues.indices { queues[index].pool.onRoom = {} }
        queues = []
        finish()
    }

    private func finish() {
        var outcome = WaveOutcome(report: WaveReport(clock: clock))
        outcome.report.diagnostics = input.problems
        outcome.report.removed = removed.count
        outcome.removed = removed
        let gone = Set(removed)
        for module in modules where !gone.contains(module.source.path) {
            // What failed for the machine's sake has no verdict; what failed to compile has one on record.
            let hasFailed = module.failed || isFailing(module)
            let result: ModuleResult =
                hasFailed ? .failed : module.compiled ? .compiled : module.restamped ? .restamped : .upToDate
            outcome.report.modules += 1
            switch result {
            case .upToDate: outcome.report.upToDate += 1
            case .restamped: outcome.report.restamped += 1
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
                if input.reportsAll || module.compiled || (hasFailed && module.isChanged) {
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
