// Keeps a session's tree fresh from the events of its directories: carries out what `WatchPlan` decides, and tells it what
// came of that.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import LinuxSystem
import Waves

/// Waves without end: what `watch` keeps going.
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
    private(set) var rescans = 0
    /// Sources that are symbolic links, wherever these lead, and sources with several hard links: what happens to the
    /// file by another name sends no event, so they are looked at for everybody who waits. A hard link that is made
    /// outside the tree later sends no event either; it is noticed when its source is next looked at.
    private(set) var links: Set<BytePath> = []
    private(set) var hardLinked: Set<BytePath> = []
    /// Problems that are not the code's and still stand.
    private(set) var standing = StandingProblems()
    private var timers: [WatchPlan.Timer: EventLoop.Source] = [:]
    private static let rootChecks: ArraySlice<Int64> = [100_000_000, 1_000_000_000]
    private var rootTimer: EventLoop.Source?

    /// Called after each wave that did something.
    package var onWave: (WaveReport) -> Void = { _ in }
    /// Called once, with what is wrong with imports from the start.
    package var onFindings: (WaveReport) -> Void = { _ in }
    /// Called once, if the root goes away.
    package var onRootGone: () -> Void = {}
    /// Called before each wave; `false` where the interpreters changed, and there is to be no wave.
    package var mayBuild: () -> Bool = { true }
    /// Called with sentences for the user.
    package var onNotice: (String) -> Void = { _ in }

    package init(session: Session) throws(SystemError) {
        self.session = session
        loop = session.loop
        watcher = try TreeWatcher()
        scanner = session.scanner(watcher.inotify)
    }

    package var directoryCount: Int { watcher.directoryCount }

    /// Brings everything up to date, and then keeps it so.
    package func start(progress: @escaping (Int, Int) -> Void, ready: @escaping (WaveReport) -> Void) {
        let begun = Host.monotonic
        let result = scan(session.configuration.starts, obeysRules: false)
        session.sweepIfNeeded(result)
        if let directory = session.databaseDirectory { try? watcher.watchCookies(in: directory) }
        watcher.onHints = { [weak self] in self?.receive($0) }
        watcher.start(on: loop)
        var input = WaveInput(
            sources: result.sources,
            missing: session.recordsMissing(from: result.sources, within: session.configuration.starts),
            problems: result.problems, begun: begun, resealsGuarded: true)
        input.forgetsOutOfScope = true
        session.run(input, progress: progress) { [self] report in
            guard plan.phase != .stopped else { return }
            standing.update(with: report) { _ in true }
            note(report)
            ready(report)
            // Not before: who waits for bytecode does not wait for this.
            loop.later { [weak self] in self?.analyze(result.sources) }
            endWave(report, guarded: session.allGuarded) { _ in true }
            Host.trimMemory()
        }
    }

    /// Looks at imports for the first time, and tells what is wrong with them.
    private func analyze(_ sources: [ScannedSource]) {
        guard plan.phase != .stopped else { return }
        let begun = Host.monotonic
        guard let findings = session.startAnalysis(sources), !findings.isEmpty else { return }
        var report = WaveReport(clock: session.clock)
        report.diagnostics = findings
        report.duration = Host.monotonic - begun
        onFindings(report)
        Host.trimMemory()
    }

    /// Watches no more. A wave under way ends where it is, and nobody is told of it.
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
        if let polled = polledDirectories(result, starts) {
            perform(plan.handle(.polled(polled), now: Host.monotonic))
        }
        session.sweepOrphans(result)
        links.formUnion(result.links)
        hardLinked.formUnion(result.sources.lazy.filter(\.isHardLinked).map(\.path))
        return result
    }

    // MARK: Events and actions

    /// Hands hints to the plan.
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
        case .rulesChanged, .eventsLost: tell(.everythingDirtied)
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
                for waiter in released { waiters.removeValue(forKey: waiter)?.release() }
            case .inspect(let sightings):
                for sighting in sightings { inspect(sighting) }
                tell(.hintsEnded)
            case .judgeGuards(let guarded):
                let over = guarded.filter { session.isGuardOver($0) }
                // A file whose time lies in the future keeps its guard; it is not waited for.
                let still = guarded.filter { !over.contains($0) && session.isGuardedForSeconds($0) }
                tell(.guardsJudged(over: over, stillGuarded: still))
            case .findStale(let directories):
                for path in directories.flatMap({ session.staleSources(in: $0) }) { tell(.dirtied(source: path)) }
            case .checkRoot: expectRoot(after: Self.rootChecks)
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

    /// Bytecode changed, by us or by others: where it is not what we put there, its source is judged again.
    private func inspect(_ sighting: ArtifactSighting) {
        let (directory, name) = (sighting.directory, sighting.name)
        if name.isEmpty {
            watcher.watchArtifacts(in: directory, root: session.root)
            // What was put there before it was watched had no event.
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
                if !session.isIntact(record, target) { tell(.deleted(source: source)) }
            } else {
                // Copied here, or moved, after its source had gone.
                session.removeOrphan(BytePath.empty.appending(name), of: source)
            }
        }
    }

    /// A directory that somebody holds open, as we hold the root, is deleted without an event of its own; but its
    /// entries go first, and `.freshpyc` is one of them.
    private func expectRoot(after delays: ArraySlice<Int64>) {
        guard let delay = delays.first else { return }
        rootTimer = loop.after(delay) { [weak self] in
            guard let self else { return }
            rootTimer = nil
            session.isRootReplaced ? onRootGone() : expectRoot(after: delays.dropFirst())
        }
    }

    // MARK: Waves

    private func beginWave() {
        guard mayBuild() else { return tell(.stop) }
        // A file that is there is either whole, or the event of its being opened is in the queue by now: then its closing
        // is waited for, and half of it is not compiled. Unless somebody asks for what there is.
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
            input.missing = session.recordsMissing(from: result.sources, within: session.configuration.starts)
        } else {
            collect(dirt, into: &input)
        }
        // Folders count too: one without sources is a namespace.
        input.others = (Array(dirt.importable) + dirt.appeared + dirt.gone).map {
            ImportableName.stem($0.lastComponent)
        }
        let observed = Set(input.sources.map(\.path) + input.missing)
        session.run(input, progress: { _, _ in }) { [self] report in
            guard plan.phase != .stopped else { return }
            note(report)
            let isNews = report.hasNews(since: standing)
            let shown = report.leavingOut(standing)
            let looked: (BytePath) -> Bool = { path in
                dirt.everything || observed.contains(path) || dirt.sources.contains(path)
                    || dirt.appeared.contains { path.isWithin($0) } || dirt.gone.contains { path.isWithin($0) }
            }
            standing.update(with: report, looked: looked)
            if isNews { onWave(shown) }
            if report.removed > 0 { expectRoot(after: Self.rootChecks) }
            endWave(report, guarded: session.guarded, looked: looked)
        }
    }

    private func endWave(_ report: WaveReport, guarded: [BytePath], looked: (BytePath) -> Bool) {
        let failed = report.diagnostics.filter(\.diagnostic.rule.isOperational).map(\.path)
        tell(
            .waveEnded(
                WatchPlan.WaveEnd(
                    failed: Set(failed), retried: plan.retries.filter(looked), guarded: Set(guarded))))
    }

    private func collect(_ dirt: Dirt, into input: inout WaveInput) {
        var paths = dirt.sources
        for directory in dirt.gone { paths.formUnion(session.recordedPaths(within: directory)) }
        if !dirt.appeared.isEmpty {
            let result = scan(topmost(dirt.appeared), obeysRules: true)
            input.sources = result.sources
            input.problems = result.problems
            for directory in dirt.appeared { paths.formUnion(session.recordedPaths(within: directory)) }
            paths.subtract(result.sources.map(\.path))
        }
        // A file has an event for the name by which it was changed, and not for its others: those that it had, and those
        // that a name has now.
        for path in paths { paths.formUnion(session.aliases(of: path)) }
        var comesOrGoes = false
        for path in paths {
            if session.record(path) == nil { comesOrGoes = true }
            switch scanner.observe(path) {
            case .present(let source): paths.formUnion(session.paths(inode: source.stamp.inode))
            case .gone, .notASource: comesOrGoes = true
            case .unreadable: break
            }
        }
        for source in input.sources { paths.formUnion(session.paths(inode: source.stamp.inode)) }
        if !dirt.appeared.isEmpty || !dirt.gone.isEmpty || comesOrGoes { paths.formUnion(links) }
        let observed = Set(input.sources.map(\.path))
        paths.subtract(observed)
        let hasRules = session.configuration.scope.hasExcludes || session.configuration.scope.honoursGitignore
        for path in paths {
            if scanner.isLink(path) { links.insert(path) } else { links.remove(path) }
            hardLinked.remove(path)
            let isInScope =
                session.isInStarts(path) && !(hasRules && scanner.isExcludedOnTheWay(to: path, isDirectory: false))
            guard isInScope else {
                if session.record(path) != nil { input.missing.append(path) }
                continue
            }
            switch scanner.observe(path) {
            case .present(let source):
                input.sources.append(source)
                if source.isHardLinked { hardLinked.insert(path) }
            case .unreadable(let error):
                input.problems.append(UnreadablePlace(path: path, error: error, isDirectory: false).diagnostic)
            case .gone, .notASource:
                // One that came with a directory and went before anybody read it has no record, but may have bytecode.
                input.missing.append(path)
            }
        }
    }

    /// Without those that lie in another of them.
    private func topmost(_ directories: Set<BytePath>) -> [BytePath] {
        directories.filter { path in
            var parent = path
            while !parent.isEmpty {
                parent = parent.parent
                if directories.contains(parent) { return false }
            }
            return true
        }
    }
}

extension WaveReport {
    /// Whether anything was done, or something failed that was not known to fail.
    fileprivate func hasNews(since known: StandingProblems) -> Bool {
        removed > 0 || changes.contains { $0.result == .compiled || $0.result == .restamped && $0.reason != .guardOver }
            || changes.contains { $0.result == .failed && $0.reason != nil }
            || diagnostics.contains { !known.contains($0) }
    }

    /// Without operational findings that were reported before.
    fileprivate func leavingOut(_ known: StandingProblems) -> WaveReport {
        var report = self
        report.diagnostics.removeAll { known.contains($0) }
        return report
    }
}
