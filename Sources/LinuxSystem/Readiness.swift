// Watches descriptors and timers with one epoll instance and one timerfd. Its owner calls `deliver` whenever
// `descriptor` is readable.
//
// Why not a Dispatch source for each pipe, connection and timer: a source's descriptor must stay open until its cancel
// handler has run, which is easily violated. libdispatch removes a descriptor from its epoll instance by number
// (EPOLL_CTL_DEL), later and on its manager thread. If it is closed by then, the call fails with EBADF. While a child
// that is being spawned shares the open file, the registration stays in the kernel, with a pointer to memory that
// libdispatch has freed. The next event then crashes the manager thread in `_dispatch_event_loop_drain`, or reaches a
// different source while the intended one waits until its deadline. strace shows this order of calls: close,
// EPOLL_CTL_DEL with EBADF, then an event from epoll_wait with the same pointer. Here a descriptor is removed while it
// is still open.

import CLinuxShims
import Glibc

/// Level-triggered readiness and one-shot timers.
final class Readiness {
    private struct Watched {
        let descriptor: OwnedDescriptor
        var reads: (() -> Void)?
        var writes: (() -> Void)?
        /// Whether epoll has the current interests.
        var isApplied = false
        /// Whether it was added to the epoll instance.
        var isAdded = false
    }

    private struct Timer {
        let token: UInt64
        let due: Int64
        let body: () -> Void
    }

    /// Readable whenever a descriptor is ready or a timer is due.
    let descriptor: OwnedDescriptor
    private let timer: OwnedDescriptor
    private static let timerToken: UInt64 = 0
    private var nextToken: UInt64 = 1
    private var watched: [UInt64: Watched] = [:]
    private var tokens: [Int32: UInt64] = [:]
    /// Sorted by descending time: the next one is last.
    private var timers: [Timer] = []

    init() throws(SystemError) {
        descriptor = OwnedDescriptor(try retrying("epoll_create1") { freshpyc_epoll() })
        timer = OwnedDescriptor(try retrying("timerfd_create") { freshpyc_timer() })
        let (epoll, clock) = (descriptor.raw, timer.raw)
        _ = try retrying("epoll_ctl") { freshpyc_epoll_set(epoll, clock, 1, 1, 0, Self.timerToken) }
    }

    /// Adds handlers for a descriptor, and keeps it open while it is watched.
    ///
    /// - Returns: a token for `unwatch`.
    func watch(
        _ watchedDescriptor: OwnedDescriptor, reads: (() -> Void)? = nil, writes: (() -> Void)? = nil
    ) -> UInt64 {
        let known = tokens[watchedDescriptor.raw]
        let token = known ?? nextToken
        if known == nil { nextToken += 1 }
        var entry = watched[token] ?? Watched(descriptor: watchedDescriptor)
        entry.reads = reads ?? entry.reads
        entry.writes = writes ?? entry.writes
        tokens[watchedDescriptor.raw] = token
        apply(&entry, token)
        watched[token] = entry
        return token
    }

    func unwatch(_ token: UInt64, reads: Bool) {
        guard var entry = watched[token] else { return }
        if reads { entry.reads = nil } else { entry.writes = nil }
        if entry.reads == nil, entry.writes == nil {
            watched[token] = nil
            tokens[entry.descriptor.raw] = nil
            _ = try? retrying("epoll_ctl") { freshpyc_epoll_remove(descriptor.raw, entry.descriptor.raw) }
        } else {
            apply(&entry, token)
            watched[token] = entry
        }
    }

    /// Registers a descriptor's interests with epoll. If the kernel is out of memory, or fs.epoll.max_user_watches is
    /// reached, retries until it succeeds: otherwise the watcher would wait forever.
    private func apply(_ entry: inout Watched, _ token: UInt64) {
        let (isNew, reads, writes) = (!entry.isAdded, entry.reads != nil, entry.writes != nil)
        let raw = entry.descriptor.raw
        do throws(SystemError) {
            _ = try retrying("epoll_ctl") {
                freshpyc_epoll_set(descriptor.raw, raw, isNew ? 1 : 0, reads ? 1 : 0, writes ? 1 : 0, token)
            }
            entry.isApplied = true
            entry.isAdded = true
        } catch {
            entry.isApplied = false
            _ = schedule(Host.monotonic + Self.retryInterval) { [weak self] in
                guard let self, var entry = watched[token], !entry.isApplied else { return }
                apply(&entry, token)
                watched[token] = entry
            }
        }
    }

    /// In nanoseconds.
    private static let retryInterval: Int64 = 20_000_000

    /// Calls `body` once, at this time of the monotonic clock (nanoseconds) or shortly afterwards.
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
        // A time of 0 would disarm it. The call fails only for invalid times.
        _ = try? retrying("timerfd_settime") { freshpyc_timer_set(timer.raw, timers.last.map { max(1, $0.due) } ?? 0) }
    }

    /// Calls the handlers that are ready or due. A handler cancelled by an earlier one is not called.
    func deliver() {
        var ready = [UInt64](repeating: 0, count: 64)
        var states = [Int32](repeating: 0, count: 64)
        // This fails only for invalid arguments.
        let count = try? retrying("epoll_wait") { freshpyc_epoll_take(descriptor.raw, &ready, &states, 64) }
        for index in 0..<Int(count ?? 0) {
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
