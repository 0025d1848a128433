// Keeps a tree up to date from file system events: carries out the actions of `WatchPlan`, and reports the results to
// it.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import LinuxSystem
import Waves

/// A build that never ends: the engine of `freshpyc watch`.
package final class ContinuousBuild {
    let session: Session
    let watcher: TreeWatcher
    let scanner: TreeScanner
    let loop: EventLoop
    var plan = WatchPlan()
    var waiters: [WatchPlan.WaiterID: BarrierWaiter] = [:]
    var nextWaiter = 0
    var cookies = 0
    var seenCookies: Set<[UInt8]> = []
    var pollReason: String?
    private var workTreeLock: WorkTreeLock
    private(set) var rescans = 0
    /// When the last wave or barrier ended, on the monotonic clock.
    var lastCheck: Int64?
    /// Sources that are symbolic links, and sources with several hard links. A change under another name of the file
    /// sends no event, so each barrier checks them. A hard link that is later created outside the tree sends no event
    /// either; it is noticed when its source is next checked.
    private(set) var links: Set<BytePath> = []
    private(set) var hardLinked: Set<BytePath> = []
    /// Operational problems that still exist.
    private(set) var standing = StandingProblems()
    private var timers: [WatchPlan.Timer: EventLoop.Source] = [:]
    /// When to check the root after a deletion: the delay before each check in nanoseconds.
    private static let rootChecks: ArraySlice<Int64> = [100_000_000, 1_000_000_000]
    private var rootTimer: EventLoop.Source?

    /// Called after each wave that did something.
    package var onWave: (WaveReport) -> Void = { _ in }
    /// Called once, if the root was deleted or replaced.
    package var onRootGone: () -> Void = {}
    /// Called before each wave. Returns `false` if the interpreters have changed, and the wave must not start.
    package var mayBuild: () -> Bool = { true }
    /// Called with messages for the user.
    package var onNotice: (String) -> Void = { _ in }
    /// Called when a file that is neither a source nor importable may have changed, if the session watches these.
    package var onData: (BytePath) -> Void = { _ in }
    /// Called when a configuration file may have changed.
    package var onConfigurationTouched: () -> Void = {}

    package init(session: Session) throws(SystemError) {
        self.session = session
        loop = session.loop
        watcher = try TreeWatcher(
            configurationFiles: session.configuration.configurationFiles,
            reportsData: session.configuration.watchesData)
        workTreeLock = WorkTreeLock(root: session.configuration.rootPath)
        scanner = session.scanner(watcher.inotify)
    }

    package var directoryCount: Int { watcher.directoryCount }

    /// Brings the tree up to date, and then keeps it up to date.
    package func start(progress: @escaping (Int, Int) -> Void, ready: @escaping (WaveReport) -> Void) {
        let begun = Host.monotonic
        let result = scan(session.configuration.starts, obeysRules: false)
        session.sweepIfNeeded(result)
        if let directory = session.databaseDirectory { try? watcher.watchCookies(in: directory) }
        watcher.onHints = { [weak self] in self?.receive($0) }
        watcher.start(on: loop)
        var input = WaveInput(
            sources: result.sources,
            missing: session.recordsMissing(from: result, within: session.configuration.starts),
            problems: result.problems, begun: begun, resealsGuarded: true)
        input.forgetsOutOfScope = true
        session.run(input, progress: progress) { [self] report in
            guard plan.phase != .stopped else { return }
            standing.update(with: report) { _ in true }
            note(report)
            var first = report
            first.diagnostics += session.startAnalysis(result.sources)
            first.duration = Host.monotonic - begun
            ready(first)
            endWave(report, guarded: session.allGuarded) { _ in true }
            Host.trimMemory()
        }
    }

    /// Stops watching. A running wave is cancelled without a report.
    package func stop() {
        perform(plan.handle(.stop, now: Host.monotonic))
        timers = [:]
        rootTimer = nil
        watcher.stop()
        session.cancel()
    }

    private func scan(_ starts: [BytePath], obeysRules: Bool) -> ScanResult {
        let result = scanner.scan(starts, obeysRules: obeysRules)
        watcher.adopt(result)
        // A named place may be replaced by another of its name, which sends an event to the directories above it only.
        if !obeysRules { watcher.adopt(scanner.watchAbove(starts)) }
        if let polled = polledDirectories(result, starts) {
            perform(plan.handle(.polled(polled), now: Host.monotonic))
        }
        session.sweepOrphans(result)
        links.formUnion(result.links)
        hardLinked.formUnion(result.sources.lazy.filter(\.isHardLinked).map(\.path))
        return result
    }

    // MARK: Events and actions

    /// Passes hints to the plan.
    func receive(_ hints: [TreeHint]) {
        for hint in hints { receive(hint) }
        tell(.hintsEnded)
    }

    private func receive(_ hint: TreeHint) {
        switch hint {
        case .source(let path): tell(.dirtied(source: path))
        case .sourceDeleted(let path): tell(.deleted(source: path))
        case .sourceBeingWritten(let path): tell(.beingWritten(source: path))
        case .importable(let path): if session.analysis != nil { tell(.importable(path)) }
        case .artifact(let directory, let name): tell(.artifact(ArtifactSighting(directory: directory, name: name)))
        case .directoryAppeared(let path): tell(.directoryAppeared(path))
        case .directoryGone(let path): tell(.directoryGone(path))
        case .cookie(let name): seenCookies.insert(name)
        case .data(let path): onData(path)
        case .rulesChanged, .eventsLost: tell(.everythingDirtied)
        case .configurationTouched: onConfigurationTouched()
        case .rootGone: onRootGone()
        }
    }

    func tell(_ event: WatchPlan.Event) { perform(plan.handle(event, now: Host.monotonic)) }

    private func perform(_ actions: [WatchPlan.Action]) {
        for action in actions {
            switch action {
            case .beginWave: beginWave()
            case .arm(let timer, let delay): arm(timer, after: delay)
            case .armGuard:
                arm(.guardOver, after: 1_000_000_000 - Host.realtime % 1_000_000_000 + 2 * SourceState.racyWindow)
            case .disarm(let timer): timers[timer] = nil
            case .release(let released):
                lastCheck = Host.monotonic
                for waiter in released { waiters.removeValue(forKey: waiter)?.release() }
            case .inspect(let sightings):
                for sighting in sightings { inspect(sighting) }
                tell(.hintsEnded)
            case .judgeGuards(let guarded):
                let over = guarded.filter { session.isGuardOver($0) }
                // A source with a time in the future keeps its guard, but no timer waits for it.
                let still = guarded.filter { !over.contains($0) && session.isGuardedForSeconds($0) }
                tell(.guardsJudged(over: over, stillGuarded: still))
            case .findStale(let directories):
                // Between waves, a temporary file of this process is one that could not be removed.
                if plan.phase == .idle {
                    for directory in directories { session.sweepTemporaries(in: directory) }
                }
                for path in directories.flatMap({ session.staleSources(in: $0) }) { tell(.dirtied(source: path)) }
            case .checkRoot: scheduleRootChecks(after: Self.rootChecks)
            case .warnOfContest(let path):
                onNotice(
                    "another program keeps changing the bytecode of \(path), perhaps another freshpyc with other options; it is restored less often now"
                )
            }
        }
    }

    private func arm(_ timer: WatchPlan.Timer, after delay: Int64) {
        timers[timer] = loop.after(delay) { [weak self] in
            guard let self else { return }
            timers[timer] = nil
            tell(.fired(timer))
        }
    }

    /// Handles a change of bytecode. If an artifact is not the one that we published, its source is judged again.
    private func inspect(_ sighting: ArtifactSighting) {
        let (directory, name) = (sighting.directory, sighting.name)
        if name.isEmpty {
            watcher.watchArtifacts(in: directory, root: session.root)
            // Files that were created before the watch began sent no event.
            session.sweepOrphans(in: [directory])
            for path in session.recordedPaths(in: directory) where !session.hasIntactArtifacts(path) {
                tell(.deleted(source: path))
            }
            return
        }
        guard !name.starts(with: ArtifactPublisher.temporaryPrefix.utf8) else {
            session.removeStray(BytePath.empty.appending(name), in: directory)
            return
        }
        for target in session.targets where name.count > target.place.suffix.utf8.count {
            let suffix = target.place.suffix.utf8
            guard name.suffix(suffix.count).elementsEqual(suffix) else { continue }
            let source = directory.appending(name.dropLast(suffix.count) + Array(".py".utf8))
            if let record = session.record(source) {
                if !session.isIntact(record, target) { tell(.undone(source: source)) }
            } else {
                // The bytecode was copied or moved here without its source.
                session.removeOrphan(BytePath.empty.appending(name), of: source)
            }
        }
    }

    /// Checks a few times whether the root was deleted. A directory that is held open, as we hold the root, sends no
    /// event when it is deleted; but its entries are deleted first, and `.freshpyc` is one of them.
    private func scheduleRootChecks(after delays: ArraySlice<Int64>) {
        guard let delay = delays.first else { return }
        rootTimer = loop.after(delay) { [weak self] in
            guard let self else { return }
            rootTimer = nil
            session.isRootReplaced ? onRootGone() : scheduleRootChecks(after: delays.dropFirst())
        }
    }

    // MARK: Waves

    private func beginWave() {
        guard mayBuild() else { return tell(.stop) }
        // Whoever waits for an answer gets one about the tree as it is.
        if plan.waiting.isEmpty, workTreeLock.isBusy() { return tell(.postponed) }
        // Read the queue first. If a file is being written, its open event is in the queue by now, and the file is
        // compiled after it is closed instead of half written. A barrier does not wait for that.
        for hint in watcher.drain() { receive(hint) }
        let (request, actions) = plan.takeRequest(now: Host.monotonic)
        perform(actions)
        let dirt = request.dirt
        var input = WaveInput(
            sources: [], missing: [], problems: [], begun: Host.monotonic, resealsGuarded: request.resealsGuarded,
            reportsAll: false)
        input.isForced = request.isForced
        input.forgetsOutOfScope = true
        if dirt.everything {
            rescans += 1
            let result = scan(session.configuration.starts, obeysRules: false)
            input.sources = result.sources
            input.problems = result.problems
            input.missing = session.recordsMissing(from: result, within: session.configuration.starts)
            // A source that came and went since the last wave has no record, but may have bytecode.
            let seen = Set(result.sources.map(\.path) + input.missing)
            input.missing += dirt.sources.filter { !seen.contains($0) && session.isInScope($0, of: scanner) }
        } else {
            collect(dirt, into: &input)
        }
        // Directories are importable too: a directory without `__init__.py` is a namespace package.
        input.others = (Array(dirt.importable) + dirt.appeared + dirt.gone).map {
            ImportableName.stem($0.lastComponent)
        }
        let observed = Set(input.sources.map(\.path) + input.missing)
        let directories = PathSet(dirt.appeared.union(dirt.gone))
        session.run(input, progress: { _, _ in }) { [self] report in
            guard plan.phase != .stopped else { return }
            note(report)
            let isNews = report.hasNews(since: standing)
            let shown = report.leavingOut(standing)
            let wasChecked: (BytePath) -> Bool = { path in
                dirt.everything || observed.contains(path) || dirt.sources.contains(path)
                    || directories.covers(path)
            }
            standing.update(with: report, wasChecked: wasChecked)
            if isNews { onWave(shown) }
            if report.removed > 0 { scheduleRootChecks(after: Self.rootChecks) }
            endWave(report, guarded: session.guarded, wasChecked: wasChecked)
            // Nothing of this size happens again soon: give the memory back.
            if report.compiled + report.restored >= Self.largeWave { Host.trimMemory() }
        }
    }

    private func endWave(_ report: WaveReport, guarded: [BytePath], wasChecked: (BytePath) -> Bool) {
        lastCheck = Host.monotonic
        let failed = report.diagnostics.filter(\.diagnostic.rule.isOperational).map(\.path)
        tell(
            .waveEnded(
                WatchPlan.WaveEnd(
                    failed: Set(failed), retried: plan.retries.filter(wasChecked), guarded: Set(guarded),
                    lacksInterpreter: report.lacksInterpreter)))
    }

    private static let largeWave = 256

    private func collect(_ dirt: Dirt, into input: inout WaveInput) {
        var paths = dirt.sources
        if !dirt.gone.isEmpty { paths.formUnion(session.knownPaths(within: PathSet(dirt.gone))) }
        if !dirt.appeared.isEmpty {
            let appeared = PathSet(dirt.appeared)
            let starts = session.configuration.starts
            // Directories above a named place are watched too, but only what was named is built.
            let below = appeared.topmost.filter { directory in starts.contains { directory.isWithin($0) } }
            let named = starts.filter { appeared.covers($0) && !below.contains($0) }
            for (places, obeysRules) in [(below, true), (named, false)] where !places.isEmpty {
                let result = scan(places, obeysRules: obeysRules)
                input.sources += result.sources
                input.problems += result.problems
            }
            paths.formUnion(session.knownPaths(within: appeared))
            paths.subtract(input.sources.map(\.path))
        }
        // A change sends an event for one name of the file only. Add the other names: those of the recorded file, and
        // those of the file that is there now.
        for path in paths { paths.formUnion(session.aliases(of: path)) }
        var appearsOrDisappears = false
        for path in paths {
            if session.record(path) == nil { appearsOrDisappears = true }
            switch scanner.observe(path) {
            case .present(let source): paths.formUnion(session.paths(inode: source.stamp.inode))
            case .gone, .notASource: appearsOrDisappears = true
            case .unreadable: break
            }
        }
        for source in input.sources { paths.formUnion(session.paths(inode: source.stamp.inode)) }
        if !dirt.appeared.isEmpty || !dirt.gone.isEmpty || appearsOrDisappears { paths.formUnion(links) }
        let observed = Set(input.sources.map(\.path))
        paths.subtract(observed)
        for path in paths {
            switch scanner.isLink(path) {
            case true: links.insert(path)
            case false: links.remove(path)
            case nil: break
            }
            guard session.isInScope(path, of: scanner) else {
                if session.record(path) != nil { input.missing.append(path) }
                continue
            }
            switch scanner.observe(path) {
            case .present(let source):
                input.sources.append(source)
                if source.isHardLinked { hardLinked.insert(path) } else { hardLinked.remove(path) }
            case .unreadable(let error):
                input.problems.append(UnreadablePlace(path: path, error: error, isDirectory: false).diagnostic)
            case .gone, .notASource:
                hardLinked.remove(path)
                // A source that came with a directory and was deleted before a wave has no record, but may have
                // bytecode.
                input.missing.append(path)
            }
        }
    }
}

extension WaveReport {
    /// Whether anything was done, or there is a new failure.
    fileprivate func hasNews(since known: StandingProblems) -> Bool {
        removed > 0
            || changes.contains { change in
                switch change.result {
                case .compiled, .restored: true
                case .restamped: change.reason != .guardOver
                case .failed, .upToDate: false
                }
            }
            || changes.contains { $0.result == .failed && $0.reason != nil }
            || diagnostics.contains { !known.contains($0) }
    }

    /// The report without the operational problems that were reported before.
    fileprivate func leavingOut(_ known: StandingProblems) -> WaveReport {
        var report = self
        report.diagnostics.removeAll { known.contains($0) }
        return report
    }
}
