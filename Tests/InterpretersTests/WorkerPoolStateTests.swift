import BuildModel
import LinuxSystem
import Testing

@testable import Interpreters

/// The state machine alone: events in, actions out, no processes.
@Suite struct WorkerPoolStateTests {
    typealias State = WorkerPoolState
    typealias Event = WorkerPoolState.Event
    typealias Action = WorkerPoolState.Action

    private func job(_ slot: Int, bytes: Int = 1, level: OptimizationLevel = .none) -> State.Job {
        State.Job(slot: slot, identifier: UInt32(slot) + 100, level: level, bytes: bytes)
    }

    private func state(size: Int = 1, levelIsFixed: Bool = false) -> State {
        State(levelIsFixed: levelIsFixed, size: size, deadline: 1000)
    }

    private static let killed = ExitReason.signal(ExitReason.killSignal)
    private static let changed = WorkerFailure.interpreterChanged(before: "cpython 3.12.1", now: "cpython 3.13.0")

    /// The phase of a pool's only worker. Job 0 is in flight if it has a job.
    enum Phase: CaseIterable {
        case none, starting, idle, busy
    }

    private func state(_ phase: Phase) -> State {
        var state = state()
        switch phase {
        case .none: break
        case .starting: state.handle(.submitted(job(0)), at: 0)
        case .idle: _ = state.adopt()
        case .busy:
            _ = state.adopt()
            state.handle(.submitted(job(0)), at: 0)
        }
        state.actions = []
        return state
    }

    struct Row: CustomStringConvertible {
        let phase: Phase
        let event: Event
        let actions: [Action]
        /// The phase of the worker afterwards; `nil` if there is none.
        let then: State.Phase?
        var description: String { "\(phase) + \(event)" }
    }

    /// Every pair of phase and event.
    static let rows: [Row] = {
        let job = State.Job(slot: 1, identifier: 101, level: .none, bytes: 1)
        let restart: [Action] = [.stop(worker: 0), .start(worker: 1, level: nil), .send(slot: 0, worker: 1)]
        let kept: [Phase: State.Phase?] = [.none: nil, .starting: .starting, .idle: .idle, .busy: .busy]
        func row(_ phase: Phase, _ event: Event, _ actions: [Action], _ then: State.Phase?) -> Row {
            Row(phase: phase, event: event, actions: actions, then: then)
        }
        func unchanged(_ phases: [Phase], _ event: Event) -> [Row] {
            phases.map { row($0, event, [], kept[$0] ?? nil) }
        }
        var rows: [Row] = []
        rows += unchanged(Phase.allCases, .reopened)
        rows += [
            row(.none, .submitted(job), [.start(worker: 0, level: nil), .send(slot: 1, worker: 0)], .starting),
            row(.starting, .submitted(job), [.send(slot: 1, worker: 0)], .starting),
            row(.idle, .submitted(job), [.send(slot: 1, worker: 0)], .busy),
            row(.busy, .submitted(job), [.send(slot: 1, worker: 0)], .busy),
        ]
        rows += unchanged([.none], .startFailed(worker: 0, reason: "x"))
        rows.append(
            row(
                .starting, .startFailed(worker: 0, reason: "x"),
                [.start(worker: 1, level: nil), .send(slot: 0, worker: 1)], .starting))
        // These two cannot happen. A worker that never started is removed in any case.
        rows.append(row(.idle, .startFailed(worker: 0, reason: "x"), [], nil))
        rows.append(
            row(
                .busy, .startFailed(worker: 0, reason: "x"),
                [.start(worker: 1, level: nil), .send(slot: 0, worker: 1)], .starting))
        rows += unchanged([.none], .greeted(worker: 0, .expected))
        rows += [
            row(.starting, .greeted(worker: 0, .expected), [], .busy),
            row(.idle, .greeted(worker: 0, .expected), [.stop(worker: 0)], nil),
            row(.busy, .greeted(worker: 0, .expected), restart, .starting),
        ]
        rows += unchanged([.none], .greeted(worker: 0, .other(changed)))
        rows += [
            row(
                .starting, .greeted(worker: 0, .other(changed)),
                [.stop(worker: 0), .fail(slot: 0, .unavailable(changed))], nil),
            row(.idle, .greeted(worker: 0, .other(changed)), [.stop(worker: 0)], nil),
            row(.busy, .greeted(worker: 0, .other(changed)), restart, .starting),
        ]
        rows += unchanged([.none], .replied(worker: 0, identifier: 100))
        rows += [
            row(.starting, .replied(worker: 0, identifier: 100), restart, .starting),
            row(.idle, .replied(worker: 0, identifier: 100), [.stop(worker: 0)], nil),
            row(.busy, .replied(worker: 0, identifier: 100), [.deliver(slot: 0)], .idle),
        ]
        // A reply to a job that the worker does not have.
        rows += unchanged([.none], .replied(worker: 0, identifier: 7))
        rows += [
            row(.starting, .replied(worker: 0, identifier: 7), restart, .starting),
            row(.idle, .replied(worker: 0, identifier: 7), [.stop(worker: 0)], nil),
            row(.busy, .replied(worker: 0, identifier: 7), restart, .starting),
        ]
        for event in [Event.babbled(worker: 0), .ended(worker: 0, killed), .ended(worker: 0, .status(0))] {
            rows += unchanged([.none], event)
            rows += [
                row(.starting, event, restart, .starting),
                row(.idle, event, [.stop(worker: 0)], nil),
                row(.busy, event, restart, .starting),
            ]
        }
        rows += unchanged([.none, .idle], .ticked)
        rows += [row(.starting, .ticked, restart, .starting), row(.busy, .ticked, restart, .starting)]
        rows += unchanged([.none, .starting, .busy], .rested(keeping: nil))
        rows.append(row(.idle, .rested(keeping: nil), [.stop(worker: 0)], nil))
        rows += unchanged(Phase.allCases, .rested(keeping: 0))
        rows += unchanged([.none], .shutDown)
        rows += [Phase.starting, .idle, .busy].map { row($0, .shutDown, [.stop(worker: 0)], nil) }
        return rows
    }()

