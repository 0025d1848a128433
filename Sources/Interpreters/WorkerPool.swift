// The warm workers of one interpreter, and the jobs that wait for them.
// Knows: who compiles what, deadlines, crashes, retries. Does not know: why a file is compiled, or where code goes.

import BasicTypes
import BuildModel
import LinuxSystem

/// What became of a job.
package enum CompileResult: Sendable {
    case compiled(code: [UInt8], diagnostics: [Diagnostic], microseconds: UInt32)
    case refused(diagnostics: [Diagnostic], microseconds: UInt32, text: String)
    /// The worker died on it every time.
    case crashed(ExitReason)
    /// It was not done in time, twice.
    case timedOut
    /// No worker can be started.
    case unavailable(String)
}

/// Workers of one interpreter, started when needed, at most `size`.
///
/// A worker has several jobs in its pipe, so that it never waits for us, and does them in order: when it dies or
/// hangs, the first that it has not answered is the one that did it.
package final class WorkerPool {
    private struct Job {
        let request: CompileRequest
        var attempts = 0
        let done: (CompileResult) -> Void
    }

    private final class Worker {
        let process: WorkerProcess
        let level: OptimizationLevel?
        var isReady: Bool
        var inFlight: [Job] = []
        var bytesInFlight = 0
        /// When the first job in flight became the first.
        var headSince: Int64 = 0
        var unwritten: [UInt8] = []
        var reader: EventLoop.Source?
        var writer: EventLoop.Source?

        init(process: WorkerProcess, level: OptimizationLevel?, isReady: Bool) {
            self.process = process
            self.level = level
            self.isReady = isReady
        }
    }

    /// What may wait in one worker's pipe: enough to hide our turn-around, little enough to share the end fairly.
    private static let mostInFlight = 8
    private static let mostBytesInFlight = 192 * 1024
    private static let mostFailedStarts = 3

    private let loop: EventLoop
    private let executable: BytePath
    /// Python 2 takes its level from the command line, so each level has workers of its own.
    private let levelIsFixed: Bool
    private let size: Int
    /// Nanoseconds for one file.
    private let deadline: Int64
    private var workers: [Worker] = []
    private var waiting: [Job] = []
    private var failedStarts = 0
    private var ticker: EventLoop.Source?
    /// Workers that were replaced because they died or hung.
    package private(set) var replaced = 0
    private var leaving: EventLoop.Source?
    /// Nanoseconds without work after which all workers but one leave.
    private static let patience: Int64 = 10_000_000_000
    /// Bytes of resident memory that a worker may keep: a huge source leaves its arenas behind.
    private static let mostMemory = 512 << 20
    /// Called when a job could be taken again.
    package var onRoom: () -> Void = {}

    package init(loop: EventLoop, probed: ProbedInterpreter, size: Int, deadline: Int64) {
        self.loop = loop
        executable = probed.interpreter.path
        levelIsFixed = probed.interpreter.layout == .legacy
        self.size = max(1, size)
        self.deadline = deadline
        if !levelIsFixed { adopt(probed.worker, level: nil, isReady: true) }
    }

    package init(loop: EventLoop, interpreter: Interpreter, size: Int, deadline: Int64) {
        self.loop = loop
        executable = interpreter.path
        levelIsFixed = interpreter.layout == .legacy
        self.size = max(1, size)
        self.deadline = deadline
    }

    deinit {
        shutDown()
    }

    package var isIdle: Bool { waiting.isEmpty && workers.allSatisfy { $0.inFlight.isEmpty } }
    package var identifiers: [Int32] { workers.map(\.process.child.identifier) }

    /// Whether a job handed over now would go to a worker soon; more would only hold memory.
    package var hasRoom: Bool {
        guard waiting.count < size else { return false }
        return workers.count < size || workers.contains { hasRoom($0) }
    }

    private func hasRoom(_ worker: Worker) -> Bool {
        worker.inFlight.isEmpty
            || (worker.inFlight.count < Self.mostInFlight && worker.bytesInFlight < Self.mostBytesInFlight)
    }

    /// Compiles; `done` is called later, on the loop.
    package func compile(_ request: CompileRequest, _ done: @escaping (CompileResult) -> Void) {
        waiting.append(Job(request: request, done: done))
        fill()
    }

    /// Ends all workers. Jobs that are under way are dropped.
    package func shutDown() {
        ticker = nil
        leaving = nil
        waiting = []
        let ending = workers
        workers = []
        for worker in ending { stop(worker) }
    }

    private func stop(_ worker: Worker) {
        worker.reader?.cancel()
        worker.writer?.cancel()
        worker.process.child.kill()
    }

    // MARK: Handing out

    private func fill() {
        while let job = waiting.first {
            let level = levelIsFixed ? job.request.level : nil
            guard let worker = worker(for: level, isRetry: job.attempts > 0) else { break }
            waiting.removeFirst()
            send(job, to: worker)
        }
        if !isIdle, ticker == nil { tick() }
    }

    private func worker(for level: OptimizationLevel?, isRetry: Bool) -> Worker? {
        // One that died while it had nothing to do is no file's fault, and gets none.
        for worker in workers where worker.isReady && worker.inFlight.isEmpty && worker.process.hasEnded {
            _ = replace(worker, isTimeout: false)
        }
        let fitting = workers.filter { $0.level == level }
        if let idle = fitting.first(where: { $0.inFlight.isEmpty }) { return idle }
        if workers.count < size {
            if let started = start(level: level) { return started }
        } else if fitting.isEmpty, let other = workers.firstIndex(where: { $0.inFlight.isEmpty }) {
            stop(workers.remove(at: other))
            return start(level: level)
        }
        // A file that has already cost a worker goes to one that has nothing else.
        if isRetry { return nil }
        return fitting.filter { hasRoom($0) }.min { $0.bytesInFlight < $1.bytesInFlight }
    }

    @discardableResult
    private func start(level: OptimizationLevel?) -> Worker? {
        do throws(SystemError) {
            return adopt(try WorkerProcess(executable, level: level), level: level, isReady: false)
        } catch {
            failedStarts += 1
            if failedStarts >= Self.mostFailedStarts, workers.isEmpty { giveUp(error.reason) }
            return nil
        }
    }

    @discardableResult
    private func adopt(_ process: WorkerProcess, level: OptimizationLevel?, isReady: Bool) -> Worker {
        let worker = Worker(process: process, level: level, isReady: isReady)
        workers.append(worker)
        worker.reader = loop.onReadable(process.child.output) { [weak self, weak worker] in
            guard let self, let worker else { return }
            receive(from: worker)
        }
        return worker
    }

    private func send(_ job: Job, to worker: Worker) {
        var job = job
        job.attempts += 1
        if worker.inFlight.isEmpty { worker.headSince = Host.monotonic }
        worker.inFlight.append(job)
        worker.bytesInFlight += job.request.source.count
        let frame = job.request.frame(levelIsFixed: levelIsFixed)
        if worker.unwritten.isEmpty {
            worker.unwritten = frame
            write(to: worker)
        } else {
            worker.unwritten += frame
        }
    }

    private func write(to worker: Worker) {
        var sent = 0
        var failure: SystemError?
        worker.unwritten.withUnsafeBytes { bytes in
            do throws(SystemError) {
                while sent < bytes.count {
                    sent += try worker.process.child.input.writeSome(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                }
            } catch {
                failure = error
            }
        }
        if sent == worker.unwritten.count {
            worker.unwritten = []
            worker.writer?.cancel()
            worker.writer = nil
            return
        }
        worker.unwritten.removeFirst(sent)
        guard let failure, failure.wouldBlock else {
            // Any error but a full pipe shows as the end of its output as well, which is where it is dealt with.
            worker.unwritten = []
            worker.writer?.cancel()
            worker.writer = nil
            return
        }
        guard worker.writer == nil else { return }
        worker.writer = loop.onWritable(worker.process.child.input) { [weak self, weak worker] in
            guard let self, let worker else { return }
            write(to: worker)
        }
    }

    // MARK: Taking back

    private func receive(from worker: Worker) {
        var results: [(Job, CompileResult)] = []
        var isOrderly = true
        let reading = worker.process.read { frame in
            switch frame {
            case .hello:
                worker.isReady = true
                failedStarts = 0
            case .reply(let reply):
                guard let job = worker.inFlight.first, job.request.identifier == reply.identifier else {
                    isOrderly = false
                    return
                }
                worker.inFlight.removeFirst()
                worker.bytesInFlight -= job.request.source.count
                worker.headSince = Host.monotonic
                results.append(
                    (
                        job,
                        reply.isFailure
                            ? .refused(
                                diagnostics: reply.diagnostics, microseconds: reply.microseconds,
                                text: String(decoding: reply.code, as: UTF8.self))
                            : .compiled(
                                code: reply.code, diagnostics: reply.diagnostics, microseconds: reply.microseconds)
                    ))
            }
        }
        if reading != .more || !isOrderly { results += replace(worker, isTimeout: false) }
        // The worker is fed before results are dealt with: it compiles while we publish.
        finish(results)
    }

    private func finish(_ results: [(Job, CompileResult)]) {
        onRoom()
        fill()
        for (job, result) in results { job.done(result) }
        if isIdle {
            ticker = nil
            dismissLater()
        }
    }

    /// Takes a worker out of service; what it had in hand is done again, but for the file that has now cost two.
    private func replace(_ worker: Worker, isTimeout: Bool) -> [(Job, CompileResult)] {
        guard let index = workers.firstIndex(where: { $0 === worker }) else { return [] }
        workers.remove(at: index)
        worker.reader?.cancel()
        worker.writer?.cancel()
        let reason = worker.process.child.kill()
        var jobs = worker.inFlight
        if !worker.isReady {
            // It never came up: no file is to blame.
            failedStarts += 1
            for index in jobs.indices { jobs[index].attempts -= 1 }
            waiting.insert(contentsOf: jobs, at: 0)
            if failedStarts >= Self.mostFailedStarts { giveUp("the interpreter does not start") }
            return []
        }
        replaced += 1
        guard let culprit = jobs.first else { return [] }
        for index in jobs.indices.dropFirst() { jobs[index].attempts -= 1 }
        // SIGKILL comes from outside, from a person or a kernel short of memory, and may have met two workers at once.
        let isKilled = !isTimeout && reason == .signal(ExitReason.killSignal)
        if culprit.attempts < (isKilled ? 3 : 2) {
            waiting.insert(contentsOf: jobs, at: 0)
            return []
        }
        waiting.insert(contentsOf: jobs.dropFirst(), at: 0)
        return [(culprit, isTimeout ? .timedOut : .crashed(reason))]
    }

    private func giveUp(_ reason: String) {
        let jobs = waiting
        waiting = []
        failedStarts = 0
        for job in jobs { loop.later { job.done(.unavailable(reason)) } }
    }

    /// Once there is nothing to do: workers that have grown too large are replaced when they are next needed, and after
    /// a while all leave but one, which the next edit finds warm.
    private func dismissLater() {
        guard leaving == nil, !workers.isEmpty else { return }
        leaving = loop.after(Self.patience) { [weak self] in
            guard let self else { return }
            leaving = nil
            guard isIdle else { return }
            let kept = workers.first { Host.residentMemory(of: $0.process.child.identifier) < Self.mostMemory }
            for worker in workers where worker !== kept { stop(worker) }
            workers.removeAll { $0 !== kept }
        }
    }

    // MARK: Deadlines

    /// Looks at all workers now and then while there is work, and never when there is none.
    private func tick() {
        ticker = loop.after(min(1_000_000_000, deadline / 4)) { [weak self] in
            guard let self else { return }
            ticker = nil
            let now = Host.monotonic
            let late = workers.filter { !$0.inFlight.isEmpty && now - $0.headSince > deadline }
            finish(late.flatMap { replace($0, isTimeout: true) })
            if !isIdle, ticker == nil { tick() }
        }
    }
}
