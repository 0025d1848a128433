import BasicTypes
import Testing

@testable import ContinuousBuilds

/// A phase without its payload.
private enum PhaseName: String, CaseIterable {
    case idle, settling, opening, building, stopped

    init(_ phase: WatchPlan.Phase) {
        switch phase {
        case .idle: self = .idle
        case .settling: self = .settling
        case .opening: self = .opening
        case .building: self = .building
        case .stopped: self = .stopped
        }
    }
}

@Suite struct WatchPlanTests {
    private static let now: Int64 = 1_000_000_000_000

    /// A plan in each phase, reached the way a watch reaches it.
    private static func plan(in phase: PhaseName) -> WatchPlan {
        var plan = WatchPlan()
        guard phase != .building else { return plan }
        _ = plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: now)
        switch phase {
        case .idle, .building: break
        case .settling:
            for number in 0..<5 { _ = plan.handle(.dirtied(source: BytePath("s\(number).py")), now: now) }
            _ = plan.handle(.hintsEnded, now: now)
        case .opening:
            _ = plan.handle(.dirtied(source: BytePath("s.py")), now: now)
            _ = plan.handle(.hintsEnded, now: now)
        case .stopped: _ = plan.handle(.stop, now: now)
        }
        return plan
    }

    private struct Row {
        let event: WatchPlan.Event
        /// For each phase in the order of `PhaseName`: the next phase and the actions.
        let expected: [(PhaseName, [WatchPlan.Action])]
    }

    private static let path = BytePath("a.py")
    private static let directory = BytePath("d")
    private static let sighting = ArtifactSighting(directory: directory, name: Array("a.pyc".utf8))

    private static func unchanged(_ actions: [WatchPlan.Action] = []) -> [(PhaseName, [WatchPlan.Action])] {
        PhaseName.allCases.map { ($0, $0 == .stopped ? [] : actions) }
    }

    private static let settleAgain = WatchPlan.Action.arm(.settle, after: WatchPlan.quiet)

    private static let rows: [Row] = [
        Row(event: .dirtied(source: path), expected: unchanged()),
        Row(event: .deleted(source: path), expected: unchanged()),
        Row(event: .undone(source: path), expected: unchanged()),
        Row(event: .beingWritten(source: path), expected: unchanged()),
        Row(event: .importable(path), expected: unchanged()),
        Row(
            event: .artifact(sighting),
            expected: [
                (.idle, [.inspect([sighting])]), (.settling, [.inspect([sighting])]), (.opening, []), (.building, []),
                (.stopped, []),
            ]),
        Row(event: .directoryAppeared(directory), expected: unchanged()),
        Row(event: .directoryGone(directory), expected: unchanged([.checkRoot])),
        Row(event: .everythingDirtied, expected: unchanged()),
        Row(
            event: .hintsEnded,
            expected: [(.idle, []), (.settling, [settleAgain]), (.opening, []), (.building, []), (.stopped, [])]),
        Row(
            event: .asked(7, isForced: false, sawAllEvents: true, alsoLook: []),
            expected: [
                (.idle, [.release([7])]), (.opening, [.disarm(.settle), .beginWave]), (.opening, []), (.building, []),
                (.stopped, []),
            ]),
        Row(
            event: .asked(7, isForced: true, sawAllEvents: true, alsoLook: []),
            expected: [
                (.opening, [.beginWave]), (.opening, [.disarm(.settle), .beginWave]), (.opening, []), (.building, []),
                (.stopped, []),
            ]),
        Row(
            event: .asked(7, isForced: false, sawAllEvents: false, alsoLook: []),
            expected: [
                (.opening, [.beginWave]), (.opening, [.disarm(.settle), .beginWave]), (.opening, []), (.building, []),
                (.stopped, []),
            ]),
        Row(
            event: .asked(7, isForced: false, sawAllEvents: true, alsoLook: [path]),
            expected: [
                (.opening, [.beginWave]), (.opening, [.disarm(.settle), .beginWave]), (.opening, []), (.building, []),
                (.stopped, []),
            ]),
        Row(
            event: .fired(.settle),
            expected: [(.idle, []), (.opening, [.beginWave]), (.opening, []), (.building, []), (.stopped, [])]),
        Row(
            event: .fired(.delayed),
            expected: [(.idle, []), (.settling, [settleAgain]), (.opening, []), (.building, []), (.stopped, [])]),
        Row(event: .fired(.guardOver), expected: unchanged([.judgeGuards([])])),
        Row(
            event: .fired(.retry),
            expected: [(.idle, []), (.settling, [settleAgain]), (.opening, []), (.building, []), (.stopped, [])]),
        Row(
            event: .fired(.poll),
            expected: [(.idle, []), (.settling, [settleAgain]), (.opening, []), (.building, []), (.stopped, [])]),
        Row(
            event: .guardsJudged(over: [path], stillGuarded: []),
            expected: [
                (.opening, [.beginWave]), (.settling, [settleAgain]), (.opening, []), (.building, []), (.stopped, []),
            ]),
        Row(event: .guardsJudged(over: [], stillGuarded: [path]), expected: unchanged([.armGuard])),
        Row(event: .polled([directory]), expected: unchanged([.arm(.poll, after: WatchPlan.firstPoll)])),
        Row(
            event: .postponed,
            expected: [(.idle, []), (.settling, []), (.settling, [settleAgain]), (.building, []), (.stopped, [])]),
        Row(
            event: .waveEnded(WatchPlan.WaveEnd()),
            // Only a running wave can end. In a stopped watch, its end is ignored.
            expected: [
                (.idle, []), (.settling, []), (.opening, []), (.idle, []), (.stopped, []),
            ]),
        Row(
            event: .stop,
            expected: [
                (.stopped, []), (.stopped, [.disarm(.settle)]), (.stopped, []), (.stopped, []), (.stopped, []),
            ]),
    ]

    @Test(arguments: rows.indices) func everyPhaseAnswersEveryEvent(row: Int) {
        let row = Self.rows[row]
        #expect(row.expected.count == PhaseName.allCases.count)
        for (phase, expected) in zip(PhaseName.allCases, row.expected) {
            var plan = Self.plan(in: phase)
            let actions = plan.handle(row.event, now: Self.now)
            #expect(PhaseName(plan.phase) == expected.0, "\(row.event) while \(phase)")
            #expect(actions == expected.1, "\(row.event) while \(phase)")
        }
    }

    // MARK: Sequences of events

    private var now: Int64 { Self.now }

    @Test func fewSourcesBeginAWaveAtOnceAndManyWaitForTheEndOfTheBurst() {
        var plan = Self.plan(in: .idle)
        for number in 0...WatchPlan.smallWave { _ = plan.handle(.dirtied(source: BytePath("\(number).py")), now: now) }
        #expect(plan.handle(.hintsEnded, now: now) == [.arm(.settle, after: WatchPlan.quiet)])
        // The burst continues: its end moves, but only up to a limit.
        let late = now + WatchPlan.longestBurst - 1
        #expect(plan.handle(.hintsEnded, now: late) == [.arm(.settle, after: 1)])
        #expect(plan.handle(.hintsEnded, now: late + 5) == [.arm(.settle, after: 0)])
        #expect(plan.handle(.fired(.settle), now: late + 5) == [.beginWave])
        #expect(plan.takeRequest(now: late + 5).request.dirt.sources.count == WatchPlan.smallWave + 1)
    }

    @Test func whoAsksDuringAWaveIsReleasedAtItsEndOnlyWhereNothingIsLeftToDo() {
        var plan = Self.plan(in: .building)
        #expect(plan.handle(.asked(1, isForced: false, sawAllEvents: true, alsoLook: []), now: now) == [])
        #expect(plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: now) == [.release([1])])

        plan = Self.plan(in: .building)
        _ = plan.handle(.asked(1, isForced: false, sawAllEvents: true, alsoLook: [Self.path]), now: now)
        #expect(plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: now) == [.beginWave])
        _ = plan.takeRequest(now: now)
        #expect(plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: now) == [.release([1])])
    }

    @Test func aSourceThatIsBeingWrittenIsLeftOutUnlessSomebodyWaits() {
        var plan = Self.plan(in: .opening)
        _ = plan.handle(.beingWritten(source: Self.path), now: now)
        let (request, actions) = plan.takeRequest(now: now)
        #expect(!request.dirt.sources.contains(Self.path))
        #expect(actions == [.arm(.delayed, after: WatchPlan.patience)])

        plan = Self.plan(in: .opening)
        _ = plan.handle(.beingWritten(source: Self.path), now: now)
        _ = plan.handle(.asked(1, isForced: false, sawAllEvents: true, alsoLook: []), now: now)
        #expect(plan.takeRequest(now: now).request.dirt.sources.contains(Self.path))
    }

    @Test func aWaveIsNotPostponedForWhoeverWaits() {
        var plan = Self.plan(in: .idle)
        let asked = WatchPlan.Event.asked(1, isForced: true, sawAllEvents: true, alsoLook: [])
        #expect(plan.handle(asked, now: now) == [.beginWave])
        #expect(plan.handle(.postponed, now: now) == [])
        #expect(plan.phase == .opening)
        // A postponed wave begins as soon as someone asks.
        plan = Self.plan(in: .opening)
        _ = plan.handle(.dirtied(source: Self.path), now: now)
        #expect(plan.handle(.postponed, now: now) == [Self.settleAgain])
        #expect(plan.handle(asked, now: now) == [.disarm(.settle), .beginWave])
    }

    @Test func contestedBytecodeIsRestoredLessAndLessOftenAndForWhoeverWaits() {
        var plan = Self.plan(in: .idle)
        var time = now
        var delays: [Int64] = []
        for round in 1...16 {
            let actions = plan.handle(.undone(source: Self.path), now: time)
            #expect(actions == (round == BytecodeContests.start + 1 ? [.warnOfContest(Self.path)] : []), "\(round)")
            guard case .arm(.delayed, let delay)? = plan.handle(.hintsEnded, now: time).first else {
                Issue.record("no timer in round \(round)")
                return
            }
            delays.append(delay)
            time += delay
            #expect(plan.handle(.fired(.delayed), now: time) == [.beginWave])
            #expect(plan.takeRequest(now: time).request.dirt.sources == [Self.path])
            _ = plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: time)
        }
        #expect(delays.prefix(5).allSatisfy { $0 == WatchPlan.patience })
        #expect(delays[5...10] == [1, 2, 4, 8, 16, 32].map { $0 * WatchPlan.firstRetry }[...])
        #expect(delays[11...].allSatisfy { $0 == WatchPlan.lastRetry })
        // A source that is saved meanwhile does not wait for the long timer, and neither does a request.
        _ = plan.handle(.undone(source: Self.path), now: time)
        #expect(plan.handle(.hintsEnded, now: time) == [.arm(.delayed, after: WatchPlan.lastRetry)])
        _ = plan.handle(.beingWritten(source: BytePath("b.py")), now: time)
        #expect(plan.handle(.hintsEnded, now: time) == [.arm(.delayed, after: WatchPlan.patience)])
        let asked = WatchPlan.Event.asked(1, isForced: false, sawAllEvents: true, alsoLook: [])
        #expect(plan.handle(asked, now: time) == [.beginWave])
        #expect(plan.takeRequest(now: time).request.dirt.sources.contains(Self.path))
        // After a save, the contest begins anew.
        _ = plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: time)
        _ = plan.handle(.dirtied(source: Self.path), now: time)
        _ = plan.handle(.hintsEnded, now: time)
        _ = plan.takeRequest(now: time)
        _ = plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: time)
        _ = plan.handle(.undone(source: Self.path), now: time)
        #expect(plan.delayed[Self.path] == time + WatchPlan.patience)
    }

    @Test func bytecodeSeenDuringAWaveIsJudgedBeforeAnyoneWhoAskedDuringItIsReleased() {
        var plan = Self.plan(in: .building)
        _ = plan.handle(.artifact(Self.sighting), now: now)
        _ = plan.handle(.asked(1, isForced: false, sawAllEvents: true, alsoLook: []), now: now)
        #expect(plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: now) == [.inspect([Self.sighting])])
        _ = plan.handle(.deleted(source: Self.path), now: now)
        #expect(plan.handle(.hintsEnded, now: now) == [.beginWave])
    }

    @Test func whatFailedIsTriedAgainLessAndLessOftenAndForWhoeverWaits() {
        var plan = Self.plan(in: .building)
        let failure = WatchPlan.WaveEnd(failed: [BytePath("p/a.py")])
        #expect(plan.handle(.waveEnded(failure), now: now) == [.arm(.retry, after: WatchPlan.firstRetry)])
        let again = WatchPlan.Action.findStale([BytePath("p")])
        #expect(plan.handle(.fired(.retry), now: now) == [again, .beginWave])
        _ = plan.takeRequest(now: now)
        #expect(plan.handle(.waveEnded(failure), now: now) == [.arm(.retry, after: 2 * WatchPlan.firstRetry)])
        #expect(
            plan.handle(.asked(1, isForced: false, sawAllEvents: true, alsoLook: []), now: now) == [again, .beginWave])
        #expect(plan.takeRequest(now: now).request.dirt.sources == [BytePath("p/a.py")])
        let healed = WatchPlan.WaveEnd(retried: [BytePath("p/a.py")])
        #expect(plan.handle(.waveEnded(healed), now: now) == [again, .inspect([]), .disarm(.retry)])
        #expect(plan.retries.isEmpty)
        #expect(plan.handle(.hintsEnded, now: now) == [.release([1])])
    }

    /// A failed write is reported for one source of its directory. When that one succeeds, the others are retried too, and
    /// waiting requests wait for them.
    @Test func whenOneWriteOfADirectorySucceedsTheOthersAreTriedBeforeAnyoneIsReleased() {
        var plan = Self.plan(in: .building)
        _ = plan.handle(.waveEnded(WatchPlan.WaveEnd(failed: [BytePath("p/a.py")])), now: now)
        _ = plan.handle(.dirtied(source: BytePath("p/a.py")), now: now)
        _ = plan.handle(.hintsEnded, now: now)
        _ = plan.takeRequest(now: now)
        let healed = WatchPlan.WaveEnd(retried: [BytePath("p/a.py")])
        _ = plan.handle(.asked(1, isForced: false, sawAllEvents: true, alsoLook: []), now: now)
        let actions = plan.handle(.waveEnded(healed), now: now)
        #expect(actions == [.findStale([BytePath("p")]), .inspect([]), .disarm(.retry)])
        _ = plan.handle(.dirtied(source: BytePath("p/b.py")), now: now)
        #expect(plan.handle(.hintsEnded, now: now) == [.beginWave])
        #expect(plan.takeRequest(now: now).request.dirt.sources == [BytePath("p/a.py"), BytePath("p/b.py")])
        #expect(plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: now) == [.release([1])])
    }

    /// A problem in a wave may have been fixed before a client sent a request during that wave.
    @Test func whoAsksDuringAWaveThatFailsWaitsForAnotherTry() {
        var plan = Self.plan(in: .building)
        _ = plan.handle(.asked(1, isForced: false, sawAllEvents: true, alsoLook: []), now: now)
        let failure = WatchPlan.WaveEnd(failed: [BytePath("p/a.py")])
        let actions = plan.handle(.waveEnded(failure), now: now)
        #expect(actions.contains(.findStale([BytePath("p")])) && actions.last == .beginWave, "\(actions)")
        #expect(plan.takeRequest(now: now).request.dirt.sources == [BytePath("p/a.py")])
        // One retry is enough: if it fails again, the problem still exists.
        #expect(plan.handle(.waveEnded(failure), now: now).contains(.release([1])))
    }

    @Test func whenAnInterpreterCouldNotBeRunEverythingIsTriedAgain() {
        var plan = Self.plan(in: .building)
        let failure = WatchPlan.WaveEnd(failed: [BytePath("p/a.py")], lacksInterpreter: true)
        _ = plan.handle(.waveEnded(failure), now: now)
        _ = plan.handle(.fired(.retry), now: now)
        #expect(plan.dirt.everything)
    }

    @Test func pollsBecomeRarerUntilAPlaceChanges() {
        var plan = Self.plan(in: .idle)
        #expect(plan.handle(.polled([Self.directory]), now: now) == [.arm(.poll, after: WatchPlan.firstPoll)])
        #expect(
            plan.handle(.fired(.poll), now: now) == [.arm(.poll, after: 2 * WatchPlan.firstPoll), .beginWave])
        #expect(plan.takeRequest(now: now).request.dirt.appeared == [Self.directory])
        _ = plan.handle(.polled([]), now: now)
        #expect(plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: now) == [])
    }

    @Test func aWaveThatEndsAfterTheStopReleasesNobody() {
        var plan = Self.plan(in: .building)
        _ = plan.handle(.asked(1, isForced: false, sawAllEvents: true, alsoLook: [Self.path]), now: now)
        _ = plan.handle(.stop, now: now)
        #expect(plan.handle(.waveEnded(WatchPlan.WaveEnd()), now: now) == [])
    }
}
