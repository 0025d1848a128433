// What a continuous build does next: a state machine without files, sessions or clocks. Events and the time go in,
// actions come out; `ContinuousBuild` carries them out and reports what came of them.

import BasicTypes

/// What hints have named and no wave has looked at.
package struct Dirt: Hashable, Sendable {
    package var sources: Set<BytePath> = []
    /// Directories that are there now and must be walked.
    package var appeared: Set<BytePath> = []
    /// Directories that are no longer there.
    package var gone: Set<BytePath> = []
    /// Files that are not sources and can be imported.
    package var importable: Set<BytePath> = []
    /// Events were lost, or rules changed: the whole tree must be walked.
    package var everything = false

    package init() {}

    package var count: Int { everything ? .max : sources.count + appeared.count + gone.count + importable.count }
    package var isEmpty: Bool { count == 0 }
}

/// What the next wave is to look at.
package struct WaveRequest: Hashable, Sendable {
    package var dirt: Dirt
    /// Recompile what is up to date as well.
    package var isForced: Bool
    /// Artifacts whose guard is over are sealed again.
    package var resealsGuarded: Bool
}

/// A file in the `__pycache__` of a directory, or that `__pycache__` itself where the name is empty.
package struct ArtifactSighting: Hashable, Sendable {
    package let directory: BytePath
    package let name: [UInt8]

    package init(directory: BytePath, name: [UInt8]) {
        self.directory = directory
        self.name = name
    }
}

