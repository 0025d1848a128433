// The progress of one source through a wave: a state machine without files, workers or clocks.

import BuildModel

/// The progress of one source through a wave. Each event returns the actions to carry out.
package struct ModuleProgress: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        /// Stamps or contents are being compared with the record.
        case judging
        /// This many artifacts are still being compiled.
        case compiling(pending: Int)
        /// The source was deleted, and this many artifacts are still being compiled.
        case leaving(pending: Int)
        /// Nothing more will happen in this wave.
        case finished
        /// The source no longer exists.
        case gone
    }

    /// What happened to the artifacts of the source. The greatest effect of any artifact is reported.
    package enum Effect: Int, Hashable, Sendable, Comparable, CaseIterable {
        case untouched, resealed, restored, compiled
        /// The compiler rejects the source.
        case refused
        /// The source could not be read, an artifact could not be written, or there was no compiler.
        case blocked

        package static func < (left: Effect, right: Effect) -> Bool { left.rawValue < right.rawValue }
    }

    /// How the record differs from the one in the database.
    package enum RecordChange: Int, Hashable, Sendable, Comparable, CaseIterable {
        case none
        /// The source or an artifact was compared again, and is as recorded.
        case observed
        /// Something was written, or the source changed.
        case changed

        package static func < (left: RecordChange, right: RecordChange) -> Bool { left.rawValue < right.rawValue }
    }

    package enum Event: Hashable, Sendable {
        /// Every artifact was judged; this many must be compiled.
        case judged(stale: Int)
        /// The source was deleted. While compiling, this stands for one of the pending artifacts.
        case vanished
        /// The source cannot be read. While compiling, this stands for one of the pending artifacts.
        case unreadable
        /// One artifact came back from the store or a compiler.
        case artifactDone(Effect)
        /// The wave was cancelled: pending artifacts will not come back.
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

    /// Notes an effect on an artifact without finishing it, such as a header that was rewritten while judging.
    package mutating func note(_ effect: Effect) { self.effect = max(self.effect, effect) }

    /// Notes that the record differs from the one in the database.
    package mutating func note(_ change: RecordChange) { recordChange = max(recordChange, change) }

    /// Handles one event. An event that cannot happen in the current phase changes nothing and returns no actions.
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

    /// The result that the report has for the source.
    ///
    /// - Parameter isFailing: whether the compiler rejects the source, now or according to the record.
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
