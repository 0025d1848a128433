// The life of a `watch`: one for each root, from the lock to a clean end.
// Knows: signals, beginning and end. Does not know: command lines, or how anything is shown.

import BuildEngine
import BuildModel
import LinuxSystem

/// What a watch tells whoever runs it.
package enum WatchEvent {
    case ready(WaveReport, directories: Int)
    case wave(WaveReport)
    case notice(String)
    /// The last one.
    case stopped(WatchEnding)
}

/// Why a watch ended.
package enum WatchEnding: Sendable {
    case interrupted
    case rootGone
    case failed(String)
}

/// Runs a continuous build until a signal or the end of its root.
package final class WatchService {
    private let loop: EventLoop
    private let session: Session
    private let build: ContinuousBuild
    private let report: (WatchEvent) -> Void
    private var signals: [EventLoop.Source] = []
    private var hasStopped = false

    /// Opens everything; the lock on the database is what makes it the only one for its root.
    package init(
        _ configuration: SessionConfiguration, loop: EventLoop, report: @escaping (WatchEvent) -> Void
    ) throws(SessionError) {
        self.loop = loop
        self.report = report
        session = try Session(configuration, loop: loop)
        do throws(SystemError) {
            build = try ContinuousBuild(session: session)
        } catch {
            let remedy = error.isOutOfInstances ? "raise fs.inotify.max_user_instances (sysctl)" : "mend that"
            throw .root("cannot watch: \(error); \(remedy) and start again")
        }
    }

    package func start(progress: @escaping (Int, Int) -> Void) {
        for number in [EventLoop.interrupt, EventLoop.terminate, EventLoop.hangUp] {
            signals.append(loop.onSignal(number) { [weak self] in self?.stop(.interrupted) })
        }
        for notice in session.notices { report(.notice(notice)) }
        build.onNotice = { [weak self] in self?.report(.notice($0)) }
        build.onWave = { [weak self] in self?.report(.wave($0)) }
        build.onRootGone = { [weak self] in self?.stop(.rootGone) }
        build.start(progress: progress) { [weak self] first in
            guard let self, !hasStopped else { return }
            report(.ready(first, directories: build.directoryCount))
        }
    }

    private func stop(_ ending: WatchEnding) {
        guard !hasStopped else { return }
        hasStopped = true
        build.stop()
        if let problem = session.close() { report(.notice(problem)) }
        report(.stopped(ending))
    }
}
