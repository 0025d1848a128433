// The vocabulary of the state machine: its phases, its timers, the events that it takes and the actions that it asks for.

import BasicTypes

extension WatchPlan {
    package enum Phase: Hashable, Sendable {
        case idle
        /// A burst of events began at this time; the plan waits for its end.
        case settling(since: Int64)
        /// A wave is about to begin: the event queue is read to its end first.
        case opening
        case building
        /// The watch has ended, or another session replaces this one. All events are ignored.
        case stopped
    }

    package enum Timer: Hashable, Sendable, CaseIterable {
        /// A burst of events has ended.
        case settle
        /// A source that was written or deleted a moment ago must be checked now.
        case delayed
        /// The second of a guarded artifact is over.
        case guardOver
        /// Retries paths that could not be read or written.
        case retry
        /// Scans directories that cannot be watched.
        case poll
    }

    /// Identifies a waiting request.
    package typealias WaiterID = Int

    package enum Event: Hashable, Sendable {
        case dirtied(source: BytePath)
        /// A source or its bytecode was deleted. It is checked after a delay, because the whole directory may be about
        /// to be deleted.
        case deleted(source: BytePath)
        /// Another program has changed or removed bytecode that was right. Sources whose bytecode is changed again and again
        /// are checked less and less often: the other program may be a daemon with other options, which does the same.
        case undone(source: BytePath)
        /// A process has opened the source for writing.
        case beingWritten(source: BytePath)
        case importable(BytePath)
        case artifact(ArtifactSighting)
        case directoryAppeared(BytePath)
        case directoryGone(BytePath)
        case everythingDirtied
        /// All hints of one read of the queue have been passed.
        case hintsEnded
        /// A request waits for a wave that begins after now. `alsoLook`: sources that may change without an event.
        case asked(WaiterID, isForced: Bool, sawAllEvents: Bool, alsoLook: Set<BytePath>)
        case fired(Timer)
        /// Guards were compared with the clock.
        case guardsJudged(over: Set<BytePath>, stillGuarded: Set<BytePath>)
        /// The directories to poll, after a scan.
        case polled(Set<BytePath>)
        /// The wave that was about to begin must wait: git is changing the tree.
        case postponed
        case waveEnded(WaveEnd)
        case stop
    }

    /// The results of a wave that the plan needs.
    package struct WaveEnd: Hashable, Sendable {
        /// Paths with an operational problem.
        package var failed: Set<BytePath> = []
        /// The paths to be retried that the wave has checked.
        package var retried: Set<BytePath> = []
        /// Sources with an artifact that is guarded against another save within the same second.
        package var guarded: Set<BytePath> = []
        /// An interpreter could not be run, so any source may still have to be compiled.
        package var lacksInterpreter = false

        package init(
            failed: Set<BytePath> = [], retried: Set<BytePath> = [], guarded: Set<BytePath> = [],
            lacksInterpreter: Bool = false
        ) {
            self.failed = failed
            self.retried = retried
            self.guarded = guarded
            self.lacksInterpreter = lacksInterpreter
        }
    }

    package enum Action: Hashable, Sendable {
        /// Read the event queue to its end, then call `takeRequest` and run a wave.
        case beginWave
        /// Fire the timer once after this many nanoseconds. Replaces an earlier request for the same timer.
        case arm(Timer, after: Int64)
        /// Fire `guardOver` when the current second of the realtime clock is over.
        case armGuard
        case disarm(Timer)
        case release([WaiterID])
        /// Compare artifacts with the published ones.
        case inspect([ArtifactSighting])
        case judgeGuards(Set<BytePath>)
        /// Find the sources in these directories that are not up to date.
        case findStale(Set<BytePath>)
        /// Check whether the root was deleted or replaced.
        case checkRoot
        /// Tell the user that another program keeps changing the bytecode of this source.
        case warnOfContest(BytePath)
    }
}