    @Test(arguments: rows)
    func eachEventInEachPhase(_ row: Row) {
        var state = state(row.phase)
        // After the deadline of any job in flight.
        state.handle(row.event, at: 2000)
        #expect(state.actions == row.actions, "\(row)")
        #expect(state.workers.first?.phase == row.then, "\(row)")
    }

    @Test func aFileThatCostsTwoWorkersIsToBlame() {
        var state = state(.busy)
        state.handle(.submitted(job(1)), at: 0)
        state.handle(.ended(worker: 0, .signal(11)), at: 0)
        state.handle(.greeted(worker: 1, .expected), at: 0)
        state.actions = []
        state.handle(.ended(worker: 1, .signal(11)), at: 0)
        #expect(
            state.actions == [
                .stop(worker: 1), .fail(slot: 0, .crashed(.signal(11))), .start(worker: 2, level: nil),
                .send(slot: 1, worker: 2),
            ])
    }

    @Test func aWorkerKilledFromOutsideIsForgivenTwice() {
        var state = state(.busy)
        for number in 0...1 {
            state.handle(.ended(worker: number, Self.killed), at: 0)
            #expect(!state.actions.contains { if case .fail = $0 { true } else { false } })
            state.handle(.greeted(worker: number + 1, .expected), at: 0)
        }
        state.handle(.ended(worker: 2, Self.killed), at: 0)
        #expect(state.actions.contains(.fail(slot: 0, .crashed(Self.killed))))
        #expect(state.replaced == 3)
    }

    @Test func aFileThatTakesTooLongTwiceTimesOut() {
        var state = state(.busy)
        state.handle(.ticked, at: 1000)
        #expect(state.actions.isEmpty, "exactly the deadline is in time")
        state.handle(.ticked, at: 1001)
        state.handle(.greeted(worker: 1, .expected), at: 1001)
        state.handle(.ticked, at: 3000)
        #expect(state.actions.last == .fail(slot: 0, .timedOut))
    }

    @Test func threeStartsThatFailAreEnoughUntilTheNextWave() {
        var state = state(.starting)
        for number in 0..<3 { state.handle(.startFailed(worker: number, reason: "no memory"), at: 0) }
        let failure = WorkerFailure.cannotStart("no memory")
        #expect(state.actions.last == .fail(slot: 0, .unavailable(failure)))
        state.actions = []
        state.handle(.submitted(job(1)), at: 0)
        #expect(state.actions == [.fail(slot: 1, .unavailable(failure))], "no process is started for each file")
        state.actions = []
        state.handle(.reopened, at: 0)
        state.handle(.submitted(job(2)), at: 0)
        #expect(state.actions == [.start(worker: 3, level: nil), .send(slot: 2, worker: 3)])
    }

    @Test func aChangedInterpreterEndsEveryJobThatWaits() {
        var state = state(size: 2)
        for slot in 0..<2 { state.handle(.submitted(job(slot)), at: 0) }
        state.handle(.greeted(worker: 0, .expected), at: 0)
        state.actions = []
        state.handle(.greeted(worker: 1, .other(Self.changed)), at: 0)
        #expect(state.actions == [.stop(worker: 1), .fail(slot: 1, .unavailable(Self.changed))])
        #expect(state.workers.map(\.number) == [0], "the worker that is what was selected finishes its file")
        state.handle(.replied(worker: 0, identifier: 100), at: 0)
        #expect(state.actions.last == .deliver(slot: 0))
    }

    /// One worker gets at most 32 small sources at once, or fewer large ones.
    @Test func jobsAreSharedAmongWorkers() {
        var state = state(size: 2)
        for slot in 0..<20 { state.handle(.submitted(job(slot)), at: 0) }
        #expect(state.workers.map(\.inFlight.count) == [10, 10] && state.room == 44)
        for slot in 20..<70 { state.handle(.submitted(job(slot)), at: 0) }
        #expect(state.workers.map(\.inFlight.count) == [32, 32] && state.waiting.count == 6 && state.room == 0)
        var large = self.state(size: 2)
        for slot in 0..<4 { large.handle(.submitted(job(slot, bytes: 128 * 1024)), at: 0) }
        #expect(large.workers.map(\.inFlight.count) == [1, 1] && large.room == 0)
    }

    /// A worker may have finished files that it has not answered yet, so its first unanswered file is not to blame.
    /// If there is plenty to do, a worker gets several jobs at once. The last ones are distributed evenly.
    @Test func jobsAreHandedOutInPortionsAsLongAsThereArePlenty() {
        func distribution(_ jobs: Int, coming: Int, bytes: Int = 1) -> [Int] {
            var state = state(size: 4)
            for _ in 0..<4 { _ = state.adopt() }
            for slot in 0..<jobs {
                state.coming = coming
                state.handle(.submitted(job(slot, bytes: bytes)), at: 0)
            }
            return state.workers.map(\.inFlight.count)
        }
        #expect(distribution(4, coming: 1_000) == [4, 0, 0, 0])
        #expect(distribution(20, coming: 1_000) == [8, 8, 4, 0])
        #expect(distribution(4, coming: 0) == [1, 1, 1, 1])
        #expect(distribution(4, coming: 16) == [2, 2, 0, 0])
        #expect(distribution(4, coming: 1_000, bytes: 20_000) == [1, 1, 1, 1])
        // Full portions are exceeded only when every worker has one.
        #expect(distribution(36, coming: 1_000) == [9, 9, 9, 9])
    }

    @Test func theFilesOfAFailedWorkerAreTriedOneAtATime() {
        var state = state(.busy)
        for slot in 1...2 { state.handle(.submitted(job(slot)), at: 0) }
        state.handle(.ended(worker: 0, .signal(11)), at: 0)
        state.handle(.greeted(worker: 1, .expected), at: 0)
        state.handle(.submitted(job(3)), at: 0)
        #expect(state.workers.map { $0.inFlight.map(\.slot) } == [[0]], "nothing goes behind a suspect")
        #expect(state.room == 0)
        state.handle(.replied(worker: 1, identifier: 100), at: 0)
        #expect(state.workers.map { $0.inFlight.map(\.slot) } == [[1]])
        state.actions = []
        state.handle(.ended(worker: 1, .signal(11)), at: 0)
        #expect(
            state.actions == [
                .stop(worker: 1), .fail(slot: 1, .crashed(.signal(11))), .start(worker: 2, level: nil),
                .send(slot: 2, worker: 2),
            ])
        state.handle(.greeted(worker: 2, .expected), at: 0)
        state.handle(.replied(worker: 2, identifier: 102), at: 0)
        #expect(state.workers.map { $0.inFlight.map(\.slot) } == [[3]])
    }

    @Test func levelsOfPython2HaveTheirOwnWorkers() {
        var state = state(size: 1, levelIsFixed: true)
        state.handle(.submitted(job(0, level: .none)), at: 0)
        state.handle(.submitted(job(1, level: .asserts)), at: 0)
        #expect(state.waiting.count == 1)
        state.handle(.greeted(worker: 0, .expected), at: 0)
        state.actions = []
        state.handle(.replied(worker: 0, identifier: 100), at: 0)
        #expect(
            state.actions == [
                .deliver(slot: 0), .stop(worker: 0), .start(worker: 1, level: .asserts), .send(slot: 1, worker: 1),
            ])
    }

    /// Random events never lose a job and never answer one twice.
    @Test func everyJobEndsOnce() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var state = state(size: Int.random(in: 1...4, using: &random))
            var open: Set<Int> = []
            var now: Int64 = 0
            for slot in 0..<60 {
                state.handle(.submitted(job(slot)), at: now)
                open.insert(slot)
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    now += Int64.random(in: 0...400, using: &random)
                    guard let worker = state.workers.randomElement(using: &random) else { break }
                    let event: Event =
                        switch Int.random(in: 0...7, using: &random) {
                        case 0: .ended(worker: worker.number, .signal(11))
                        case 1: .ticked
                        case 2: .startFailed(worker: worker.number, reason: "x")
                        case 3: .babbled(worker: worker.number)
                        case 4: .greeted(worker: worker.number, .other(Self.changed))
                        case 5: .greeted(worker: worker.number, .expected)
                        default: .replied(worker: worker.number, identifier: worker.inFlight.first?.identifier ?? 0)
                        }
                    state.handle(event, at: now)
                    state.handle(.reopened, at: now)
                }
                for action in state.actions {
                    switch action {
                    case .deliver(let slot), .fail(let slot, _):
                        #expect(open.remove(slot) != nil, "job \(slot) ended twice")
                    default: break
                    }
                }
                state.actions = []
                let held = state.waiting.map(\.slot) + state.workers.flatMap { $0.inFlight.map(\.slot) }
                #expect(held.sorted() == open.sorted())
            }
        }
    }
}
