// Which compilation is handed to a worker next.
// Knows: queues, pools, how much is still to come back. Does not know: what a job is, or what becomes of code.

import Interpreters

/// Jobs for several interpreters, done one interpreter after the other, so that no more processes run at once than were
/// asked for. Fills the pools as they have room.
package final class CompilationSchedule<Job> {
    private struct Queue {
        let pool: WorkerPool
        let jobs: [Job]
        var next = 0
    }

    private var queues: [Queue]
    private var outstanding: Int
    private let send: (Job, WorkerPool) -> Void
    private let done: () -> Void

    /// - Parameters:
    ///   - send: hands a job to a pool; `finishOne` must be called for each, later.
    ///   - done: called once, when nothing is left.
    package init(
        _ queues: [(pool: WorkerPool, jobs: [Job])], send: @escaping (Job, WorkerPool) -> Void,
        done: @escaping () -> Void
    ) {
        self.queues = queues.map { Queue(pool: $0.pool, jobs: $0.jobs) }
        outstanding = queues.reduce(0) { $0 + $1.jobs.count }
        self.send = send
        self.done = done
        for queue in self.queues {
            queue.pool.onRoom = { [weak self] in self?.fill() }
            queue.pool.reopen()
        }
    }

    /// Begins, or ends at once where there is nothing to do.
    package func start() {
        if outstanding == 0 { end() } else { fill() }
    }

    private func fill() {
        guard let current = queues.firstIndex(where: { $0.next < $0.jobs.count || !$0.pool.isIdle }) else { return }
        while queues[current].next < queues[current].jobs.count, queues[current].pool.hasRoom {
            let job = queues[current].jobs[queues[current].next]
            queues[current].next += 1
            send(job, queues[current].pool)
        }
    }

    /// Says that a job has come back.
    package func finishOne() {
        outstanding -= 1
        if outstanding == 0 {
            end()
        } else if outstanding > 0 {
            fill()
        }
    }

    /// Hands out no more and waits for nothing.
    package func cancel() {
        guard outstanding > 0 else { return }
        outstanding = 0
        for queue in queues { queue.pool.shutDown() }
        end()
    }

    private func end() {
        for index in queues.indices { queues[index].pool.onRoom = {} }
        queues = []
        done()
    }
}
