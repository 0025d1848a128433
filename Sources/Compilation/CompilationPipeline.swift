// Takes sources through lanes and workers: prepare in a lane, compile in a worker, finish in a lane.
// Must not read, hash or write files itself: it runs on the loop, which all workers wait for.

import Interpreters
import LinuxSystem

/// The work on a source that lanes do. A value: it shares nothing with the loop.
package protocol CompilationWork: Sendable {
    /// One compilation.
    associatedtype Item: Sendable
    /// What `finish` needs to know from `prepare`.
    associatedtype Draft: Sendable
    associatedtype Outcome: Sendable
    /// What the work of one lane reuses, such as open directories.
    associatedtype Scratch

    /// The approximate number of bytes of the source.
    func size(of item: Item) -> Int
    /// Called once in each lane.
    func makeScratch() -> Scratch
    /// Makes a request for a worker, or the outcome if none is needed.
    func prepare(_ item: Item, _ scratch: Scratch) -> Preparation<Draft, Outcome>
    /// Makes the outcome from a worker's result.
    func finish(_ item: Item, _ draft: Draft, _ result: CompileResult, _ scratch: Scratch) -> Outcome
}

/// The result of preparing a compilation.
package enum Preparation<Draft: Sendable, Outcome: Sendable>: Sendable {
    case request(CompileRequest, Draft)
    case finished(Outcome)
}

