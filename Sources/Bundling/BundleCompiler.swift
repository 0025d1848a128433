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
    private var schedule: CompilationSchedule<Int>?

    package init(
        loop: EventLoop, pythons: InterpreterSet, deadline: Int64, level: OptimizationLevel, store: CodeStore?
    ) {
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
        let (interpreters, level, store) = (interpreters, level, store)
        var outcomes: [Outcome?] = ParallelSlices.map(jobs, sliceSize: 8, scratch: {}) { job, _ in
            store?.restore(
                Fingerprint(of: job.source), interpreters[job.interpreter], level, fileName: job.fileName
            ).map { .code($0.body) }
        }
        let left = jobs.indices.filter { outcomes[$0] == nil }
        var finished = jobs.count - left.count
        progress(finished, jobs.count)
        let order = BuildOrder.sorted(left.map { (job: $0, size: Int64(jobs[$0].source.count)) })
        let queues = pythons.selected.indices.map { index in
            (pool: pythons.pool(pythons.selected[index]), jobs: order.filter { jobs[$0].interpreter == index })
        }
        let current = CompilationSchedule(
            queues.filter { !$0.jobs.isEmpty },
            send: { [self] index, pool in
                let job = jobs[index]
                let request = CompileRequest(
                    identifier: UInt32(truncatingIfNeeded: index), level: level, wantsCode: true, printing: nil,
                    fileName: job.fileName, source: job.source)
                pool.compile(request) { [self] result in
                    outcomes[index] = outcome(
                        CompileVerdict(result, by: interpreters[job.interpreter], deadline: deadline), of: job)
                    finished += 1
                    progress(finished, jobs.count)
                    schedule?.finishOne()
                }
            },
            done: { [self] in
                schedule = nil
                done(outcomes)
            })
        schedule = current
        current.start()
    }

    private func outcome(_ verdict: CompileVerdict, of job: Job) -> Outcome {
        switch verdict {
        case .code(let marshalled, let diagnostics, let microseconds):
            let interpreter = interpreters[job.interpreter]
            let code = CompiledCode(marshalled, of: interpreter)
            store?.keep(code, diagnostics, microseconds, source: Fingerprint(of: job.source), interpreter, level)
            return .code(code.body)
        case .refused(let diagnostics, _, _): return .refused(diagnostics)
        case .unavailable(let diagnostic): return .unavailable(diagnostic)
        }
    }

    /// Starts no more jobs and finishes.
    package func cancel() { schedule?.cancel() }

    /// Stops the workers.
    package func close() {
        pythons.shutDown()
        store?.evictIfNeeded()
    }
}
