// Compiles many bytecode files at once, without a database, for deployments, repairs and the drop-ins.
// Decides what to reuse, what to compile, and in which order.

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
    ///   - jobs: number of workers for each interpreter.
    ///   - deadline: time limit for one file, in nanoseconds.
    ///   - store: compiled code shared by all trees.
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
    /// Messages to show the user once.
    package var notices: [String] { pythons.notices }

    /// Runs all jobs.
    ///
    /// - Parameters:
    ///   - progress: called with the number of finished jobs and the total.
    ///   - each: called once for every job with its index, on the loop, in any order.
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

    /// Starts no more jobs, drops those in progress and finishes the batch.
    package func cancel() { schedule?.cancel() }

    /// Stops the workers.
    package func close() {
        pythons.shutDown()
        store?.evictIfNeeded()
    }

    /// A message from the store to the user.
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
            // Report it later, as a worker would: never call back before this call returns.
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
                finish(
                    CompileVerdict(result, by: targets[job.interpreter].interpreter, deadline: deadline),
                    job, snapshot, options, publishers))
        }
    }

    private func finish(
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
            // Bytecode must not outlive the version of the source that it was compiled from.
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