package struct WatchPlan: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        case idle
        /// Waiting for a burst of events to end; it began at this time.
        case settling(since: Int64)
        /// A wave begins: the last events in the queue are read before it looks at anything.
        case opening
        case building
        /// Nothing more happens: the watch ends, or another session takes its place.
        case stopped
    }

    package enum Timer: Hashable, Sendable, CaseIterable {
        /// The end of a burst of events.
        case settle
        /// A source that was being written or deleted is looked at after all.
        case delayed
        /// The second of a guarded artifact is over.
        case guardOver
        /// What could not be read or written is tried again.
        case retry
        /// Directories that cannot be watched are walked.
        case poll
    }

    /// Identifies somebody who waits.
    package typealias WaiterID = Int

    package enum Event: Hashable, Sendable {
        case dirtied(source: BytePath)
        /// A source was deleted, or its bytecode was: looked at in a moment, when whoever deletes the directory around it
        /// is done.
        case deleted(source: BytePath)
        /// Somebody has the source open for writing.
        case beingWritten(source: BytePath)
        case importable(BytePath)
        case artifact(ArtifactSighting)
        case directoryAppeared(BytePath)
        case directoryGone(BytePath)
        case everythingDirtied
        /// The hints that were read together are all handed over.
        case hintsEnded
        /// Somebody waits for a wave that begins after now. `alsoLook` are sources without events of their own.
        case asked(WaiterID, isForced: Bool, sawAllEvents: Bool, alsoLook: Set<BytePath>)
        case fired(Timer)
        /// Guards were compared with the clock.
        case guardsJudged(over: Set<BytePath>, stillGuarded: Set<BytePath>)
        /// Directories that cannot be watched, after a walk.
        case polled(Set<BytePath>)
        case waveEnded(WaveEnd)
        case stop
    }

    /// What the plan must know of a wave that ended.
    package struct WaveEnd: Hashable, Sendable {
        /// Paths with a problem that is not the code's.
        package var failed: Set<BytePath> = []
        /// Of the paths that were to be tried again, those that the wave has looked at.
        package var retried: Set<BytePath> = []
        /// Sources with an artifact that is guarded against a save within the same second.
        package var guarded: Set<BytePath> = []

        package init(failed: Set<BytePath> = [], retried: Set<BytePath> = [], guarded: Set<BytePath> = []) {
            self.failed = failed
            self.retried = retried
            self.guarded = guarded
        }
    }

    package enum Action: Hashable, Sendable {
        /// Read the queue to its end, then take the request and run a wave.
        case beginWave
        /// Fire once after this many nanoseconds, in place of an earlier request for the same timer.
        case arm(Timer, after: Int64)
        /// Fire `guardOver` once the current second of the realtime clock is over.
        case armGuard
        case disarm(Timer)
        case release([WaiterID])
        /// Compare artifacts with what was published.
        case inspect([ArtifactSighting])
        case judgeGuards(Set<BytePath>)
        /// Look for sources that are not up to date, in these directories.
        case findStale(Set<BytePath>)
        /// See whether the root is still where it was.
        case checkRoot
    }

    /// A wave of so few begins at once.
    package static let smallWave = 4
    /// Nanoseconds without an event that end a burst, and how long a burst may hold up the wave.
    package static let quiet: Int64 = 15_000_000
    package static let longestBurst: Int64 = 400_000_000
    /// How long a file that is open for writing is waited for.
    package static let patience: Int64 = 200_000_000
    package static let firstRetry: Int64 = 1_000_000_000
    package static let lastRetry: Int64 = 60_000_000_000
    package static let firstPoll: Int64 = 1_000_000_000
    package static let lastPoll: Int64 = 10_000_000_000

    package private(set) var phase: Phase
    package private(set) var dirt = Dirt()
    /// Sources that are looked at later, and when.
    package private(set) var delayed: [BytePath: Int64] = [:]
    /// Who waits for the wave under way, and who for the next one.
    package private(set) var riding: [WaiterID] = []
    package private(set) var waiting: [WaiterID] = []
    package private(set) var polledDirectories: Set<BytePath> = []
    package private(set) var guarded: Set<BytePath> = []
    package private(set) var retries: Set<BytePath> = []
    private var sightings: [ArtifactSighting] = []
    private var isForced = false
    private var resealsGuarded = false
    private var armed: Set<Timer> = []
    private var retryDelay = Self.firstRetry
    private var pollDelay = Self.firstPoll

    /// - Parameter phase: `building` for a watch that begins with a wave over the whole tree.
    package init(phase: Phase = .building) {
        self.phase = phase
    }

    /// Takes one step.
    ///
    /// - Parameter now: nanoseconds of the monotonic clock.
    package mutating func handle(_ event: Event, now: Int64) -> [Action] {
        if phase == .stopped { return [] }
        switch event {
        case .dirtied(let source):
            delayed[source] = nil
            dirt.sources.insert(source)
            return []
        case .deleted(let source):
            if !dirt.sources.contains(source) { delayed[source] = now + Self.patience }
            return []
        case .beingWritten(let source):
            delayed[source] = now + Self.patience
            return []
        case .importable(let path):
            dirt.importable.insert(path)
            return []
        case .artifact(let sighting):
            // While a wave publishes, most of these are its own doing, which its records will show.
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
            // For somebody who waits, what is written so far counts.
            if !waiting.isEmpty { takeDelayed() }
            return armDelayed(now) + advance(now) + release()
        case .asked(let waiter, let isForced, let sawAllEvents, let alsoLook):
            if isForced { self.isForced = true }
            if isForced || !sawAllEvents { dirt.everything = true }
            takeDelayed()
            dirt.sources.formUnion(alsoLook)
            dirt.appeared.formUnion(polledDirectories)
            waiting.append(waiter)
            return tryAgain() + advance(now) + release()
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
        case .waveEnded(let end):
            return phase == .building ? endWave(end, now) : []
        case .stop:
            phase = .stopped
            defer { armed = [] }
            return Timer.allCases.filter { armed.contains($0) }.map { .disarm($0) }
        }
    }

    /// Hands over what the wave that begins is to look at. Whoever waits now is served by it.
    ///
    /// - Returns: the request, and the timers to be armed for what is left out of it.
    package mutating func takeRequest(now: Int64) -> (request: WaveRequest, actions: [Action]) {
        var actions: [Action] = []
        if waiting.isEmpty {
            // A file whose closing is to be expected is not compiled half written.
            dirt.sources.subtract(delayed.keys)
            actions = armDelayed(now)
        } else {
            takeDelayed()
        }
        let request = WaveRequest(dirt: dirt, isForced: isForced, resealsGuarded: resealsGuarded)
        dirt = Dirt()
        isForced = false
        resealsGuarded = false
        riding += waiting
        waiting = []
        phase = .building
        return (request, actions)
    }

    // MARK: Waves

    /// Begins a wave if there is something to look at and nothing to wait for.
    private mutating func advance(_ now: Int64) -> [Action] {
        guard !dirt.isEmpty else { return [] }
        switch phase {
        case .opening, .building, .stopped: return []
        case .idle:
            if dirt.count <= Self.smallWave || !waiting.isEmpty { return begin() }
            return settle(since: now, now)
        case .settling(let since):
            if !waiting.isEmpty { return begin() }
            // One more event: the quiet begins anew, up to a point.
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
        // Whoever asked during the wave asked for these too.
        if !waiting.isEmpty { takeDelayed() }
        retries = retries.subtracting(end.retried).union(end.failed)
        guarded.formUnion(end.guarded)
        var actions: [Action] = seen.isEmpty ? [] : [.inspect(seen)]
        actions += armDelayed(now) + armRetry() + armGuard() + armPoll()
        // Sightings are judged before anybody is told that all is well: `hintsEnded` follows them.
        if seen.isEmpty { actions += release() + advance(now) } else { actions += releaseRiding() }
        return actions
    }

    /// Lets go those who saw the end of the wave that began after they asked, or for whom there was nothing to do.
    private mutating func release() -> [Action] {
        guard phase == .idle else { return [] }
        var released = riding
        riding = []
        if dirt.isEmpty {
            released += waiting
            waiting = []
        }
        return released.isEmpty ? [] : [.release(released)]
    }

    private mutating func releaseRiding() -> [Action] {
        defer { riding = [] }
        return riding.isEmpty ? [] : [.release(riding)]
    }

    /// What is still being written is complete enough for somebody who waits.
    private mutating func takeDelayed() {
        dirt.sources.formUnion(delayed.keys)
        delayed = [:]
    }

    /// Looks again at what could not be read or written.
    private mutating func tryAgain() -> [Action] {
        guard !retries.isEmpty else { return [] }
        for path in retries {
            if path.hasSuffix(".py") { dirt.sources.insert(path) } else { dirt.appeared.insert(path) }
        }
        // An artifact that could not be written is named once for its directory; its neighbours failed too.
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
            return tryAgain() + advance(now)
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
        return arm(.delayed, after: next - now)
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
