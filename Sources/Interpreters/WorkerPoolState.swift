// The state machine behind `WorkerPool`: events in, actions out. It must not touch processes, pipes or clocks;
// `WorkerPool` performs the actions and reports what happens.

import BuildModel
import LinuxSystem

/// The state of a pool of workers.
///
/// A worker has several jobs in its pipe, so that it never idles between them, and answers them in order, several at a
/// time. If it dies or hangs, each unanswered job may be the cause: they are tried again, one at a time, so that the next
/// failure has one cause.
struct WorkerPoolState: Sendable {
    /// A job as the pool sees it.
    struct Job: Hashable, Sendable {
        /// Index of the request in the caller.
        let slot: Int
        /// The identifier in its frames.
        let identifier: UInt32
        let level: OptimizationLevel
        /// Size of its source in bytes.
        let bytes: Int
        /// Number of times it was sent to a worker that may have failed because of it.
        var attempts = 0
        /// Whether it was in the pipe of a worker that failed, and must be alone in the pipe of the next one.
        var isSuspect = false
    }

    enum Phase: Hashable, Sendable {
        /// It has not sent its hello yet. Jobs may already be in its pipe.
        case starting
        case idle
        case busy
    }

    struct Worker: Hashable, Sendable {
        let number: Int
        /// Python 2 only, which takes the level from the command line; otherwise `nil`.
        let level: OptimizationLevel?
        var phase: Phase
        var inFlight: [Job] = []
        var bytesInFlight = 0
        /// When the first job in flight became the first (monotonic, nanoseconds).
        var headSince: Int64 = 0
    }

    /// Whether a new worker is the expected interpreter, from its hello.
    enum Greeting: Hashable, Sendable {
        case expected
        case other(WorkerFailure)
    }

    enum Event: Hashable, Sendable {
        /// A wave begins: the cause of an earlier failure to start may be fixed.
        case reopened
        case submitted(Job)
        /// A worker's process could not be started. The reason is shown after a colon.
        case startFailed(worker: Int, reason: String)
        case greeted(worker: Int, Greeting)
        /// The answer to a job.
        case replied(worker: Int, identifier: UInt32)
        /// It wrote something that is not a frame.
        case babbled(worker: Int)
        case ended(worker: Int, ExitReason)
        /// Time to check for workers that exceed the deadline.
        case ticked
        /// There has been no work for a while: stop all workers but one.
        case rested(keeping: Int?)
        case shutDown
    }

    enum Action: Hashable, Sendable {
        case start(worker: Int, level: OptimizationLevel?)
        case send(slot: Int, worker: Int)
        /// Kill the process, if it still runs, and forget it.
        case stop(worker: Int)
        /// The reply that was just read is for this job.
        case deliver(slot: Int)
        case fail(slot: Int, JobFailure)
    }

    /// Why a job has no reply.
    enum JobFailure: Hashable, Sendable {
        case crashed(ExitReason)
        case timedOut
        case unavailable(WorkerFailure)
    }

    /// Enough jobs in a worker's pipe to hide freshpyc's response time, few enough to distribute the last ones fairly.
    private static let maximumInFlight = 32
    private static let maximumBytesInFlight = 128 * 1024
    /// What one worker gets before another, if there is plenty for all: one exchange with a worker costs about as much as
    /// handling a file.
    private static let maximumPortion = 8
    private static let maximumBytesOfPortion = 32 * 1024
    private static let maximumFailedStarts = 3

    private let levelIsFixed: Bool
    private let size: Int
    /// Maximum time for one file, in nanoseconds.
    private let deadline: Int64
    private(set) var workers: [Worker] = []
    private(set) var waiting: [Job] = []
    /// How many jobs will be submitted soon.
    var coming = 0
    /// The worker that gets the next jobs, as long as its portion is not complete.
    private var favoured: Int?
    private var failedStarts = 0
    private var nextWorker = 0
    /// Why no worker can be used until the next wave.
    private(set) var failure: WorkerFailure?
    /// Number of workers that died or hung and were replaced.
    private(set) var replaced = 0
    /// Pending actions, in order. The owner performs and removes them.
    var actions: [Action] = []

