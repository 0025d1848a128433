// Gets the bytecode of a bundle's modules: from the store, or from the compilers.

import BasicTypes
import BuildModel
import Compilation
import Interpreters
import LinuxSystem

/// Compiles sources that are in memory. Lives on its loop.
package final class BundleCompiler {
    /// One module for one interpreter.
    struct Job: Sendable {
        let source: [UInt8]
        /// The file name in the code.
        let fileName: BytePath
        /// An index into the interpreters.
        let interpreter: Int
    }

    enum Outcome: Sendable {
        case code([UInt8])
        /// The source does not compile.
        case refused([Diagnostic])
        /// The compiler could not be run.
        case unavailable(Diagnostic)
    }

    let loop: EventLoop
    private let pythons: InterpreterSet
    private let deadline: Int64
    private let level: OptimizationLevel
    private let store: CodeStore?
    private let workers: Int
    private var pipeline: CompilationPipeline<BundleCompilation>?

    package init(
        loop: EventLoop, pythons: InterpreterSet, workers: Int, deadline: Int64, level: OptimizationLevel,
        store: CodeStore?
    ) {
        self.workers = workers
        self.loop = loop
        self.pythons = pythons
        self.deadline = deadline
        self.level = level
        self.store = store
    }

    package var interpreters: [Interpreter] { pythons.selected.map { pythons[$0] } }

    /// Compiles all jobs.
    ///
    /// - Parameter done: called with an outcome for each job; `nil` after `cancel`.
    func run(
        _ jobs: [Job], progress: @escaping (Int, Int) -> Void, done: @escaping ([Outcome?]) -> Void
    ) {
        var outcomes = [Outcome?](repeating: nil, count: jobs.count)
        var finished = 0
        progress(finished, jobs.count)
        let items = BuildOrder.sorted(jobs.enumerated().map { BundleCompilation.Item(index: $0, job: $1) }) {
            Int64($0.job.source.count)
        }
        let queues = pythons.selected.indices.map { index in
            CompilationPipeline<BundleCompilation>.Queue(
                pool: pythons.pool(pythons.selected[index]), items: items.filter { $0.job.interpreter == index })
        }
        let pipeline = CompilationPipeline(
            BundleCompilation(interpreters: interpreters, level: level, store: store, deadline: deadline), queues,
            loop: loop, workers: workers,
            each: { item, outcome in
                outcomes[item.index] = outcome
                finished += 1
                progress(finished, jobs.count)
            },
            done: { [self] in
                self.pipeline = nil
                done(outcomes)
            })
        self.pipeline = pipeline
        pipeline.start()
    }

    /// Starts no more jobs and finishes.
    package func cancel() { pipeline?.cancel() }

    /// Stops the workers.
    package func close() {
        pythons.shutDown()
        store?.evictIfNeeded()
    }
}

/// Compiles and restores for a bundle.
private struct BundleCompilation: CompilationWork {
    struct Item: Sendable {
        /// Index of the job.
        let index: Int
        let job: BundleCompiler.Job
    }

    let interpreters: [Interpreter]
    let level: OptimizationLevel
    let store: CodeStore?
    /// Time limit for one file in nanoseconds.
    let deadline: Int64

    func size(of item: Item) -> Int { item.job.source.count }

    func makeScratch() {}

    func prepare(_ item: Item, _ scratch: Void) -> Preparation<Fingerprint, BundleCompiler.Outcome> {
        let job = item.job
        let fingerprint = Fingerprint(of: job.source)
        if let restored = store?.restore(fingerprint, interpreters[job.interpreter], level, fileName: job.fileName) {
            return .finished(.code(restored.body))
        }
        return .request(
            CompileRequest(
                identifier: 0, level: level, wantsCode: true, fileName: job.fileName, source: job.source), fingerprint)
    }

    func finish(
        _ item: Item, _ fingerprint: Fingerprint, _ result: CompileResult, _ scratch: Void
    ) -> BundleCompiler.Outcome {
        let interpreter = interpreters[item.job.interpreter]
        switch CompileVerdict(result, by: interpreter, deadline: deadline) {
        case .code(let marshalled, let diagnostics, let microseconds):
            let code = CompiledCode(marshalled, of: interpreter)
            store?.keep(code, diagnostics, microseconds, source: fingerprint, interpreter, level)
            return .code(code.body)
        case .refused(let diagnostics, _, _): return .refused(diagnostics)
        case .unavailable(let diagnostic): return .unavailable(diagnostic)
        }
    }
}
