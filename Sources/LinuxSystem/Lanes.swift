// Threads beside the loop, for work that would hold it up.

import Dispatch
import Synchronization

/// Serial queues that take values from the loop and bring values back.
///
/// Belongs to its loop. Each lane has its own scratch value (open directories, buffers), which only its queue uses.
package final class Lanes<Scratch> {
    /// One lane.
    ///
    /// `@unchecked Sendable` because the scratch value is made and used only in `run`, which only blocks of the serial queue
    /// call (see `Lanes.run`), and destroyed with the lane, when no such block is left.
    private final class Lane: @unchecked Sendable {
        // Not a global queue, for the reason that `ParallelSlices` gives.
        let queue = DispatchQueue(label: "freshpyc.lane", qos: .userInitiated)
        private let make: @Sendable () -> Scratch
        private lazy var scratch = make()

        init(_ make: @escaping @Sendable () -> Scratch) { self.make = make }

        func run<Value>(_ work: (Scratch) -> Value) -> Value { work(scratch) }
    }

    private let loop: EventLoop
    private let inbox: LaneInbox
    private let scratch: @Sendable () -> Scratch
    private var lanes: [Lane] = []
    /// The number of tasks of each lane that were not delivered yet.
    private var loads: [Int] = []
    /// The maximum number of lanes. A lane is created when all others have work.
    package let limit: Int
    private let isDraining = LaneFlag()

    package init(loop: EventLoop, limit: Int, scratch: @escaping @Sendable () -> Scratch) {
        self.loop = loop
        self.limit = max(1, limit)
        self.scratch = scratch
        inbox = LaneInbox(loop.queue)
    }

    /// A number of lanes for work that mostly computes but may wait for a disk: two for each processor, but no more than
    /// there are workers.
    package static func limit(workers: Int) -> Int {
        min(max(1, workers), 2 * Processors.available, DescriptorLimit.threads)
    }

    /// Runs work in the lane that has the least to do, and then `done` with its result on the loop.
    ///
    /// After `drain`, `done` is only called if the work had begun.
    package func run<Value: Sendable>(
        _ work: @escaping @Sendable (Scratch) -> Value, done: @escaping (Value) -> Void
    ) {
        let number = freestLane()
        loads[number] += 1
        let receiver = EventLoop.Receiver<Value?> { [self] value in
            loads[number] -= 1
            if let value { done(value) }
        }
        let (lane, inbox, isDraining) = (lanes[number], inbox, isDraining)
        lane.queue.async {
            let value = isDraining.isSet ? nil : lane.run(work)
            inbox.post { receiver.take()(value) }
        }
    }

    private func freestLane() -> Int {
        if let free = loads.firstIndex(of: 0) { return free }
        guard lanes.count >= limit else {
            lanes.append(Lane(scratch))
            loads.append(0)
            return lanes.count - 1
        }
        return loads.indices.min { loads[$0] < loads[$1] } ?? 0
    }

    /// Drops the work that has not begun, waits for the rest, and delivers its results before it returns.
    package func drain() {
        isDraining.isSet = true
        for lane in lanes { lane.queue.sync {} }
        inbox.deliver()
        isDraining.isSet = false
    }
}

/// Results on their way to the loop. Many results wake it once.
private final class LaneInbox: Sendable {
    private let queue: DispatchQueue
    private let results = Mutex<[@Sendable () -> Void]>([])

    init(_ queue: DispatchQueue) { self.queue = queue }

    /// Adds a result. Called by lanes.
    func post(_ result: @escaping @Sendable () -> Void) {
        let isFirst = results.withLock { results in
            results.append(result)
            return results.count == 1
        }
        if isFirst { queue.async { self.deliver() } }
    }

    /// Delivers all results. Call it on the loop only.
    func deliver() {
        let arrived = results.withLock { results in
            defer { results = [] }
            return results
        }
        for result in arrived { result() }
    }
}

/// A flag that the loop sets and lanes read.
private final class LaneFlag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool {
        get { value.load(ordering: .acquiring) }
        set { value.store(newValue, ordering: .releasing) }
    }
}
