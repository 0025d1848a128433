// The restore step of a wave, before compiling: takes code from the store where it is available.

import BasicTypes
import BuildModel
import Compilation
import LinuxSystem

extension Wave {
    /// A job whose code was in the store.
    private struct Restored: Sendable {
        let snapshot: SourceSnapshot
        let code: CodeStore.Restored
        let publication: Result<PublishedArtifact, SystemError>
    }

    /// Completes the jobs whose code is in the store, in parallel.
    ///
    /// - Returns: the remaining jobs.
    package func restore(_ jobs: [Job]) -> [Job] {
        guard writes, !input.isForced, !session.configuration.options.isForced, let store = session.codeStore else {
            return jobs
        }
        struct Item: Sendable {
            let path: BytePath
            let snapshot: SourceSnapshot?
            let target: ArtifactTarget
        }
        let items = jobs.map { job in
            Item(
                path: modules[job.module].source.path, snapshot: snapshots[job.module],
                target: session.targets[job.target])
        }
        let (root, rootPath, reader) = (session.root, session.configuration.rootPath, self.reader)
        let mode = session.configuration.options.invalidation
        let restored = ParallelSlices.map(items, sliceSize: 16, scratch: { ArtifactPublisher(root: root) }) {
            item, publisher -> Restored? in
            guard let snapshot = item.snapshot ?? (try? reader.read(item.path)),
                let code = store.restore(
                    snapshot.state.fingerprint, item.target.interpreter, item.target.key.level,
                    fileName: rootPath.appending(item.path))
            else { return nil }
            let publication = Result { () throws(SystemError) in
                try item.target.publish(code.body, item.path, snapshot, mode: mode, publisher)
            }
            return Restored(snapshot: snapshot, code: code, publication: publication)
        }
        var left: [Job] = []
        for (job, found) in zip(jobs, restored) {
            if let found { handle(.artifactDone(adopt(found, job)), job.module) } else { left.append(job) }
        }
        return left
    }

    /// Records code from the store that was published.
    private func adopt(_ restored: Restored, _ job: Job) -> ModuleProgress.Effect {
        snapshots[job.module] = nil
        let target = session.targets[job.target]
        if showsBindings(job) {
            session.analysis?.note(
                code: restored.code.body, of: modules[job.module].source.path,
                fingerprint: restored.snapshot.state.fingerprint, interpreter: target.interpreter)
        }
        guard let published = accept(restored.publication, job) else { return .blocked }
        record(
            .published(published), restored.code.diagnostics, restored.code.microseconds, restored.snapshot, job)
        return .restored
    }
}
