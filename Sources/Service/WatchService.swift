// The daemon of a root, from taking the lock to a clean end: carries out the actions of `WatchLifecycle`.

import BasicTypes
import BuildModel
import ContinuousBuilds
import Documents
import ImportGraph
import LinuxSystem
import Waves

/// The events that a watch reports to its owner.
package enum WatchEvent {
    /// `standing`: all findings there are now.
    case ready(WaveReport, standing: [LocatedDiagnostic], directories: Int)
    case wave(WaveReport, standing: [LocatedDiagnostic])
    /// What happened to the command of `--exec`.
    case command(CommandEvent)
    /// What happened to the build of this bundle.
    case bundle(BytePath, CommandEvent)
    case notice(String)
    /// The last event.
    case stopped(WatchEnding)
}

/// Runs a continuous build and answers requests, until a signal, a request or the removal of the root.
package final class WatchService {
    private let loop: EventLoop
    private var configuration: SessionConfiguration
    /// The configuration before the current reload.
    private var previousConfiguration: SessionConfiguration
    /// What the configuration files said last, which is not what is used if no session could be opened with it.
    private var lastRead: SessionConfiguration
    /// Why the configuration files could not be read when they last changed; reported once.
    private var configurationProblem: String?
    /// Reads the configuration again, for a reload.
    private let reconfigure: () throws(SessionError) -> SessionConfiguration
    /// Nanoseconds without a wave or a request after which the daemon stops; `nil` for no limit.
    private let idleTimeout: Int64?
    private let report: (WatchEvent) -> Void
    private var progress: (Int, Int) -> Void = { _, _ in }
    private let notifier = Notifier()
    private let handler: ControlHandler
    private var server: ControlServer?
    private var lifecycle = WatchLifecycle()
    /// Events that have not been handled yet; the end of a wave comes with its report.
    private var events: [(event: WatchLifecycle.Event, wave: WaveReport?)] = []
    private var isHandling = false
    /// The current session; `nil` while it is being replaced, and at the end.
    private var run: WatchRun?
    /// The command of `--exec`.
    private var command: ImpactCommand?
    /// Bundles that are kept up to date.
    private var bundles: [ContinuousBundle] = []
    /// The changes since the command was last run.
    private var impact = Impact()
    /// The directory with the record of the socket.
    private var recordDirectory: Directory?
    private var retryTimer: EventLoop.Source?
    private static let retryDelay: Int64 = 1_000_000_000
    private var idleTimer: EventLoop.Source?
    private var watchdog: EventLoop.Source?
    private var lastActivity = Host.monotonic

    /// Opens the first session. Its lock on the database ensures that no other daemon uses the same database.
    package init(
        _ configuration: SessionConfiguration, version: String, idleTimeout: Int64?, loop: EventLoop,
        reconfigure: @escaping () throws(SessionError) -> SessionConfiguration,
        report: @escaping (WatchEvent) -> Void
    ) throws(SessionError) {
        self.loop = loop
        self.configuration = configuration
        previousConfiguration = configuration
        lastRead = configuration
        self.reconfigure = reconfigure
        self.idleTimeout = idleTimeout
        self.report = report
        handler = ControlHandler(version: version, root: configuration.rootPath)
        run = try WatchRun(configuration, loop: loop)
    }

    /// Sets the command to run after each wave if everything compiles.
    ///
    /// - Parameter environment: the environment of the command, from which the service manager's variables are removed.
    package func run(
        _ command: String, mode: ImpactCommand.Mode, onError: ImpactCommand.OnError, environment: [BytePath],
        sharesOutput: Bool
    ) {
        self.command = ImpactCommand(
            command, mode: mode, onError: onError, root: configuration.rootPath,
            environment: Notifier.withoutVariables(environment), sharesOutput: sharesOutput, loop: loop
        ) { [weak self] in self?.report(.command($0)) }
    }

    /// Builds a bundle again after each wave if everything compiles, and when its data have changed.
    ///
    /// - Parameters:
    ///   - outputs: the files that the builds of all bundles write, absolute.
    ///   - included: patterns of files outside packages that are in it.
    package func keepUpToDate(
        _ bundle: BytePath, outputs: [BytePath], included: [String], command: String, environment: [BytePath]
    ) {
        bundles.append(
            ContinuousBundle(
                command, outputs: outputs, included: included, root: configuration.rootPath,
                environment: Notifier.withoutVariables(environment), loop: loop
            ) { [weak self] in self?.report(.bundle(bundle, $0)) })
    }

    package func start(progress: @escaping (Int, Int) -> Void) {
        self.progress = progress
        for number in [EventLoop.interrupt, EventLoop.terminate] {
            loop.onSignal(number) { [weak self] in self?.handle(.endRequested(.interrupted)) }
        }
        loop.onSignal(EventLoop.hangUp) { [weak self] in self?.handle(.reloadRequested(.signal)) }
        armWatchdog()
        listen()
        handle(.opened)
        armIdleTimer()
    }

    private func listen() {
        // Later, so that a session is never closed from within one of its own calls.
        handler.onStop = { [weak self] in self?.loop.later { self?.handle(.endRequested(.asked)) } }
        do throws(SystemError) {
            let places = SocketPlace.toListen(
                root: configuration.rootPath, stateDirectory: configuration.stateDirectory)
            let server = try ControlServer(loop: loop, places: places) { [weak self] request, connection in
                guard let self else { return }
                lastActivity = Host.monotonic
                // The problem that prevented a session may have been fixed since the last try.
                if lifecycle.state == .reloading(.waiting), request.method != ControlMethod.stop.rawValue { retry() }
                handler.handle(request, connection)
            }
            self.server = server
            handler.socket = server.path
            recordDirectory = run?.session.databaseDirectory
            if let recordDirectory {
                SocketRecord(process: Host.processIdentifier, path: server.path)?.write(in: recordDirectory)
            }
        } catch {
            report(.notice("no control socket (\(error)): status, wait and stop will not find this daemon"))
        }
    }

    // MARK: Events and actions

    /// Handles an event after all earlier ones. An event that closes the session must come from the loop itself, not from
    /// within a call of that session.
    private func handle(_ event: WatchLifecycle.Event, wave: WaveReport? = nil) {
        events.append((event, wave))
        guard !isHandling else { return }
        isHandling = true
        while !events.isEmpty {
            let next = events.removeFirst()
            for action in lifecycle.handle(next.event) { perform(action, next.wave) }
        }
        isHandling = false
    }

    private func perform(_ action: WatchLifecycle.Action, _ wave: WaveReport?) {
        switch action {
        case .notice(let text): report(.notice(text))
        case .begin: begin()
        case .announceReady: if let wave { announceReady(wave) }
        case .runCommand:
            for bundle in bundles { bundle.build() }
            command?.run(impact)
            impact = Impact()
        case .reportWave: if let wave { show(wave) }
        case .tellCommand: if let wave { tellCommand(wave) }
        case .notifyReloading: notifier.reloading()
        case .retire: retire()
        case .readConfiguration: readConfiguration()
        case .restoreConfiguration: configuration = previousConfiguration
        case .open: open()
        case .retryLater:
            handler.refuseOpenQuestions()
            retryTimer = loop.after(Self.retryDelay) { [weak self] in self?.retry() }
        case .notifyStopping: notifier.stopping()
        case .endCommand:
            command?.stop()
            for bundle in bundles { bundle.stop() }
        case .forgetSocket: if let recordDirectory { SocketRecord.remove(in: recordDirectory) }
        case .closeSocket: server?.stop()
        case .reportEnd(let ending): report(.stopped(ending))
        }
    }

    /// Starts the current session's build. Callbacks of a session have no effect once it is no longer the current one.
    private func begin() {
        guard let run else { return }
        for notice in run.session.notices { report(.notice(notice)) }
        func ifCurrent<Value>(_ body: @escaping (WatchService, Value) -> Void) -> (Value) -> Void {
            { [weak self, weak run] value in
                guard let self, let run, self.run === run else { return }
                body(self, value)
            }
        }
        run.build.onNotice = ifCurrent { $0.report(.notice($1)) }
        run.build.onWave = ifCurrent { $0.handle(.waveEnded, wave: $1) }
        run.build.onData = ifCurrent { service, path in
            guard service.run?.session.failureCount == 0 else { return }
            for bundle in service.bundles { bundle.dataChanged(path) }
        }
        let touched: (()) -> Void = ifCurrent { service, _ in service.checkConfiguration(besides: service.configuration)
        }
        // Later, so that all events of one save are seen first, and no session is replaced within one of its calls.
        run.build.onConfigurationTouched = { [weak self] in self?.loop.later { touched(()) } }
        let rootGone: (()) -> Void = ifCurrent { service, _ in service.handle(.endRequested(.rootGone)) }
        run.build.onRootGone = { [weak self] in self?.loop.later { rootGone(()) } }
        let interpreterChanged: (()) -> Void = ifCurrent { service, _ in
            service.handle(.reloadRequested(.interpreterChanged))
        }
        run.build.mayBuild = { [weak self, weak run] in
            guard let self, let run, self.run === run else { return false }
            guard run.session.hasChangedInterpreter else { return true }
            loop.later { interpreterChanged(()) }
            return false
        }
        let isFirst = lifecycle.state == .starting
        let ended: (WaveReport) -> Void = ifCurrent { service, first in
            let compiles = service.run?.session.failureCount == 0
            service.handle(.firstWaveEnded(everythingCompiles: compiles), wave: first)
        }
        run.build.start(progress: isFirst ? progress : { _, _ in }, ready: ended)
        // Between reading the configuration and watching the tree, a change sends no event.
        let watched: (()) -> Void = ifCurrent { service, _ in
            service.checkConfiguration(besides: service.lastRead)
        }
        loop.later { watched(()) }
        handler.serve(run)
    }

    /// Reloads if the configuration files say something else than this. Most changes of pyproject.toml are about other
    /// programs.
    private func checkConfiguration(besides known: SessionConfiguration) {
        do throws(SessionError) {
            let current = try reconfigure()
            configurationProblem = nil
            if current != known { handle(.reloadRequested(.configurationChanged)) }
        } catch {
            if error.message != configurationProblem {
                report(.notice("\(error.message); the configuration stays as it was"))
            }
            configurationProblem = error.message
        }
    }

    private func readConfiguration() {
        previousConfiguration = configuration
        do throws(SessionError) {
            configuration = try reconfigure()
            lastRead = configuration
            configurationProblem = nil
        } catch {
            // A mistake in a configuration file must not stop a running daemon.
            configurationProblem = error.message
            report(.notice("\(error.message); the configuration stays as it was"))
        }
    }

    private func open() {
        do throws(SessionError) {
            run = try WatchRun(configuration, loop: loop)
            handle(.opened)
        } catch {
            handler.problem = error.message
            handle(.openFailed(error.message))
        }
    }

    private func retry() {
        retryTimer = nil
        // Without a session, nothing watches the root.
        let isRootThere = (try? Host.status(configuration.rootPath)) ?? nil != nil
        handle(isRootThere ? .retryDue : .endRequested(.rootGone))
    }

    /// Closes the current session. The waiting requests of clients stay with the handler.
    private func retire() {
        guard let run else { return }
        // Do this first, so that callbacks of the session have no effect while it is closed.
        self.run = nil
        handler.pause()
        if let problem = run.close() { report(.notice(problem)) }
    }

    // MARK: Waves

    private func announceReady(_ wave: WaveReport) {
        guard let run else { return }
        lastActivity = Host.monotonic
        report(.ready(wave, standing: run.standing.diagnostics, directories: run.build.directoryCount))
        notifier.ready(statusLine(run))
        publish(wave)
    }

    private func statusLine(_ run: WatchRun) -> String {
        "\(run.moduleCount) modules, \(run.failing.count) failed, "
            + "watching \(run.build.directoryCount) directories"
    }

    private func show(_ wave: WaveReport) {
        guard let run else { return }
        lastActivity = Host.monotonic
        report(.wave(wave, standing: run.standing.diagnostics))
        if let notice = run.session.storeNotice { report(.notice(notice)) }
        notifier.status(statusLine(run))
        publish(wave)
    }

    /// Adds the changes of a wave to those for the command, and runs it if everything compiles.
    private func tellCommand(_ wave: WaveReport) {
        guard let session = run?.session, wave.hasChanges else { return }
        if session.failureCount == 0 { for bundle in bundles { bundle.build() } }
        guard let command else { return }
        // Code from the store is a change like any other: an edit was undone, or another branch was checked out.
        let results: Set<ModuleResult> = [.compiled, .restored, .failed]
        let changed = wave.changes.filter { results.contains($0.result) }.map(\.path) + wave.gone
        guard !changed.isEmpty else { return }
        let answer = session.affected(by: changed, kinds: Set(ImportKind.allCases), testsAlone: false)
        impact.changed.formUnion(changed)
        for source in answer.sources {
            impact.affected.insert(source.path)
            if source.isTest { impact.tests.insert(source.path) }
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

    /// Ends the watch, as `freshpyc stop` does.
    package func end() { handle(.endRequested(.asked)) }

    // MARK: Timers

    private func armIdleTimer() {
        guard let idleTimeout else { return }
        // A daemon that is working is not idle, however long the work takes.
        if handler.isBusy || run?.build.isBusy == true { lastActivity = Host.monotonic }
        let rest = idleTimeout - (Host.monotonic - lastActivity)
        guard rest > 0 else { return handle(.endRequested(.idle)) }
        idleTimer = loop.after(rest) { [weak self] in self?.armIdleTimer() }
    }

    private func armWatchdog() {
        guard let interval = notifier.watchdogInterval else { return }
        watchdog = loop.after(interval) { [weak self] in
            guard let self, lifecycle.state != .stopping else { return }
            notifier.isAlive()
            armWatchdog()
        }
    }
}
