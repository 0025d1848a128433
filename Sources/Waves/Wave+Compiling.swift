// The compile step of a wave: sends stale sources to the workers, then publishes and records the results.

import BuildModel
import Compilation
import Interpreters
import LinuxSystem

extension Wave {
    /// Compiles jobs, one interpreter after the other, so that the number of processes never exceeds `--jobs`.
    package func compile(_ jobs: [Job]) {
        guard !jobs.isEmpty else { return finish() }
        let order = ordered(jobs)
        let queues = session.interpreters.selected.map { id in
            (
                pool: session.interpreters.pool(id),
                jobs: order.filter { session.targets[$0.target].key.interpreter == id }
            )
        }
        let schedule = CompilationSchedule(
            queues.filter { !$0.jobs.isEmpty }, send: { [self] in send($0, to: $1) }, done: { [self] in finish() })
        self.schedule = schedule
        progress(finishedModules, modules.count)
        schedule.start()
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
            // Answer later, as a worker would, so that the caller is not reentered.
            session.loop.later { [self] in
                switch error {
                case .gone: finish(job, .vanished)
                case .diagnostic(let diagnostic, _):
                    fail(job.module, diagnostic)
                    finish(job, .unreadable)
                }
            }
            return
        }
        nextIdentifier &+= 1
        let target = session.targets[job.target]
        let request = CompileRequest(
            identifier: nextIdentifier & 0x7FFF_FFFF, level: target.key.level, wantsCode: writes || showsBindings(job),
            fileName: session.configuration.rootPath.appending(module.source.path), source: snapshot.bytes)
        pool.compile(request) { [self] result in finish(job, .artifactDone(receive(result, snapshot, job))) }
    }

    /// Publishes and records a worker's result.
    private func receive(
        _ result: CompileResult, _ snapshot: SourceSnapshot, _ job: Job
    ) -> ModuleProgress.Effect {
        let target = session.targets[job.target]
        switch CompileVerdict(result, by: target.interpreter, deadline: session.configuration.deadline) {
        case .code(let code, let diagnostics, let microseconds):
            if showsBindings(job) {
                session.analysis?.note(
                    code: code, of: modules[job.module].source.path, fingerprint: snapshot.state.fingerprint,
                    interpreter: target.interpreter)
            }
            var outcome = Outcome.compiles
            if writes {
                let code = CompiledCode(code, of: target.interpreter)
                guard let published = publish(code.body, snapshot, job) else { return .blocked }
                outcome = .published(published)
                session.codeStore?.keep(
                    code, diagnostics, microseconds, source: snapshot.state.fingerprint, target.interpreter,
                    target.key.level)
            }
            record(outcome, diagnostics, microseconds, snapshot, job)
            return .compiled
        case .refused(let diagnostics, let microseconds, _):
            discardBytecode(of: job.module, target)
            record(.failed, diagnostics, microseconds, snapshot, job)
            return .refused
        case .unavailable(let diagnostic):
            if unavailable.insert(target.key.interpreter).inserted { fail(job.module, diagnostic) }
            return .blocked
        }
    }

    /// Whether the bindings of a module are read from this job: one of its targets is enough.
    package func showsBindings(_ job: Job) -> Bool { job.target == 0 && session.analysis != nil }

    private func publish(_ code: [UInt8], _ snapshot: SourceSnapshot, _ job: Job) -> PublishedArtifact? {
        let path = modules[job.module].source.path
        let mode = session.configuration.options.invalidation
        return accept(
            Result { () throws(SystemError) in
                try session.targets[job.target].publish(code, path, snapshot, mode: mode, publisher)
            }, job)
    }

    /// Returns the published artifact, or reports the failure and returns `nil`.
    package func accept(_ publication: Result<PublishedArtifact, SystemError>, _ job: Job) -> PublishedArtifact? {
        switch publication {
        case .success(let published): return published
        case .failure(let error):
            let path = session.targets[job.target].place.path(of: modules[job.module].source.path)
            if unwritable.insert(Diagnostic.unwritablePlace(path, error)).inserted {
                fail(job.module, Diagnostic.unwritable(path, error))
            }
            return nil
        }
    }

    package func record(
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
        modules[job.module].progress.note(ModuleProgress.RecordChange.changed)
    }

    private func finish(_ job: Job, _ event: ModuleProgress.Event) {
        let before = finishedModules
        handle(event, job.module)
        if finishedModules != before { progress(finishedModules, modules.count) }
        schedule?.finishOne()
    }
}
