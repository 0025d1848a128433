// The warm workers of one interpreter, and the jobs waiting for them. `WorkerPoolState` decides what to do; this
// performs its actions with processes, pipes and timers, and reports events back.

import BasicTypes
import BuildModel
import LinuxSystem

/// The result of a job.
package enum CompileResult: Sendable {
    case compiled(code: ArraySlice<UInt8>, diagnostics: [Diagnostic], microseconds: UInt32)
    case refused(diagnostics: [Diagnostic], microseconds: UInt32, text: String)
    /// The worker crashed on it in every attempt.
    case crashed(ExitReason)
    /// It timed out twice.
    case timedOut
    /// No worker can be used.
    case unavailable(WorkerFailure)
}

/// Workers of one interpreter: started on demand, at most `size`.
package final class WorkerPool {
    private final class Worker {
        let number: Int
        let process: WorkerProcess
        var reader: EventLoop.Source?
        var writer: EventLoop.Source?

        init(number: Int, process: WorkerProcess) {
            self.number = number
            self.process = process
        }
    }

    private let loop: EventLoop
    /// The interpreter to start, which every worker must match.
    private let interpreter: Interpreter
    /// `sys.version` of the first worker, in hexadecimal.
    private var build: String?
    private let deadline: Int64
    private let levelIsFixed: Bool
    private let size: Int
    private let pipeSize: Int32
    private var state: WorkerPoolState
    private var workers: [Worker] = []
    /// Indexed by slot. Free slots are reused.
    private var jobs: [CompileRequest?] = []
    private var freeSlots: [Int] = []
    /// Workers with requests that were not sent yet.
    private var receivers: Set<Int> = []
    /// Results that have not been delivered yet.
    private var results: [Answer] = []
    private var isSettlingLater = false
    private var ticker: EventLoop.Source?
    private var leaving: EventLoop.Source?
    /// Nanoseconds without work after which all workers but one are stopped.
    private static let patience: Int64 = 10_000_000_000
    /// Maximum resident memory of an idle worker, in bytes: a huge source leaves its arenas behind.
    private static let maximumMemory = 512 << 20
    /// The result of a request.
    package typealias Answer = (identifier: UInt32, result: CompileResult)

    /// Called with results, and when there may be room for other requests.
    package var onAnswers: ([Answer]) -> Void = { _ in }
    /// Called when a worker turns out to be another interpreter than the one selected.
    package var onChangedInterpreter: () -> Void = {}

    /// A pool that starts with the worker from a probe.
    package convenience init(loop: EventLoop, probed: ProbedInterpreter, size: Int, deadline: Int64) {
        self.init(
            loop: loop, interpreter: probed.interpreter, size: size, deadline: deadline,
            pipeSize: WorkerProcess.largePipe)
        build = probed.build
        // A probe's worker has no level, but Python 2 workers need one.
        if !levelIsFixed { add(probed.worker, number: state.adopt()) }
    }

    /// - Parameter deadline: maximum time for one file, in nanoseconds.
    package convenience init(loop: EventLoop, interpreter: Interpreter, size: Int, deadline: Int64) {
        self.init(
            loop: loop, interpreter: interpreter, size: size, deadline: deadline, pipeSize: WorkerProcess.largePipe)
    }

    /// - Parameter pipeSize: requested size of the pipes to and from a worker, in bytes.
    init(loop: EventLoop, interpreter: Interpreter, size: Int, deadline: Int64, pipeSize: Int32) {
        self.loop = loop
        self.interpreter = interpreter
        self.deadline = deadline
        self.size = max(1, size)
        self.pipeSize = pipeSize
        levelIsFixed = interpreter.layout == .legacy
        state = WorkerPoolState(levelIsFixed: levelIsFixed, size: size, deadline: deadline)
    }

    deinit {
        shutDown()
    }

    package var isIdle: Bool { state.isIdle }
    package var identifiers: [Int32] { workers.map(\.process.child.identifier) }
    /// Number of workers that died or hung and were replaced.
    package var replaced: Int { state.replaced }

    /// The number of requests that would reach a worker soon if they were submitted now. More would only use memory.
    package var room: Int { state.room }

    /// Call when a wave begins: retries an interpreter that could not be used earlier.
    package func reopen() { handle(.reopened) }

    /// Compiles; `onAnswers` is called later, on the loop.
    ///
    /// - Parameter coming: how many requests will follow soon.
    package func compile(_ requests: [CompileRequest], coming: Int = 0) {
        replaceDeadIdleWorkers()
        state.coming = coming
        let now = Host.monotonic
        for request in requests {
            let slot = freeSlots.popLast() ?? jobs.count
            if slot == jobs.count { jobs.append(request) } else { jobs[slot] = request }
            state.handle(
                .submitted(
                    WorkerPoolState.Job(
                        slot: slot, identifier: request.identifier, level: request.level, bytes: request.source.count)),
                at: now)
        }
        perform()
        flush()
        if !results.isEmpty { settleLater() }
    }

    /// Stops all workers. Unfinished jobs are dropped.
    package func shutDown() {
        ticker = nil
        leaving = nil
        results = []
        jobs = []
        freeSlots = []
        handle(.shutDown)
    }

    /// A worker that died while idle must not get a file, because the file would be blamed.
    private func replaceDeadIdleWorkers() {
        for index in state.workers.indices.reversed() where state.workers[index].phase == .idle {
            let number = state.workers[index].number
            guard let worker = worker(number), worker.process.hasEnded else { continue }
            handle(.ended(worker: number, worker.process.child.kill()))
        }
    }

    // MARK: Actions

    private func handle(_ event: WorkerPoolState.Event) {
        state.handle(event, at: Host.monotonic)
        perform()
        flush()
    }

    private func perform(_ reply: CompileReply? = nil) {
        var next = 0
        // A failed start adds actions, so re-read the count.
        while next < state.actions.count {
            let action = state.actions[next]
            next += 1
            switch action {
            case .start(let number, let level): start(number, level)
            case .send(let slot, let number):
                guard let worker = worker(number), let request = request(slot) else { continue }
                worker.process.add(request, levelIsFixed: levelIsFixed)
                receivers.insert(number)
            case .stop(let number): stop(number)
            case .deliver(let slot):
                guard let reply else { continue }
                finish(slot, CompileResult(reply))
            case .fail(let slot, .crashed(let reason)): finish(slot, .crashed(reason))
            case .fail(let slot, .timedOut): finish(slot, .timedOut)
            case .fail(let slot, .unavailable(let failure)): finish(slot, .unavailable(failure))
            }
        }
        state.actions.removeAll(keepingCapacity: true)
        if ticker == nil, !state.isIdle { tick() }
    }

    private func worker(_ number: Int) -> Worker? { workers.first { $0.number == number } }

    private func request(_ slot: Int) -> CompileRequest? { jobs.indices.contains(slot) ? jobs[slot] : nil }

    private func finish(_ slot: Int, _ result: CompileResult) {
        guard let request = request(slot) else { return }
        jobs[slot] = nil
        freeSlots.append(slot)
        results.append((request.identifier, result))
    }

    private func start(_ number: Int, _ level: OptimizationLevel?) {
        do throws(SystemError) {
            add(try WorkerProcess(interpreter.path, level: level, pipeSize: pipeSize), number: number)
        } catch {
            state.handle(.startFailed(worker: number, reason: error.reason), at: Host.monotonic)
        }
    }

    private func add(_ process: WorkerProcess, number: Int) {
        let worker = Worker(number: number, process: process)
        workers.append(worker)
        worker.reader = loop.onReadable(process.child.output) { [weak self, weak worker] in
            guard let self, let worker else { return }
            receive(from: worker)
        }
        if process.hasUnsent { writeLater(to: worker) }
    }

    private func stop(_ number: Int) {
        guard let index = workers.firstIndex(where: { $0.number == number }) else { return }
        let worker = workers.remove(at: index)
        worker.reader?.cancel()
        worker.writer?.cancel()
        worker.process.child.kill()
    }

    /// Sends what `perform` added for the workers.
    private func flush() {
        for number in receivers {
            guard let worker = worker(number) else { continue }
            worker.process.flush()
            if worker.process.hasUnsent, worker.writer == nil { writeLater(to: worker) }
        }
        receivers.removeAll(keepingCapacity: true)
    }

    private func writeLater(to worker: Worker) {
        worker.writer = loop.onWritable(worker.process.child.input) { [weak worker] in
            guard let worker else { return }
            worker.process.flush()
            guard !worker.process.hasUnsent else { return }
            worker.writer?.cancel()
            worker.writer = nil
        }
    }

    // MARK: What comes back

    private func receive(from worker: Worker) {
        let reading = worker.process.read { frame in
            switch frame {
            case .hello(let hello): handle(.greeted(worker: worker.number, greeting(hello)))
            case .reply(let reply):
                state.handle(.replied(worker: worker.number, identifier: reply.identifier), at: Host.monotonic)
                perform(reply)
            }
        }
        switch reading {
        case .more: flush()
        case .rubbish: handle(.babbled(worker: worker.number))
        case .ended:
            // Its output can end before the process exits.
            handle(.ended(worker: worker.number, worker.process.child.kill()))
        }
        settle()
    }

    /// Checks that a worker is the selected interpreter: a virtual environment may have been recreated in the meantime,
    /// and a header must always match its code.
    private func greeting(_ hello: WorkerHello) -> WorkerPoolState.Greeting {
        let found = hello.interpreter(path: interpreter.path, executable: interpreter.executable)
        let isSameBuild = build == nil || build == hello.build
        if let found, found.identity == interpreter.identity, isSameBuild {
            build = hello.build
            return .expected
        }
        onChangedInterpreter()
        let now =
            found?.identity == interpreter.identity ? "another build of this version" : found?.name ?? "another program"
        return .other(.interpreterChanged(before: interpreter.name, now: now))
    }

    /// Delivers results.
    private func settle() {
        let settled = results
        results = []
        onAnswers(settled)
        if state.isIdle {
            ticker = nil
            dismissLater()
        }
    }

    /// Delivers results later, so that `compile` never calls `done` directly.
    private func settleLater() {
        guard !isSettlingLater else { return }
        isSettlingLater = true
        loop.later { [weak self] in
            guard let self else { return }
            isSettlingLater = false
            settle()
        }
    }

    // MARK: Time

    /// Checks all workers periodically while there is work, and never without.
    private func tick() {
        ticker = loop.after(min(1_000_000_000, deadline / 4)) { [weak self] in
            guard let self else { return }
            ticker = nil
            handle(.ticked)
            settle()
        }
    }

    /// After a while without work, stops all workers but one, which stays warm for the next edit. A worker that has
    /// grown too large is not kept.
    private func dismissLater() {
        guard leaving == nil, !workers.isEmpty else { return }
        leaving = loop.after(Self.patience) { [weak self] in
            guard let self else { return }
            leaving = nil
            let kept = workers.first { Host.residentMemory(of: $0.process.child.identifier) < Self.maximumMemory }
            handle(.rested(keeping: kept?.number))
        }
    }
}

extension CompileResult {
    fileprivate init(_ reply: CompileReply) {
        self =
            reply.isFailure
            ? .refused(
                diagnostics: reply.diagnostics, microseconds: reply.microseconds,
                text: String(decoding: reply.code, as: UTF8.self))
            : .compiled(code: reply.code, diagnostics: reply.diagnostics, microseconds: reply.microseconds)
    }
}
