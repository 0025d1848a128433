// The barrier: answers that are true at the moment of asking.

import BasicTypes
import BuildModel
import FileWatching
import LinuxSystem
import Waves

/// What happened while somebody waited.
package struct BarrierTally {
    package fileprivate(set) var changes: [WaveReport.Change] = []
    package fileprivate(set) var removed = 0
}

/// Somebody who waits.
final class BarrierWaiter {
    fileprivate var tally = BarrierTally()
    fileprivate let done: (BarrierTally) -> Void

    fileprivate init(_ done: @escaping (BarrierTally) -> Void) {
        self.done = done
    }

    func release() { done(tally) }
}

/// What a continuous build is at.
package struct BuildActivity {
    package let phase: String
    package let queue: Int
    package let directories: Int
    package let watches: Int
    package let overflows: Int
    package let rescans: Int
    package let polled: [BytePath]
    package let pollReason: String?
}

extension ContinuousBuild {
    /// Calls back once every artifact reflects the tree as it is now, or later, or its error is on record.
    ///
    /// A file is made in the database's directory, which the same inotify instance watches: the queue is in order, so
    /// once its event was read, all that happened before was read too. Where it is not seen, events were lost, and
    /// everything is looked at.
    ///
    /// - Parameter forces: whether everything is recompiled.
    package func barrier(forces: Bool = false, _ done: @escaping (BarrierTally) -> Void) {
        let sawAllEvents = sawCookie()
        nextWaiter += 1
        waiters[nextWaiter] = BarrierWaiter(done)
        tell(
            .asked(
                nextWaiter, isForced: forces, sawAllEvents: sawAllEvents, alsoLook: links.union(hardLinked)))
    }

    private func sawCookie() -> Bool {
        cookies += 1
        let name = "cookie-\(cookies)"
        guard (try? session.makeCookie(BytePath(name))) != nil else { return false }
        receive(watcher.drain())
        return seenCookies.remove(Array(name.utf8)) != nil
    }

    /// Adds what a wave did to what all who wait for it, or came during it, are told.
    func note(_ report: WaveReport) {
        for waiter in waiters.values {
            waiter.tally.changes += report.changes
            waiter.tally.removed += report.removed
        }
    }

    /// Whether a wave is under way, or about to begin.
    package var isBusy: Bool {
        switch plan.phase {
        case .idle, .stopped: false
        case .settling, .opening, .building: true
        }
    }

    /// Failures that are not the code's.
    package var operational: [LocatedDiagnostic] { standing.all }

    package var activity: BuildActivity {
        let name =
            switch plan.phase {
            case .idle: "idle"
            case .settling: "settling"
            case .opening, .building, .stopped: "building"
            }
        return BuildActivity(
            phase: name, queue: plan.dirt.everything ? session.moduleCount : plan.dirt.count + plan.delayed.count,
            directories: watcher.directoryCount, watches: watcher.watchCount, overflows: watcher.overflows,
            rescans: rescans, polled: plan.polledDirectories.sorted(), pollReason: pollReason)
    }
}
