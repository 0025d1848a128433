// Which descriptors are ready and which timers are due.
// Knows: epoll(7) and timerfd(2). Does not know: queues or threads; its owner calls it when its descriptor is readable.
//
// Our own, in the place of a Dispatch source for each pipe, connection and timer: with those, libdispatch crashed in its
// manager thread (`_dispatch_event_loop_drain`) while workers were killed and replaced; the cause in it is not known. Here all of it happens on one queue, and Dispatch watches a single descriptor that never goes.

import CLinuxShims
import Glibc

/// Level-triggered readiness and one-shot timers.
final class Readiness {
    private struct Watched {
        let descriptor: OwnedDescriptor
        var reads: (() -> Void)?
        var writes: (() -> Void)?
    }

    private struct Timer {
        let token: UInt64
        let due: Int64
        let body: () -> Void
    }

    /// Readable whenever something is ready or due.
    let descriptor: OwnedDescriptor
    private let timer: OwnedDescriptor
    private static let timerToken: UInt64 = 0
    private var nextToken: UInt64 = 1
    private var watched: [UInt64: Watched] = [:]
    private var tokens: [Int32: UInt64] = [:]
    /// The next one last.
    private var timers: [Timer] = []

    init() throws(SystemError) {
        descriptor = OwnedDescriptor(try retrying("epoll_create1") { freshpyc_epoll() })
        timer = OwnedDescriptor(try retrying("timerfd_create") { freshpyc_timer() })
        let (epoll, clock) = (descriptor.raw, timer.raw)
        _ = try retrying("epoll_ctl") { freshpyc_epoll_set(epoll, clock, 1, 1, 0, Self.timerToken) }
    }

    /// Adds to what a descriptor is watched for. It stays open for as long as it is watched.
    ///
    /// - Returns: what `unwatch` wants.
    func watch(
        _ watchedDescriptor: OwnedDescriptor, reads: (() -> Void)? = nil, writes: (() -> Void)? = nil
    ) -> UInt64 {
        let known = tokens[watchedDescriptor.raw]
        let token = known ?? nextToken
        if known == nil { nextToken += 1 }
        var entry = watched[token] ?? Watched(descriptor: watchedDescriptor)
        entry.reads = reads ?? entry.reads
        entry.writes = writes ?? entry.writes
        watched[token] = entry
        tokens[watchedDescriptor.raw] = token
        apply(entry, token, isNew: known == nil)
        return token
    }

    func unwatch(_ token: UInt64, reads: Bool) {
        guard var entry = watched[token] else { return }
        if reads { entry.reads = nil } else { entry.writes = nil }
        if entry.reads == nil, entry.writes == nil {
            watched[token] = nil
            tokens[entry.descriptor.raw] = nil
            _ = freshpyc_epoll_remove(descriptor.raw, entry.descriptor.raw)
        } else {
            watched[token] = entry
            apply(entry, token, isNew: false)
        }
    }

    private func apply(_ entry: Watched, _ token: UInt64, isNew: Bool) {
        // Adding can only fail for want of kernel memory, or for a regular file, which is never watched.
        _ = freshpyc_epoll_set(
            descriptor.raw, entry.descriptor.raw, isNew ? 1 : 0, entry.reads == nil ? 0 : 1,
            entry.writes == nil ? 0 : 1,
            token)
    }

    /// Calls once, at a time of the monotonic clock or soon after.
    func schedule(_ due: Int64, _ body: @escaping () -> Void) -> UInt64 {
        let token = nextToken
        nextToken += 1
        let position = timers.firstIndex { $0.due < due } ?? timers.endIndex
        timers.insert(Timer(token: token, due: due, body: body), at: position)
        arm()
        return token
    }

    func unschedule(_ token: UInt64) {
        guard let index = timers.firstIndex(where: { $0.token == token }) else { return }
        timers.remove(at: index)
        arm()
    }

    private func arm() {
        // A time of 0 would disarm it.
        _ = freshpyc_timer_set(timer.raw, timers.last.map { max(1, $0.due) } ?? 0)
    }

    /// Calls whoever is ready or due now. What a call cancels is not called any more.
    func deliver() {
        var ready = [UInt64](repeating: 0, count: 64)
        var states = [Int32](repeating: 0, count: 64)
        let count = Int(freshpyc_epoll_take(descriptor.raw, &ready, &states, 64))
        for index in 0..<max(0, count) {
            if ready[index] == Self.timerToken {
                deliverTimers()
                continue
            }
            if states[index] & 1 != 0, let body = watched[ready[index]]?.reads { body() }
            if states[index] & 2 != 0, let body = watched[ready[index]]?.writes { body() }
        }
    }

    private func deliverTimers() {
        var expirations = [UInt8](repeating: 0, count: 8)
        _ = expirations.withUnsafeMutableBytes { try? timer.read(into: $0) }
        let now = Host.monotonic
        while let next = timers.last, next.due <= now {
            timers.removeLast()
            next.body()
        }
        arm()
    }
}
