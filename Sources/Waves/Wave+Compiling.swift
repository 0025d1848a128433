// The compile step of a wave: hands stale sources to a pipeline, and records what comes back.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import LinuxSystem

extension Wave {
    /// Completes jobs, one interpreter after the other: with code from the store, or from a compiler.
    package func compile(_ jobs: [Job]) {
        guard !jobs.isEmpty else { return finish() }
        let items = ordered(jobs)
        let queues = session.interpreters.selected.map { id in
            CompilationPipeline<WaveCompilation>.Queue(
                pool: session.interpreters.pool(id),
                items: items.filter { session.targets[$0.target].key.interpreter == id })
        }
        let configuration = session.configuration
        let work = WaveCompilation(
            root: session.root, rootPath: configuration.rootPath, targets: session.targets,
            mode: configuration.options.invalidation, writes: writes,
            restores: !input.isForced && !configuration.options.isForced, store: session.codeStore,
            readsBindings: session.analysis != nil, deadline: configuration.deadline)
        let pipeline = CompilationPipeline(
            work, queues, loop: session.loop, workers: configuration.jobs, each: { [self] in adopt($1, of: $0) },
            done: { [self] in finish() })
        self.pipeline = pipeline
        progress(finishedModules, moduleCount)
        pipeline.start()
    }

    private func ordered(_ jobs: [Job]) -> [WaveCompilation.Item] {
        func item(_ job: Job) -> WaveCompilation.Item {
            let source = modules[job.module].source
            return WaveCompilation.Item(
                module: job.module, target: job.target, path: source.path, stamp: source.stamp,
                snapshot: snapshots[job.module])
        }
        guard (2...BuildOrder.smallWave).contains(jobs.count) else {
            return BuildOrder.sorted(jobs.map(item)) { $0.stamp.size }
        }
        let reader = SourceReader(root: session.root)
        for job in jobs where snapshots[job.module] == nil {
            snapshots[job.module] = try? reader.read(modules[job.module].source.path)
        }
        let sources = Set(jobs.map(\.module)).compactMap { index in
            snapshots[index].map { (path: modules[index].source.path, bytes: $0.bytes) }
        }
        let importers = BuildOrder.importers(sources)
        return jobs.map(item).sorted { (importers[$0.path] ?? 0) > (importers[$1.path] ?? 0) }
    }

    private func adopt(_ outcome: WaveCompilation.Outcome, of item: WaveCompilation.Item) {
        let before = finishedModules
        handle(event(outcome, item), item.module)
        if finishedModules != before { progress(finishedModules, moduleCount) }
    }

    /// Records an outcome.
    private func event(_ outcome: WaveCompilation.Outcome, _ item: WaveCompilation.Item) -> ModuleProgress.Event {
        let target = session.targets[item.target]
        switch outcome {
        case .made(let made):
            if let bindings = made.bindings {
                session.analysis?.note(bindings, of: item.path, fingerprint: made.source.fingerprint)
            }
            var result = Outcome.compiles
            if let publication = made.publication {
                guard let published = accept(publication, item) else { return .artifactDone(.blocked) }
                result = .published(published)
            }
            record(result, made.diagnostics, made.microseconds, made.source, item)
            return .artifactDone(made.isRestored ? .restored : .compiled)
        case .refused(let source, let diagnostics, let microseconds, let problem):
            if let problem { fail(item.module, problem) }
            record(.failed, diagnostics, microseconds, source, item)
            return .artifactDone(.refused)
        case .unavailable(let diagnostic):
            if unavailable.insert(target.key.interpreter).inserted { fail(item.module, diagnostic) }
            return .artifactDone(.blocked)
        case .vanished: return .vanished
        case .unreadable(let diagnostic):
            fail(item.module, diagnostic)
            return .unreadable
        }
    }

    /// Returns the published artifact, or reports the failure and returns `nil`.
    private func accept(
        _ publication: Result<PublishedArtifact, SystemError>, _ item: WaveCompilation.Item
    ) -> PublishedArtifact? {
        switch publication {
        case .success(let published): return published
        case .failure(let error):
            let path = session.targets[item.target].place.path(of: item.path)
            if unwritable.insert(Diagnostic.unwritablePlace(path, error)).inserted {
                fail(item.module, Diagnostic.unwritable(path, error))
            }
            return nil
        }
    }

    private func record(
        _ outcome: Outcome, _ diagnostics: [Diagnostic], _ microseconds: UInt32, _ source: SourceState,
        _ item: WaveCompilation.Item
    ) {
        let target = session.targets[item.target]
        var record = modules[item.module].record ?? ModuleRecord(path: item.path, source: source)
        modules[item.module].record = nil  // So that the record is not copied.
        record.source = source
        record.traces.removeAll { isSuperseded($0, by: target) }
        record.record(
            Trace(
                key: target.key, fingerprint: source.fingerprint, outcome: outcome, diagnostics: diagnostics,
                microseconds: microseconds, clock: clock))
        modules[item.module].record = record
        modules[item.module].progress.note(ModuleProgress.RecordChange.changed)
    }
}
