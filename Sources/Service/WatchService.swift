// The life of a daemon: one for each root, from the lock to a clean end.
// Knows: signals, socket, reloads, beginning and end. Does not know: command lines, or how anything is shown.

import BuildModel
import ContinuousBuilds
import Documents
import ImportGraph
import LinuxSystem
import Waves

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
    case asked
    case idle
    case rootGone
    case failed(String)
}

/// Runs a continuous build, and answers for it, until a signal, a request or the end of its root.
package final class WatchService {
    private let loop: EventLoop
    private var configuration: SessionConfiguration
    /// Reads the configuration again, for a reload.
    private let reconfigure: () throws(SessionError) -> SessionConfiguration
    private let version: String
    /// Nanoseconds without a wave or a request after which the daemon leaves; `nil` to stay.
    private let idleTimeout: Int64?
    private let report: (WatchEvent) -> Void
    /// What is run after waves that leave everything compiled.
    private var command: ImpactCommand?
    /// What has changed since then.
    private var impact = Impact()
    private let notifier = Notifier()
    private var session: Session
    private var build: ContinuousBuild
    private var server: ControlServer?
    private var handler: ControlHandler?
    private var idleTimer: EventLoop.Source?
    private var watchdog: EventLoop.Source?
    private var lastActivity = Host.monotonic
    private var hasStopped = false
    private var isReady = false

    /// Opens everything; the lock on the database is what makes it the only one for its root.
    package init(
        _ configuration: SessionConfiguration, version: String, idleTimeout: Int64?, loop: EventLoop,
        reconfigure: @escaping () throws(SessionError) -> SessionConfiguration,
        report: @escaping (WatchEvent) -> Void
    ) throws(SessionError) {
        self.loop = loop
        self.configuration = configuration
        self.version = version
        self.reconfigure = reconfigure
        self.idleTimeout = idleTimeout
        self.report = report
        session = try Session(configuration, loop: loop)
        build = try Self.build(for: session)
    }

    private static func build(for session: Session) throws(SessionError) -> ContinuousBuild {
        do throws(SystemError) {
            return try ContinuousBuild(session: session)
        } catch {
            let remedy = error.isOutOfInstances ? "raise fs.inotify.max_user_instances (sysctl)" : "mend that"
            throw .root("cannot watch: \(error); \(remedy) and start again")
        }
    }

    /// Runs a command after each wave that leaves everything compiled.
    package func run(_ command: String, mode: ImpactCommand.Mode, sharesOutput: Bool) {
        self.command = ImpactCommand(
            command, mode: mode, root: configuration.rootPath, sharesOutput: sharesOutput, loop: loop
        ) { [weak self] in self?.report(.notice($0)) }
    }

    package func start(progress: @escaping (Int, Int) -> Void) {
        for number in [EventLoop.interrupt, EventLoop.terminate] {
            loop.onSignal(number) { [weak self] in self?.stop(.interrupted) }
        }
        loop.onSignal(EventLoop.hangUp) { [weak self] in self?.reload() }
        armWatchdog()
        do throws(SystemError) {
            let fallback = configuration.stateDirectory ?? configuration.rootPath.appending(".freshpyc")
            server = try ControlServer(
                loop: loop,
                places: SocketPlace.candidates(root: configuration.rootPath, fallback: fallback, isServer: true)
            ) { [weak self] request, connection in
                guard let self else { return }
                lastActivity = Host.monotonic
                handler?.handle(request, connection)
            }
        } catch {
            report(.notice("no control socket (\(error)): status, wait and stop will not find this daemon"))
        }
        begin(progress: progress, waiters: [])
        armIdleTimer()
    }

    /// Starts a session's build and what answers for it.
    private func begin(progress: @escaping (Int, Int) -> Void, waiters: [(BarrierTally) -> Void]) {
        for notice in session.notices { report(.notice(notice)) }
        build.onNotice = { [weak self] in self?.report(.notice($0)) }
        build.onWave = { [weak self] in self?.show($0) }
        build.onFindings = { [weak self] in self?.show($0) }
        build.onRootGone = { [weak self] in self?.stop(.rootGone) }
        build.mayBuild = { [weak self] in
            guard let self, session.hasChangedInterpreter else { return true }
            report(.notice("an interpreter has changed; everything is judged again"))
            loop.later { [weak self] in self?.reload() }
            return false
        }
        handler = ControlHandler(
            version: version, session: session, build: build,
            identity: (try? configuration.identity()) ?? "", socket: { [weak self] in self?.server?.path ?? .empty },
            stop: { [weak self] in self?.loop.later { self?.stop(.asked) } })
        build.start(progress: progress) { [weak self] first in
            guard let self, !hasStopped else { return }
            report(.ready(first, directories: build.directoryCount))
            isReady = true
            notifier.ready(statusLine)
            publish(first)
            if session.failureCount == 0 {
                command?.run(impact)
                impact = Impact()
            }
        }
        // Asked before the first wave began, and so true at its end.
        for waiter in waiters { build.barrier(waiter) }
    }

    private var statusLine: String {
        "\(session.moduleCount) modules, \(session.failureCount) failed, watching \(build.directoryCount) directories"
    }

    private func show(_ wave: WaveReport) {
        lastActivity = Host.monotonic
        report(.wave(wave))
        if let notice = session.storeNotice { report(.notice(notice)) }
        notifier.status(statusLine)
        publish(wave)
        tellCommand(wave)
    }

    /// Adds what a wave has changed to what the command is told, and runs it if nothing is broken.
    private func tellCommand(_ wave: WaveReport) {
        guard let command, wave.hasChanges else { return }
        let changed = wave.changes.filter { $0.result == .compiled || $0.result == .failed }.map(\.path) + wave.gone
        guard !changed.isEmpty else { return }
        let answer = session.affected(by: changed, kinds: Set(ImportKind.allCases), testsAlone: false)
        impact.changed.formUnion(changed)
        for source in answer.sources {
            impact.affected.insert(source.path)
            if TestNames.isTest(Array(source.path.bytes)) { impact.tests.insert(source.path) }
        }
        guard session.failureCount == 0 else { return command.hold() }
        command.run(impact)
        impact = Impact()
    }

    private func publish(_ wave: WaveReport) {
        server?.publish(
            JSONLine.encode(
                ControlEvent(
                    ReportDocument(
                        wave, verb: "watch", root: configuration.rootPath, interpreters: [], exitStatus: wave.exitStatus
                    ))))
    }

    /// Closes the session and opens another: interpreters are probed again, and everything is judged again. Whoever waits
    /// goes on waiting.
    private func reload() {
        guard !hasStopped, isReady else { return }
        notifier.reloading()
        let before = configuration
        do throws(SessionError) {
            configuration = try reconfigure()
        } catch {
            // A daemon that runs is worth more than one that a slip of the pen has stopped.
            report(.notice("\(error.message); the configuration stays as it was"))
        }
        let waiters = build.takeWaiters()
        build.stop()
        if let problem = session.close() { report(.notice(problem)) }
        session.releaseLock()
        do throws(SessionError) {
            try open(waiters: waiters)
        } catch {
            report(.notice("\(error.message); the configuration stays as it was"))
            configuration = before
            do throws(SessionError) {
                try open(waiters: waiters)
            } catch {
                stop(.failed(error.message))
            }
        }
    }

    /// Opens a session for the configuration, and begins with it.
    private func open(waiters: [(BarrierTally) -> Void]) throws(SessionError) {
        let opened = try Session(configuration, loop: loop)
        session = opened
        build = try Self.build(for: opened)
        begin(progress: { _, _ in }, waiters: waiters)
    }

    private func stop(_ ending: WatchEnding) {
        guard !hasStopped else { return }
        hasStopped = true
        notifier.stopping()
        command?.stop()
        build.stop()
        if let problem = session.close() { report(.notice(problem)) }
        session.releaseLock()
        // Last: whoever waits for the end of us waits for the socket to go.
        server?.stop()
        report(.stopped(ending))
    }

    // MARK: Timers

    private func armIdleTimer() {
        guard let idleTimeout else { return }
        let rest = idleTimeout - (Host.monotonic - lastActivity)
        guard rest > 0 else { return stop(.idle) }
        idleTimer = loop.after(rest) { [weak self] in self?.armIdleTimer() }
    }

    private func armWatchdog() {
        guard let interval = notifier.watchdogInterval else { return }
        watchdog = loop.after(interval) { [weak self] in
            guard let self, !hasStopped else { return }
            notifier.isAlive()
            armWatchdog()
        }
    }
}
