import Dispatch
import Synchronization
import Testing

@testable import LinuxSystem

@Suite struct LanesTests {
    /// Written on the loop, read when it has stopped.
    private final class Notes: @unchecked Sendable {
        var delivered: [Int] = []
        var lanes: Set<Int> = []
        var wasOnLoop = true
    }

    /// What lanes count together.
    private final class Counters: Sendable {
        let scratches = Atomic(0)
        let begun = Atomic(0)
        let mayGoOn = Atomic(false)
    }

    @Test(arguments: [1, 3, 8]) func everyResultArrivesOnceOnTheLoop(_ limit: Int) {
        let notes = Notes()
        let counters = Counters()
        _ = EventLoop.run { loop in
            let lanes = Lanes(loop: loop, limit: limit) { counters.scratches.add(1, ordering: .relaxed).newValue }
            for number in 0..<1_000 {
                lanes.run { scratch in
                    (scratch, number)
                } done: { scratch, number in
                    dispatchPrecondition(condition: .onQueue(loop.queue))
                    notes.delivered.append(number)
                    notes.lanes.insert(scratch)
                    if notes.delivered.count == 1_000 { loop.stop(0) }
                    _ = lanes
                }
            }
        }
        #expect(notes.delivered.sorted() == Array(0..<1_000))
        // Each lane has a scratch value of its own.
        #expect(notes.lanes.count <= limit)
        #expect(counters.scratches.load(ordering: .relaxed) == notes.lanes.count)
    }

    @Test func drainingDropsWhatHasNotBegunAndDeliversTheRest() {
        let notes = Notes()
        let counters = Counters()
        _ = EventLoop.run { loop in
            let lanes = Lanes(loop: loop, limit: 2) {}
            for number in 0..<100 {
                lanes.run { _ in
                    counters.begun.add(1, ordering: .relaxed)
                    while !counters.mayGoOn.load(ordering: .acquiring) { Host.sleep(nanoseconds: 100_000) }
                    return number
                } done: { number in
                    notes.delivered.append(number)
                }
            }
            while counters.begun.load(ordering: .relaxed) < 2 { Host.sleep(nanoseconds: 100_000) }
            loop.offload {
                counters.mayGoOn.store(true, ordering: .releasing)
            } done: {
            }
            // The flag may be seen by a lane before the lane sees that it is being drained, so more than two may begin.
            lanes.drain()
            let begun = counters.begun.load(ordering: .relaxed)
            notes.wasOnLoop = notes.delivered.count == begun && begun < 100
            // Lanes can be used again.
            lanes.run { _ in
                1_000
            } done: { number in
                notes.delivered.append(number)
                loop.stop(0)
                _ = lanes
            }
        }
        #expect(notes.wasOnLoop)
        #expect(notes.delivered.last == 1_000)
    }
}
