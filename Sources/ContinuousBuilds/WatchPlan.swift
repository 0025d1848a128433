// The state machine of a continuous build, without files, sessions or clocks. It takes events with the time and returns
// actions; `ContinuousBuild` carries the actions out and reports their results as events.

import BasicTypes

/// Decides when waves begin, and when waiting requests are answered.
package struct WatchPlan: Sendable {
    /// A wave of at most this many changes begins at once.
    package static let smallWave = 4
    /// A burst ends after this many nanoseconds without an event.
    package static let quiet: Int64 = 15_000_000
    /// The maximum time in nanoseconds that a burst can delay a wave.
    package static let longestBurst: Int64 = 400_000_000
    /// How long to wait for a file that is open for writing, or after a deletion, in nanoseconds.
    package static let patience: Int64 = 200_000_000
    /// `firstRetry` and `lastRetry`: the first and the longest delay before a retry, in nanoseconds; the delay doubles
    /// each time.
    package static let firstRetry: Int64 = 1_000_000_000
    package static let lastRetry: Int64 = 60_000_000_000
    /// `firstPoll` and `lastPoll`: the first and the longest interval between polls, in nanoseconds; the interval
    /// doubles each time.
    package static let firstPoll: Int64 = 1_000_000_000
    package static let lastPoll: Int64 = 10_000_000_000

    package private(set) var phase: Phase
    package private(set) var dirt = Dirt()
    /// Sources to be checked later, with the time.
    package private(set) var delayed: [BytePath: Int64] = [:]
    /// The requests that the running wave answers: they joined it when it began.
    package private(set) var joined: [WaiterID] = []
    /// The requests that the next wave answers.
    package private(set) var waiting: [WaiterID] = []
    package private(set) var polledDirectories: Set<BytePath> = []
    package private(set) var guarded: Set<BytePath> = []
    package private(set) var retries: Set<BytePath> = []
    private var sightings: [ArtifactSighting] = []
    private var contests = BytecodeContests()
    /// When the timer `delayed` fires, if it is armed.
    private var delayedDue: Int64 = 0
    /// Whether a retry covers the whole tree, because an interpreter could not be run.
    private var retriesEverything = false
    private var isForced = false
    private var resealsGuarded = false
    private var wasPostponed = false
    private var armed: Set<Timer> = []
    private var retryDelay = Self.firstRetry
    private var pollDelay = Self.firstPoll

    /// - Parameter phase: `building` if the watch begins with a wave over the whole tree.
    package init(phase: Phase = .building) {
        self.phase = phase
    }

    /// Handles one event.
    ///
    /// - Parameter now: the time in nanoseconds of the monotonic clock.
    package mutating func handle(_ event: Event, now: Int64) -> [Action] {
        if phase == .stopped { return [] }
        switch event {
        case .dirtied(let source):
            delayed[source] = nil
            contests.forget(source)
            dirt.sources.insert(source)
            return []
        case .deleted(let source):
            if !dirt.sources.contains(source) { delayed[source] = now + Self.patience }
            return []
        case .undone(let source): return undo(source, now)
        case .beingWritten(let source):
            delayed[source] = now + Self.patience
            return []
        case .importable(let path):
            dirt.importable.insert(path)
            return []
        case .artifact(let sighting):
            // While a wave publishes, it causes most of these changes itself. Check them after it has recorded its
            // work.
            guard phase == .building || phase == .opening else { return [.inspect([sighting])] }
            sightings.append(sighting)
            return []
        case .directoryAppeared(let path):
            dirt.appeared.insert(path)
            return []
        case .directoryGone(let path):
            dirt.gone.insert(path)
            return [.checkRoot]
        case .everythingDirtied:
            dirt.everything = true
            return []
        case .hintsEnded:
            // A waiting request wants the sources as written so far.
            if !waiting.isEmpty { addDelayed() }
            return armDelayed(now) + advance(now) + release()
        case .asked(let waiter, let isForced, let sawAllEvents, let alsoLook):
            if isForced { self.isForced = true }
            if isForced || !sawAllEvents { dirt.everything = true }
            addDelayed()
            dirt.sources.formUnion(alsoLook)
            dirt.appeared.formUnion(polledDirectories)
            waiting.append(waiter)
            return retryFailed() + advance(now) + release()
        case .fired(let timer):
            armed.remove(timer)
            return fire(timer, now)
        case .guardsJudged(let over, let stillGuarded):
            guarded = stillGuarded
            dirt.sources.formUnion(over)
            if !over.isEmpty { resealsGuarded = true }
            return over.isEmpty ? armGuard() : advance(now)
        case .polled(let directories):
            if directories != polledDirectories { pollDelay = Self.firstPoll }
            polledDirectories = directories
            return armPoll()
        case .postponed:
            guard phase == .opening, waiting.isEmpty else { return [] }
            phase = .settling(since: now)
            wasPostponed = true
            armed.insert(.settle)
            return [.arm(.settle, after: Self.quiet)]
        case .waveEnded(let end):
            return phase == .building ? endWave(end, now) : []
        case .stop:
            phase = .stopped
            defer { armed = [] }
            return Timer.allCases.filter { armed.contains($0) }.map { .disarm($0) }
        }
    }

    /// Takes the work of the wave that begins now. The wave also answers all waiting requests.
    ///
    /// - Returns: the work, and the actions that arm timers for the sources that it excludes.
    package mutating func takeRequest(now: Int64) -> (request: WaveRequest, actions: [Action]) {
        var actions: [Action] = []
        // What git has deleted meanwhile belongs to the same wave.
        if waiting.isEmpty, !wasPostponed {
            // Do not compile files that are still being written.
            dirt.sources.subtract(delayed.keys)
            actions = armDelayed(now)
        } else {
            addDelayed()
        }
        let request = WaveRequest(dirt: dirt, isForced: isForced, resealsGuarded: resealsGuarded)
        dirt = Dirt()
        isForced = false
        resealsGuarded = false
        wasPostponed = false
        joined += waiting
        waiting = []
        phase = .building
        return (request, actions)
    }

    // MARK: Waves

    /// Begins a wave if there are changes and no reason to wait.
    private mutating func advance(_ now: Int64) -> [Action] {
        guard !dirt.isEmpty else { return [] }
        switch phase {
        case .opening, .building, .stopped: return []
        case .idle:
            if dirt.count <= Self.smallWave || !waiting.isEmpty { return begin() }
            return settle(since: now, now)
        case .settling(let since):
            if !waiting.isEmpty { return begin() }
            // Another event restarts the quiet period, up to the maximum length of a burst.
            return settle(since: since, now)
        }
    }

    private mutating func begin() -> [Action] {
        phase = .opening
        return disarm(.settle) + [.beginWave]
    }

    private mutating func settle(since: Int64, _ now: Int64) -> [Action] {
        phase = .settling(since: since)
        let latest = since + Self.longestBurst - now
        armed.insert(.settle)
        return [.arm(.settle, after: min(Self.quiet, max(0, latest)))]
    }

    private mutating func endWave(_ end: WaveEnd, _ now: Int64) -> [Action] {
        phase = .idle
        let seen = sightings
        sightings = []
        // Requests that arrived during the wave want these sources too.
        if !waiting.isEmpty { addDelayed() }
        let succeeded = end.retried.subtracting(end.failed)
        retries = retries.subtracting(end.retried).union(end.failed)
        guarded.formUnion(end.guarded)
        retriesEverything = end.lacksInterpreter
        var actions: [Action] = []
        // A client that sent a request during the wave may have just fixed what failed in it.
        if !waiting.isEmpty { actions += retryFailed() }
        if !succeeded.isEmpty {
            // Other sources in the same directories failed too, without being reported. The requests also wait for them.
            actions.append(.findStale(Set(succeeded.map(\.parent))))
            waiting = joined + waiting
            joined = []
        }
        let mustInspect = !seen.isEmpty || !succeeded.isEmpty
        if mustInspect { actions.append(.inspect(seen)) }
        actions += armDelayed(now) + armRetry() + armGuard() + armPoll()
        // Inspect before releasing the waiting requests; `hintsEnded`, which follows, does that.
        actions += mustInspect ? releaseJoined() : release() + advance(now)
        return actions
    }

    /// Releases the requests whose wave has ended, and all others if there is nothing to do.
    private mutating func release() -> [Action] {
        guard phase == .idle else { return [] }
        var released = joined
        joined = []
        if dirt.isEmpty {
            released += waiting
            waiting = []
        }
        return released.isEmpty ? [] : [.release(released)]
    }

    private mutating func releaseJoined() -> [Action] {
        defer { joined = [] }
        return joined.isEmpty ? [] : [.release(joined)]
    }

    /// Adds the delayed sources to the next wave: a waiting request wants them as they are.
    private mutating func addDelayed() {
        dirt.sources.formUnion(delayed.keys)
        delayed = [:]
    }

    /// Retries the paths that could not be read or written.
    private mutating func retryFailed() -> [Action] {
        guard !retries.isEmpty else { return [] }
        if retriesEverything {
            dirt.everything = true
            return []
        }
        for path in retries {
            if path.hasSuffix(".py") { dirt.sources.insert(path) } else { dirt.appeared.insert(path) }
        }
        // A failed write is reported once for its directory; other sources in it failed too.
        return [.findStale(Set(retries.map(\.parent)))]
    }

    // MARK: Timers

    private mutating func fire(_ timer: Timer, _ now: Int64) -> [Action] {
        switch timer {
        case .settle:
            guard case .settling = phase else { return [] }
            return begin()
        case .delayed:
            for (path, time) in delayed where time <= now {
                delayed[path] = nil
                dirt.sources.insert(path)
            }
            return armDelayed(now) + advance(now)
        case .guardOver:
            return [.judgeGuards(guarded)]
        case .retry:
            retryDelay = min(retryDelay * 2, Self.lastRetry)
            return retryFailed() + advance(now)
        case .poll:
            pollDelay = min(pollDelay * 2, Self.lastPoll)
            if polledDirectories.contains(.empty) {
                dirt.everything = true
            } else {
                dirt.appeared.formUnion(polledDirectories)
            }
            return armPoll() + advance(now)
        }
    }

    private mutating func arm(_ timer: Timer, after delay: Int64) -> [Action] {
        guard armed.insert(timer).inserted else { return [] }
        return [.arm(timer, after: max(0, delay))]
    }

    private mutating func disarm(_ timer: Timer) -> [Action] {
        armed.remove(timer) == nil ? [] : [.disarm(timer)]
    }

    private mutating func armDelayed(_ now: Int64) -> [Action] {
        guard let next = delayed.values.min() else { return disarm(.delayed) }
        guard armed.insert(.delayed).inserted || next < delayedDue else { return [] }
        delayedDue = next
        return [.arm(.delayed, after: max(0, next - now))]
    }

    private mutating func undo(_ source: BytePath, _ now: Int64) -> [Action] {
        guard !dirt.sources.contains(source) else { return [] }
        let (delay, isNews) = contests.undone(source, now: now)
        delayed[source] = now + delay
        return isNews ? [.warnOfContest(source)] : []
    }

    private mutating func armRetry() -> [Action] {
        guard retries.isEmpty else { return arm(.retry, after: retryDelay) }
        retryDelay = Self.firstRetry
        return disarm(.retry)
    }

    private mutating func armGuard() -> [Action] {
        if guarded.isEmpty { return disarm(.guardOver) }
        return armed.insert(.guardOver).inserted ? [.armGuard] : []
    }

    private mutating func armPoll() -> [Action] {
        polledDirectories.isEmpty ? disarm(.poll) : arm(.poll, after: pollDelay)
    }
}
