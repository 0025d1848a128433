// Hands compilations to the worker pools, one interpreter after the other.

import Interpreters

/// The jobs of several interpreters. They run one interpreter after the other, so the number of processes never exceeds
/// `--jobs`. Fills each pool as it has room.
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
    ///   - send: hands a job to a pool. `finishOne` must be called later for each job.
    ///   - done: called once, when no job is left.
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

    /// Starts the jobs, or ends at once if there are none.
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

    /// Reports that a job has finished.
    package func finishOne() {
        outstanding -= 1
        if outstanding == 0 {
            end()
        } else if outstanding > 0 {
            fill()
        }
    }

    /// Shuts the pools down and ends, without waiting for pending jobs.
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
