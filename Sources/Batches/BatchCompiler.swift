// Compiles many bytecode files at once, without a database, for deployments, repairs and the drop-ins.
// Decides what to reuse, what to compile, and in which order. What lanes do for it is in BatchCompilation.swift.

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
    private let workers: Int
    private var pipeline: CompilationPipeline<BatchCompilation>?

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
        workers = jobs
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
        let sized = left.map { index -> BatchCompilation.Item in
            let source = jobs[index].source
            let status = (try? source.directory.status(source.path, followsLinks: true)) ?? nil
            return BatchCompilation.Item(index: index, job: jobs[index], size: status?.stamp.size ?? 0)
        }
        let order = BuildOrder.sorted(sized) { $0.size }
        let queues = targets.indices.map { target in
            CompilationPipeline<BatchCompilation>.Queue(
                pool: pythons.pool(targets[target].id), items: order.filter { $0.job.interpreter == target })
        }
        let pipeline = CompilationPipeline(
            BatchCompilation(targets: targets, options: options, store: store, deadline: deadline), queues, loop: loop,
            workers: workers,
            each: { item, result in
                each(item.index, result)
                finished += 1
                progress(finished, jobs.count)
            },
            done: { [self] in
                self.pipeline = nil
                done()
            })
        self.pipeline = pipeline
        pipeline.start()
    }

    /// Starts no more jobs, drops those in progress and finishes the batch.
    package func cancel() { pipeline?.cancel() }

    /// Stops the workers.
    package func close() {
        pythons.shutDown()
        store?.evictIfNeeded()
    }

    /// A message from the store to the user.
    package var storeNotice: String? { store?.notice }
}