/// Compilations of several interpreters. They run one interpreter after the other, so that the number of processes never
/// exceeds `--jobs`.
package final class CompilationPipeline<Work: CompilationWork> {
    /// The compilations of one interpreter.
    package struct Queue {
        fileprivate let pool: WorkerPool
        fileprivate let items: [Work.Item]
        fileprivate var next = 0

        package init(pool: WorkerPool, items: [Work.Item]) {
            self.pool = pool
            self.items = items
        }
    }

    private struct Request {
        let item: Work.Item
        let request: CompileRequest
        let draft: Work.Draft
    }

    /// Limits of what is held in memory, in bytes of sources or code.
    private static var maximumPrepared: Int { 1 << 20 }
    /// What a prepared request takes besides its source, in bytes.
    private static var requestOverhead: Int { 2048 }
    private static var maximumUnfinished: Int { 16 << 20 }
    /// Limits of what a lane does at once: enough to hide the handover, little enough to keep all lanes busy.
    private static var largestBatch: Int { 32 }
    private static var largestBatchBytes: Int { 128 << 10 }

    private let work: Work
    private let lanes: Lanes<Work.Scratch>
    private var queues: [Queue]
    private var outstanding: Int
    private var nextIdentifier: UInt32 = 0
    /// Prepared requests in order, of which the first `sent` are gone.
    private var prepared: [Request] = []
    private var sent = 0
    private var preparing = 0
    private var preparedBytes = 0
    private var compiling: [UInt32: (item: Work.Item, draft: Work.Draft)] = [:]
    private var unfinishedBytes = 0
    private let each: (Work.Item, Work.Outcome) -> Void
    private let done: () -> Void

    /// - Parameters:
    ///   - workers: the maximum number of workers.
    ///   - each: called once for each item that is not cancelled, in any order.
    ///   - done: called once, at the end.
    package init(
        _ work: Work, _ queues: [Queue], loop: EventLoop, workers: Int,
        each: @escaping (Work.Item, Work.Outcome) -> Void, done: @escaping () -> Void
    ) {
        self.work = work
        self.queues = queues
        self.each = each
        self.done = done
        lanes = Lanes(loop: loop, limit: Lanes<Work.Scratch>.limit(workers: workers)) { work.makeScratch() }
        outstanding = queues.reduce(0) { $0 + $1.items.count }
        for queue in queues {
            queue.pool.onAnswers = { [weak self] in self?.receive($0) }
            queue.pool.reopen()
        }
    }

    /// Starts the compilations, or ends at once if there are none.
    package func start() {
        if outstanding == 0 { end() } else { fill() }
    }

    /// Drops what has not begun, finishes what lanes are working on, and ends.
    package func cancel() {
        guard outstanding > 0 else { return }
        let pools = queues.map(\.pool)
        queues = []
        prepared = []
        sent = 0
        compiling = [:]
        for pool in pools {
            pool.onAnswers = { _ in }
            pool.shutDown()
        }
        lanes.drain()
        guard outstanding > 0 else { return }
        outstanding = 0
        end()
    }

    private func end() {
        for queue in queues { queue.pool.onAnswers = { _ in } }
        queues = []
        done()
    }

    // MARK: Preparing

    /// Hands out work until the lanes and the workers have enough.
    private func fill() {
        while let current = queues.first, current.next == current.items.count, preparing == 0,
            prepared.count == sent, compiling.isEmpty
        {
            current.pool.onAnswers = { _ in }
            queues.removeFirst()
        }
        send()
        while let batch = nextBatch() { prepare(batch) }
    }

    private func nextBatch() -> [Work.Item]? {
        guard let queue = queues.first, queue.next < queue.items.count,
            preparedBytes < Self.maximumPrepared || preparing + prepared.count == sent,
            unfinishedBytes < Self.maximumUnfinished
        else { return nil }
        // The last batches are small, so that no lane and no worker is left without work.
        let count = min(Self.largestBatch, max(1, (queue.items.count - queue.next) / (2 * lanes.limit)))
        var end = queue.next
        var bytes = 0
        while end < queue.items.count, end - queue.next < count, bytes < Self.largestBatchBytes {
            bytes += work.size(of: queue.items[end])
            end += 1
        }
        defer { queues[0].next = end }
        return Array(queue.items[queue.next..<end])
    }

    private func prepare(_ batch: [Work.Item]) {
        let work = work
        let bytes = batch.reduce(0) { $0 + work.size(of: $1) }
        preparing += batch.count
        preparedBytes += bytes
        lanes.run { scratch in
            batch.map { work.prepare($0, scratch) }
        } done: { [self] preparations in
            preparing -= batch.count
            preparedBytes -= bytes
            adopt(batch, preparations)
        }
    }

    private func adopt(_ batch: [Work.Item], _ preparations: [Preparation<Work.Draft, Work.Outcome>]) {
        var finished: [(Work.Item, Work.Outcome)] = []
        for index in batch.indices {
            let item = batch[index]
            switch preparations[index] {
            case .finished(let outcome): finished.append((item, outcome))
            case .request(var request, let draft):
                // After a cancellation, nothing is sent any more.
                guard !queues.isEmpty else { continue }
                request.identifier = nextIdentifier
                nextIdentifier = (nextIdentifier + 1) & 0x7FFF_FFFF
                preparedBytes += request.source.count + Self.requestOverhead
                prepared.append(Request(item: item, request: request, draft: draft))
            }
        }
        if !queues.isEmpty { fill() }
        for (item, outcome) in finished { deliver(item, outcome) }
    }

    // MARK: Compiling

    private func send() {
        guard let pool = queues.first?.pool, prepared.count > sent, unfinishedBytes < Self.maximumUnfinished else {
            return
        }
        let next = prepared[sent...].prefix(pool.room)
        guard !next.isEmpty else { return }
        for request in next {
            preparedBytes -= request.request.source.count + Self.requestOverhead
            compiling[request.request.identifier] = (request.item, request.draft)
        }
        sent += next.count
        let coming = prepared.count - sent + preparing + (queues[0].items.count - queues[0].next)
        pool.compile(next.map(\.request), coming: coming)
        if sent == prepared.count || sent > 1000 {
            prepared.removeFirst(sent)
            sent = 0
        }
    }

    /// Hands results to the lanes. The workers get their next requests first.
    private func receive(_ answers: [WorkerPool.Answer]) {
        var finished: [Finished] = []
        for answer in answers {
            guard let (item, draft) = compiling.removeValue(forKey: answer.identifier) else { continue }
            finished.append(Finished(item: item, draft: draft, result: answer.result))
        }
        var bytes = 0
        for index in finished.indices { bytes += finished[index].result.size }
        unfinishedBytes += bytes
        fill()
        guard !finished.isEmpty else { return }
        guard bytes > Self.largestBatchBytes else { return finish(finished, bytes) }
        var start = 0
        while start < finished.count {
            var end = start
            bytes = 0
            while end < finished.count, bytes < Self.largestBatchBytes {
                bytes += finished[end].result.size
                end += 1
            }
            finish(Array(finished[start..<end]), bytes)
            start = end
        }
    }

    private struct Finished: Sendable {
        let item: Work.Item
        let draft: Work.Draft
        let result: CompileResult
    }

    private func finish(_ batch: [Finished], _ bytes: Int) {
        let work = work
        lanes.run { scratch in
            batch.map { work.finish($0.item, $0.draft, $0.result, scratch) }
        } done: { [self] outcomes in
            unfinishedBytes -= bytes
            if !queues.isEmpty { fill() }
            for index in batch.indices { deliver(batch[index].item, outcomes[index]) }
        }
    }

    private func deliver(_ item: Work.Item, _ outcome: Work.Outcome) {
        guard outstanding > 0 else { return }
        each(item, outcome)
        outstanding -= 1
        if outstanding == 0 { end() }
    }
}

extension CompileResult {
    /// The number of bytes of code.
    fileprivate var size: Int {
        if case .compiled(let code, _, _) = self { code.count } else { 0 }
    }
}
