// The barrier: requests wait until all earlier changes of the tree are built.

import BasicTypes
import BuildModel
import FileWatching
import LinuxSystem
import Waves

/// What was built and removed while a request waited.
package struct BarrierTally {
    package fileprivate(set) var changes: [WaveReport.Change] = []
    package fileprivate(set) var removed = 0
}

/// A waiting request.
final class BarrierWaiter {
    fileprivate var tally = BarrierTally()
    fileprivate let done: (BarrierTally) -> Void

    fileprivate init(_ done: @escaping (BarrierTally) -> Void) {
        self.done = done
    }

    func release() { done(tally) }
}

/// The state of a continuous build, for status reports.
package struct BuildActivity {
    package let phase: String
    package let queue: Int
    package let directories: Int
    package let watches: Int
    package let overflows: Int
    package let rescans: Int
    package let polled: [BytePath]
    package let pollReason: String?
    /// When the last wave or barrier ended, on the monotonic clock.
    package let lastCheck: Int64?
}

extension ContinuousBuild {
    /// Calls back when every artifact reflects the tree as it is now or later, or its error is recorded.
    ///
    /// The barrier creates a cookie file in the directory of the database, which the same inotify instance watches. The
    /// queue is ordered, so once the cookie's event is read, all earlier events are too. If the cookie is not seen,
    /// events were lost, and the whole tree is scanned.
    ///
    /// - Parameter forces: whether to recompile everything.
    package func barrier(forces: Bool = false, _ done: @escaping (BarrierTally) -> Void) {
        // The interpreters have changed: a new session, which judges everything for the current ones, will answer.
        guard mayBuild() else { return tell(.stop) }
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

    /// Adds the changes of a wave to the tallies of all waiting requests, including those that arrived during the wave.
    func note(_ report: WaveReport) {
        for waiter in waiters.values {
            waiter.tally.changes += report.changes
            waiter.tally.removed += report.removed
        }
    }

    /// Whether a wave is running or about to begin.
    package var isBusy: Bool {
        switch plan.phase {
        case .idle, .stopped: false
        case .settling, .opening, .building: true
        }
    }

    /// Operational problems: failures that are not in the user's code.
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
            rescans: rescans, polled: plan.polledDirectories.sorted(), pollReason: pollReason, lastCheck: lastCheck)
    }
}
