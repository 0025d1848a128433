// The serial queue that owns all mutable state, and the events that wake it.

import Dispatch
import Glibc

/// A serial Dispatch queue with a start and an end.
///
/// `run` creates a loop, which never leaves its queue. Neither the loop nor the objects that hold it are `Sendable`, so
/// everything reached through a loop belongs to its queue and needs no locks.
package final class EventLoop {
    /// A closure that runs on the loop's queue only.
    ///
    /// `@unchecked Sendable` because a handler never leaves the queue: `run` creates the loop there, a loop is not
    /// `Sendable` and so cannot leave it, so handlers are created there too, and every Dispatch object that calls one
    /// targets that queue.
    private struct Handler: @unchecked Sendable {
        let body: () -> Void
    }

    /// An event source that wakes the loop until it is cancelled or released. After that its handler is never called.
    package final class Source {
        private var end: (() -> Void)?

        fileprivate init(_ end: @escaping () -> Void) {
            self.end = end
        }

        package func cancel() {
            end?()
            end = nil
        }

        deinit {
            cancel()
        }
    }

    let queue: DispatchQueue
    private let finished: Finish
    private let readiness: Readiness
    /// Dispatch sources for signals and for the descriptor of `readiness`, which stands for all others. They live as
    /// long as the loop.
    private var dispatchSources: [any DispatchSourceProtocol] = []

    /// Passes the exit status from the queue to the waiting thread.
    ///
    /// `@unchecked Sendable` because the status is written on the queue before the semaphore is signalled and read after
    /// waiting for it, which orders the two.
    private final class Finish: @unchecked Sendable {
        var status: Int32 = 0
        let semaphore = DispatchSemaphore(value: 0)
    }

    private init(queue: DispatchQueue, finished: Finish, readiness: Readiness) {
        self.queue = queue
        self.finished = finished
        self.readiness = readiness
        let source = DispatchSource.makeReadSource(fileDescriptor: readiness.descriptor.raw, queue: queue)
        let handler = Handler { readiness.deliver() }
        source.setEventHandler { handler.body() }
        source.activate()
        dispatchSources.append(source)
    }

    /// Runs `body` on a new loop and returns the status that `stop` was called with.
    package static func run(_ body: @escaping @Sendable (EventLoop) -> Void) -> Int32 {
        let queue = DispatchQueue(label: "freshpyc.engine", qos: .userInitiated)
        let finished = Finish()
        queue.async {
            do throws(SystemError) {
                body(EventLoop(queue: queue, finished: finished, readiness: try Readiness()))
            } catch {
                Host.writeError("freshpyc: cannot start: \(error); close programs that hold many files open\n")
                finished.status = 2
                finished.semaphore.signal()
            }
        }
        finished.semaphore.wait()
        return finished.status
    }

    /// Ends `run`. Handlers that are still queued may or may not run.
    package func stop(_ status: Int32) {
        finished.status = status
        finished.semaphore.signal()
    }

    /// Runs after the handlers that are already queued.
    package func later(_ body: @escaping () -> Void) {
        let handler = Handler(body: body)
        queue.async { handler.body() }
    }

    /// Runs work on another thread, and then `done` with its result on the loop.
    package func offload<Value: Sendable>(
        _ work: @escaping @Sendable () -> Value, done: @escaping (Value) -> Void
    ) {
        let receiver = Receiver(done)
        // Not a global queue, for the reason that `ParallelSlices` gives.
        DispatchQueue(label: "freshpyc.work", qos: .userInitiated).async { [queue] in
            let value = work()
            queue.async { receiver.take()(value) }
        }
    }

    /// A closure that another thread carries to the loop's queue without owning it.
    ///
    /// `@unchecked Sendable` because the other thread only copies a pointer: the closure is retained when `offload` is called, on the
    /// queue, and used and released by `take`, once, on the queue. So nothing that belongs to the queue is ever destroyed elsewhere.
    struct Receiver<Value: Sendable>: @unchecked Sendable {
        private final class Box {
            let body: (Value) -> Void
            init(_ body: @escaping (Value) -> Void) { self.body = body }
        }

        private let box: Unmanaged<Box>

        init(_ body: @escaping (Value) -> Void) { box = .passRetained(Box(body)) }

        /// The closure, which this releases.
        func take() -> (Value) -> Void { box.takeRetainedValue().body }
    }

    /// Wakes whenever the descriptor is readable or its other end is closed.
    package func onReadable(_ descriptor: OwnedDescriptor, _ body: @escaping () -> Void) -> Source {
        let token = readiness.watch(descriptor, reads: body)
        return Source { [readiness] in readiness.unwatch(token, reads: true) }
    }

    /// Wakes whenever the descriptor is writable.
    package func onWritable(_ descriptor: OwnedDescriptor, _ body: @escaping () -> Void) -> Source {
        let token = readiness.watch(descriptor, writes: body)
        return Source { [readiness] in readiness.unwatch(token, reads: false) }
    }

    /// Wakes once, after this many nanoseconds.
    package func after(_ nanoseconds: Int64, _ body: @escaping () -> Void) -> Source {
        let (due, overflows) = Host.monotonic.addingReportingOverflow(max(0, nanoseconds))
        let token = readiness.schedule(overflows ? .max : due, body)
        return Source { [readiness] in readiness.unschedule(token) }
    }

    /// Wakes on a signal, whose default action is disabled from then on.
    package func onSignal(_ number: Int32, _ body: @escaping () -> Void) {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        let handler = Handler(body: body)
        source.setEventHandler { handler.body() }
        source.activate()
        dispatchSources.append(source)
    }

    package static let interrupt = SIGINT
    package static let terminate = SIGTERM
    package static let hangUp = SIGHUP
}
