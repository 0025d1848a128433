// How far one source has come in a wave: a state machine without files, workers or clocks.

import BuildModel

/// One source on its way through a wave. Events go in; what must be done comes out.
package struct ModuleProgress: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        /// Stamps or contents are being compared with what is on record.
        case judging
        /// This many artifacts are still being compiled.
        case compiling(pending: Int)
        /// The source went away while this many artifacts were still being compiled.
        case leaving(pending: Int)
        /// Nothing more will happen in this wave.
        case finished
        /// There is no such source any more.
        case gone
    }

    /// What happened to the artifacts of the source. The greatest effect of all its artifacts decides what is reported.
    package enum Effect: Int, Hashable, Sendable, Comparable, CaseIterable {
        case untouched, resealed, restored, compiled
        /// The compiler refuses the source.
        case refused
        /// The source could not be read, an artifact could not be written, or there was no compiler.
        case blocked

        package static func < (left: Effect, right: Effect) -> Bool { left.rawValue < right.rawValue }
    }

    /// What the wave knows of the source that the database does not.
    package enum RecordChange: Int, Hashable, Sendable, Comparable, CaseIterable {
        case none
        /// The source or an artifact was looked at again and found to be as recorded.
        case observed
        /// Something was written, or the source changed.
        case changed

        package static func < (left: RecordChange, right: RecordChange) -> Bool { left.rawValue < right.rawValue }
    }

    package enum Event: Hashable, Sendable {
        /// Every artifact was judged; this many must be compiled.
        case judged(stale: Int)
        /// The source went away: while it was judged, or instead of one of the artifacts that are pending.
        case vanished
        /// The source cannot be read, while it was judged or for one of the artifacts that are pending.
        case unreadable
        /// One artifact came back from the store or a compiler.
        case artifactDone(Effect)
        /// The wave was cancelled: what is pending will not come back.
        case cancelled
    }

    package enum Action: Hashable, Sendable {
        /// Hand this many compilations to the store and the workers.
        case compile(Int)
        /// Remove the record and the bytecode of the source.
        case remove
        /// Count the source as finished.
        case countFinished
    }

    package private(set) var phase = Phase.judging
    package private(set) var effect = Effect.untouched
    package private(set) var recordChange = RecordChange.none

    package init() {}

    /// Notes what happened to an artifact without finishing anything: a header that was written while judging.
    package mutating func note(_ effect: Effect) { self.effect = max(self.effect, effect) }

    /// Notes that the record differs from the one in the database.
    package mutating func note(_ change: RecordChange) { recordChange = max(recordChange, change) }

    /// Takes one step. An event that cannot happen in a phase changes nothing and asks for nothing.
    package mutating func handle(_ event: Event) -> [Action] {
        switch (phase, event) {
        case (.judging, .judged(stale: 0)):
            phase = .finished
            return [.countFinished]
        case (.judging, .judged(let stale)):
            phase = .compiling(pending: stale)
            return [.compile(stale)]
        case (.judging, .vanished):
            phase = .gone
            return [.remove, .countFinished]
        case (.judging, .unreadable):
            effect = .blocked
            phase = .finished
            return [.countFinished]
        case (.judging, .cancelled):
            phase = .finished
            return [.countFinished]
        case (.compiling(let pending), .artifactDone(let new)):
            note(new)
            return finishOne(of: pending)
        case (.compiling(let pending), .unreadable):
            effect = .blocked
            return finishOne(of: pending)
        case (.compiling(let pending), .vanished):
            return leave(pending - 1)
        case (.leaving(let pending), .artifactDone), (.leaving(let pending), .vanished),
            (.leaving(let pending), .unreadable):
            return leave(pending - 1)
        case (.leaving, .cancelled):
            return leave(0)
        case (.compiling, .cancelled):
            phase = .finished
            return [.countFinished]
        case (.judging, .artifactDone), (.compiling, .judged), (.leaving, .judged), (.finished, _), (.gone, _):
            return []
        }
    }

    private mutating func finishOne(of pending: Int) -> [Action] {
        phase = pending > 1 ? .compiling(pending: pending - 1) : .finished
        return pending > 1 ? [] : [.countFinished]
    }

    private mutating func leave(_ pending: Int) -> [Action] {
        phase = pending > 0 ? .leaving(pending: pending) : .gone
        return pending > 0 ? [] : [.remove, .countFinished]
    }

    /// What the report says of the source.
    ///
    /// - Parameter isFailing: the compiler refused the source, now or as recorded.
    package func result(isFailing: Bool) -> ModuleResult {
        switch effect {
        case .refused, .blocked: .failed
        case _ where isFailing: .failed
        case .compiled: .compiled
        case .restored: .restored
        case .resealed: .restamped
        case .untouched: .upToDate
        }
    }
}
