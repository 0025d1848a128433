// Many bytecode files at once, without a database: what deployment, repairs and the drop-ins need.
// Knows: what is reused, what is compiled, in which order. Does not know: which files, or how results are shown.

import BuildDatabase
import BuildModel
import Compilation
import Interpreters
import LinuxSystem

/// Runs batches. Lives on its loop.
package final class BatchCompiler {
    private let loop: EventLoop
    private let pythons: InterpreterSet
    private let deadline: Int64
    private let targets: [BatchTarget]
    private let store: CodeStore?
    private var schedule: CompilationSchedule<Int>?
    private var nextIdentifier: UInt32 = 0

    /// Probes the interpreters.
    ///
    /// - Parameters:
    ///   - jobs: workers for each interpreter.
    ///   - deadline: nanoseconds that one file may take.
    ///   - store: compiled code of all trees.
    package init(
        loop: EventLoop, candidates: [InterpreterCandidate], jobs: Int, deadline: Int64, store: CodeStore? = nil
    ) throws(InterpreterError) {
        self.loop = loop
        self.store = store
        self.deadline = deadline
        pythons = InterpreterSet(loop: loop, known: [], jobs: jobs, deadline: deadline)
        try pythons.select(candidates)
        targets = pythons.selected.map { [pythons] in BatchTarget(id: $0, interpreter: pythons[$0]) }
    }

    package var interpreters: [Interpreter] { targets.map(\.interpreter) }
    /// For the user, once.
    package var notices: [String] { pythons.notices }

    /// Does all jobs.
    ///
    /// - Parameters:
    ///   - progress: how many of how many are done.
    ///   - each: called once for every job, by its place, on the loop and in no order.
    ///   - done: called at the end.
    package func run(
        _ jobs: [BatchJob], options: BatchOptions, progress: @escaping (Int, Int) -> Void = { _, _ in },
        each: @escaping (Int, BatchResult) -> Void, done: @escaping () -> Void
    ) {
        var left: [Int] = Array(jobs.indices)
        if options.reuse == .valid {
            let examiner = BatchExaminer(targets: targets, options: options, store: store)
            let results = ParallelSlices.map(
                jobs, sliceSize: 16, scratch: { BatchPublishers(makesDirectories: options.makesDirectories) }
            ) { examiner.examine($0, $1) }
            left = []
            for (index, result) in results.enumerated() {
                if let result { each(index, result) } else { left.append(index) }
            }
        }
        var finished = jobs.count - left.count
        progress(finished, jobs.count)
        let sized = left.map { index -> (job: Int, size: Int64) in
            let source = jobs[index].source
            return (index, ((try? source.directory.status(source.path, followsLinks: true)) ?? nil)?.stamp.size ?? 0)
        }
        let order = BuildOrder.sorted(sized)
        let queues = targets.indices.map { target in
            (pool: pythons.pool(targets[target].id), jobs: order.filter { jobs[$0].interpreter == target })
        }
        let publishers = BatchPublishers(makesDirectories: options.makesDirectories)
        let current = CompilationSchedule(
            queues.filter { !$0.jobs.isEmpty },
            send: { [self] index, pool in
                compile(jobs[index], pool, options, publishers) { [self] result in
                    each(index, result)
                    finished += 1
                    progress(finished, jobs.count)
                    self.schedule?.finishOne()
                }
            },
            done: { [self] in
                schedule = nil
                done()
            })
        self.schedule = current
        current.start()
    }

    /// Hands out no more; what is under way is dropped, and the batch is done.
    package func cancel() { schedule?.cancel() }

    /// Ends the workers.
    package func close() {
        pythons.shutDown()
        store?.evictIfNeeded()
    }

    /// What the store wants the user to know.
    package var storeNotice: String? { store?.notice }

    private func compile(
        _ job: BatchJob, _ pool: WorkerPool, _ options: BatchOptions, _ publishers: BatchPublishers,
        _ done: @escaping (BatchResult) -> Void
    ) {
        let snapshot: SourceSnapshot
        do throws(SourceProblem) {
            snapshot = try SourceReader(root: job.source.directory).read(job.source.path)
        } catch {
            let problem = error.diagnostic
            let cause = error.cause
            // The answer comes later, as from a worker: callers are not entered again from within.
            loop.later { done(BatchResult(outcome: .problem(problem, cause))) }
            return
        }
        nextIdentifier &+= 1
        let request = CompileRequest(
            identifier: nextIdentifier & 0x7FFF_FFFF, level: job.level, wantsCode: true,
            printing: options.warningOptions.map { .init(hasLines: job.namesSource, warningOptions: $0) },
            fileName: job.fileName, source: snapshot.bytes)
        pool.compile(request) { [self] result in
            done(
                take(
                    CompileVerdict(result, by: targets[job.interpreter].interpreter, deadline: deadline),
                    job, snapshot, options, publishers))
        }
    }

    private func take(
        _ verdict: CompileVerdict, _ job: BatchJob, _ snapshot: SourceSnapshot, _ options: BatchOptions,
        _ publishers: BatchPublishers
    ) -> BatchResult {
        let target = targets[job.interpreter]
        switch verdict {
        case .code(let code, let diagnostics, let microseconds):
            let code = CompiledCode(code, of: target.interpreter)
            do throws(SystemError) {
                try publishers[job.output.directory].publish(
                    job.output.path, header: target.header(for: snapshot.contents, options), body: code.body,
                    permissions: snapshot.permissions, modified: options.modified)
            } catch {
                return BatchResult(
                    outcome: .problem(.unwritable(job.output.path, error), error), diagnostics: diagnostics)
            }
            store?.keep(
                code, diagnostics, microseconds, source: snapshot.state.fingerprint, target.interpreter, job.level)
            return BatchResult(outcome: .compiled, diagnostics: diagnostics)
        case .refused(let diagnostics, _, let text):
            // Bytecode of an older version must not outlive the source that it was made from.
            if options.removesRefused {
                do throws(SystemError) {
                    try publishers[job.output.directory].remove(job.output.path)
                } catch {
                    return BatchResult(
                        outcome: .problem(.unremovable(job.output.path, error), error), diagnostics: diagnostics)
                }
            }
            return BatchResult(outcome: .refused(text: text), diagnostics: diagnostics)
        case .unavailable(let diagnostic):
            return BatchResult(outcome: .problem(diagnostic, nil))
        }
    }
}
