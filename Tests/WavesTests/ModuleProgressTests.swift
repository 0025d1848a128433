import BuildModel
import Testing

@testable import Waves

@Suite struct ModuleProgressTests {
    private typealias Phase = ModuleProgress.Phase
    private typealias Event = ModuleProgress.Event

    private static let events: [Event] = [
        .judged(stale: 0), .judged(stale: 2), .vanished, .unreadable, .artifactDone(.compiled), .cancelled,
    ]

    /// For each phase: the events that lead to it, then the next phase and the actions for each of `events`, in order.
    private static let rows: [(phase: Phase, path: [Event], expected: [(Phase, [ModuleProgress.Action])])] = [
        (
            .judging, [],
            [
                (.finished, [.countFinished]), (.compiling(pending: 2), [.compile(2)]),
                (.gone, [.remove, .countFinished]), (.finished, [.countFinished]), (.judging, []),
                (.finished, [.countFinished]),
            ]
        ),
        (
            .compiling(pending: 2), [.judged(stale: 2)],
            [
                (.compiling(pending: 2), []), (.compiling(pending: 2), []), (.leaving(pending: 1), []),
                (.compiling(pending: 1), []), (.compiling(pending: 1), []), (.finished, [.countFinished]),
            ]
        ),
        (
            .compiling(pending: 1), [.judged(stale: 1)],
            [
                (.compiling(pending: 1), []), (.compiling(pending: 1), []), (.gone, [.remove, .countFinished]),
                (.finished, [.countFinished]), (.finished, [.countFinished]), (.finished, [.countFinished]),
            ]
        ),
        (
            .leaving(pending: 1), [.judged(stale: 2), .vanished],
            [
                (.leaving(pending: 1), []), (.leaving(pending: 1), []), (.gone, [.remove, .countFinished]),
                (.gone, [.remove, .countFinished]), (.gone, [.remove, .countFinished]),
                (.gone, [.remove, .countFinished]),
            ]
        ),
        (.finished, [.judged(stale: 0)], events.map { _ in (.finished, []) }),
        (.gone, [.vanished], events.map { _ in (.gone, []) }),
    ]

    @Test(arguments: rows.indices) func everyPhaseHandlesEveryEvent(row: Int) {
        let row = Self.rows[row]
        var reached = ModuleProgress()
        for event in row.path { _ = reached.handle(event) }
        #expect(reached.phase == row.phase)
        for (event, expected) in zip(Self.events, row.expected) {
            var progress = reached
            let actions = progress.handle(event)
            #expect(progress.phase == expected.0 && actions == expected.1, "\(event) while \(row.phase)")
        }
    }

    @Test func greatestEffectOfAnyArtifactIsReported() {
        let table: [([ModuleProgress.Effect], ModuleResult)] = [
            ([.untouched, .untouched], .upToDate), ([.resealed, .untouched], .restamped),
            ([.restored, .resealed], .restored), ([.compiled, .restored], .compiled),
            ([.refused, .compiled], .failed), ([.compiled, .blocked], .failed),
        ]
        for (effects, result) in table {
            var progress = ModuleProgress()
            _ = progress.handle(.judged(stale: effects.count))
            for effect in effects { _ = progress.handle(.artifactDone(effect)) }
            #expect(progress.phase == .finished && progress.result(isFailing: false) == result, "\(effects)")
            #expect(progress.result(isFailing: true) == .failed)
        }
    }

    @Test func greatestRecordChangeIsKept() {
        var progress = ModuleProgress()
        progress.note(ModuleProgress.RecordChange.changed)
        progress.note(ModuleProgress.RecordChange.observed)
        #expect(progress.recordChange == .changed)
    }
}