    init(levelIsFixed: Bool, size: Int, deadline: Int64) {
        self.levelIsFixed = levelIsFixed
        self.size = max(1, size)
        self.deadline = deadline
    }

    var isIdle: Bool { waiting.isEmpty && workers.allSatisfy(\.inFlight.isEmpty) }

    /// The number of jobs that would reach a worker soon if they were submitted now. More would only use memory.
    var room: Int {
        let free = workers.reduce((size - workers.count) * Self.maximumInFlight) { $0 + Self.room($1) }
        return max(0, free - waiting.count)
    }

    private static func room(_ worker: Worker) -> Int {
        guard let first = worker.inFlight.first else { return maximumInFlight }
        guard !first.isSuspect, worker.bytesInFlight < maximumBytesInFlight else { return 0 }
        return maximumInFlight - worker.inFlight.count
    }

    /// Adds a worker that has already sent its hello.
    ///
    /// - Returns: its number.
    mutating func adopt() -> Int {
        workers.append(Worker(number: newNumber(), level: nil, phase: .idle))
        return nextWorker - 1
    }

    private mutating func newNumber() -> Int {
        nextWorker += 1
        return nextWorker - 1
    }

    // MARK: Events

    /// Processes an event. Events of stopped workers have no effect.
    ///
    /// - Parameter now: the monotonic time, in nanoseconds.
    mutating func handle(_ event: Event, at now: Int64) {
        switch event {
        case .reopened: failure = nil
        case .submitted(let job):
            if let failure {
                actions.append(.fail(slot: job.slot, .unavailable(failure)))
                return
            }
            waiting.append(job)
        case .startFailed(let number, let reason):
            guard let index = position(of: number) else { return }
            takeBack(workers.remove(at: index))
            if failedStarts >= Self.maximumFailedStarts, workers.isEmpty { giveUp(.cannotStart(reason)) }
            // If other workers run, they take the jobs; if none does, retry immediately.
            return fill(at: now, mayStart: workers.isEmpty)
        case .greeted(let number, let greeting):
            guard let index = position(of: number) else { return }
            greet(index, greeting)
        case .replied(let number, let identifier):
            guard let index = position(of: number) else { return }
            reply(index, identifier, now)
        case .babbled(let number):
            guard let index = position(of: number) else { return }
            stop(index, .crashed(Self.killed), attempts: 2)
        case .ended(let number, let reason):
            guard let index = position(of: number) else { return }
            // SIGKILL comes from outside, from a user or a kernel short of memory, and may have hit two workers.
            stop(index, .crashed(reason), attempts: reason == Self.killed ? 3 : 2)
        case .ticked:
            for worker in workers where !worker.inFlight.isEmpty && now - worker.headSince > deadline {
                guard let index = position(of: worker.number) else { continue }
                stop(index, .timedOut, attempts: 2)
            }
        case .rested(let kept):
            guard isIdle else { return }
            for worker in workers where worker.number != kept { actions.append(.stop(worker: worker.number)) }
            workers.removeAll { $0.number != kept }
        case .shutDown:
            for worker in workers { actions.append(.stop(worker: worker.number)) }
            workers = []
            waiting = []
        }
        fill(at: now)
    }

    private static let killed = ExitReason.signal(ExitReason.killSignal)

    private func position(of number: Int) -> Int? { workers.firstIndex { $0.number == number } }

    private mutating func greet(_ index: Int, _ greeting: Greeting) {
        // worker.py sends only one hello.
        guard workers[index].phase == .starting else { return stop(index, .crashed(Self.killed), attempts: 2) }
        switch greeting {
        case .expected:
            workers[index].phase = workers[index].inFlight.isEmpty ? .idle : .busy
            failedStarts = 0
        case .other(let failure):
            actions.append(.stop(worker: workers[index].number))
            takeBack(workers.remove(at: index))
            giveUp(failure)
        }
    }

