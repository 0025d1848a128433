// The barrier: answers that are true at the moment of asking.
// Knows: cookies, and which wave a waiter must see the end of. Does not know: who asks.

import BasicTypes
import BuildModel
import FileWatching
import LinuxSystem

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
        if !sawCookie() || forces { dirt.everything = true }
        if forces { forcesNext = true }
        takeWhatIsBeingWritten()
        dirt.sources.formUnion(links)
        dirt.appeared.formUnion(polled)
        waiting.append(BarrierWaiter(done))
        advance()
        releaseWaiters()
    }

    private func sawCookie() -> Bool {
        cookies += 1
        let name = "cookie-\(cookies)"
        guard (try? session.makeCookie(BytePath(name))) != nil else { return false }
        take(watcher.drain())
        return seenCookies.remove(Array(name.utf8)) != nil
    }

    /// Adds what a wave did to what all who wait for it, or came during it, are told.
    func note(_ report: WaveReport) {
        for waiter in riding + waiting {
            waiter.tally.changes += report.changes
            waiter.tally.removed += report.removed
        }
    }

    /// Lets go whoever has seen the end of the wave that began after their question, or for whom there was nothing to do.
    func releaseWaiters() {
        guard case .idle = phase else { return }
        var released = riding
        riding = []
        if dirt.isEmpty {
            released += waiting
            waiting = []
        }
        for waiter in released { waiter.done(waiter.tally) }
    }

    /// Those who wait, for another build to serve.
    package func takeWaiters() -> [(BarrierTally) -> Void] {
        let all = (riding + waiting).map(\.done)
        riding = []
        waiting = []
        return all
    }

    /// Failures that are not the code's.
    package var operational: [LocatedDiagnostic] { Array(reported) }

    package var activity: BuildActivity {
        let name =
            switch phase {
            case .idle: "idle"
            case .settling: "settling"
            case .building: "building"
            }
        return BuildActivity(
            phase: name, queue: dirt.everything ? session.moduleCount : dirt.count + beingWritten.count,
            directories: watcher.directoryCount, watches: watcher.watchCount, overflows: watcher.overflows,
            rescans: rescans, polled: polled.sorted(), pollReason: pollReason)
    }
}