    private mutating func reply(_ index: Int, _ identifier: UInt32, _ now: Int64) {
        guard workers[index].phase == .busy, let job = workers[index].inFlight.first, job.identifier == identifier
        else { return stop(index, .crashed(Self.killed), attempts: 2) }
        workers[index].inFlight.removeFirst()
        workers[index].bytesInFlight -= job.bytes
        workers[index].headSince = now
        if workers[index].inFlight.isEmpty { workers[index].phase = .idle }
        actions.append(.deliver(slot: job.slot))
    }

    // MARK: Failures

    /// Stops a worker. Its jobs are retried, except one that was alone and has cost `attempts` workers.
    private mutating func stop(_ index: Int, _ outcome: JobFailure, attempts: Int) {
        var worker = workers.remove(at: index)
        actions.append(.stop(worker: worker.number))
        guard worker.phase != .starting else {
            takeBack(worker)
            if failedStarts >= Self.maximumFailedStarts { giveUp(.cannotStart("the interpreter does not start")) }
            return
        }
        replaced += 1
        if let only = worker.inFlight.first, worker.inFlight.count == 1, only.attempts >= attempts {
            actions.append(.fail(slot: only.slot, outcome))
            return
        }
        for index in worker.inFlight.indices { worker.inFlight[index].isSuspect = true }
        waiting.insert(contentsOf: worker.inFlight, at: 0)
    }

    /// Puts back the jobs of a worker that never started: no file is to blame.
    private mutating func takeBack(_ worker: Worker) {
        failedStarts += 1
        var jobs = worker.inFlight
        for index in jobs.indices { jobs[index].attempts -= 1 }
        waiting.insert(contentsOf: jobs, at: 0)
    }

    private mutating func giveUp(_ failure: WorkerFailure) {
        self.failure = failure
        failedStarts = 0
        for job in waiting { actions.append(.fail(slot: job.slot, .unavailable(failure))) }
        waiting = []
    }

    // MARK: Handing out

    private mutating func fill(at now: Int64, mayStart: Bool = true) {
        while let job = waiting.first, let index = favoured(for: job) ?? worker(for: job, mayStart: mayStart) {
            waiting.removeFirst()
            favoured = workers[index].number
            if workers[index].inFlight.isEmpty { workers[index].headSince = now }
            if workers[index].phase == .idle { workers[index].phase = .busy }
            workers[index].inFlight.append(job)
            workers[index].inFlight[workers[index].inFlight.count - 1].attempts += 1
            workers[index].bytesInFlight += job.bytes
            actions.append(.send(slot: job.slot, worker: workers[index].number))
        }
    }

    /// The index of the worker that got the last job, if it is to get this one, too.
    private func favoured(for job: Job) -> Int? {
        let portion = min(Self.maximumPortion, (waiting.count + coming) / (2 * size))
        guard portion > 1, !job.isSuspect, let favoured, let index = position(of: favoured) else { return nil }
        let worker = workers[index]
        let fits =
            worker.level == (levelIsFixed ? job.level : nil) && worker.inFlight.count < portion
            && worker.bytesInFlight + job.bytes <= Self.maximumBytesOfPortion
            && worker.inFlight.allSatisfy { !$0.isSuspect }
        return fits ? index : nil
    }

    /// The index of the worker for the next job; `nil` if the job has to wait.
    private mutating func worker(for job: Job, mayStart: Bool) -> Int? {
        let level = levelIsFixed ? job.level : nil
        var hasFitting = false
        var best: Int?
        for index in workers.indices where workers[index].level == level {
            hasFitting = true
            if workers[index].inFlight.isEmpty { return index }
            guard Self.room(workers[index]) > 0 else { continue }
            if best.map({ workers[index].bytesInFlight < workers[$0].bytesInFlight }) ?? true { best = index }
        }
        if mayStart, workers.count < size { return start(level) }
        if mayStart, !hasFitting, let other = workers.firstIndex(where: \.inFlight.isEmpty) {
            actions.append(.stop(worker: workers.remove(at: other).number))
            return start(level)
        }
        return job.isSuspect ? nil : best
    }

    private mutating func start(_ level: OptimizationLevel?) -> Int {
        workers.append(Worker(number: newNumber(), level: level, phase: .starting))
        actions.append(.start(worker: nextWorker - 1, level: level))
        return workers.count - 1
    }
}
