// Waves without end: what `watch` keeps going.
// Knows: hints, when to wait for more of them, what to look at again later. Does not know: who is told, or when to stop.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import LinuxSystem
import Waves

/// Keeps a session's tree fresh from the events of its directories.
package final class ContinuousBuild {
    let session: Session
    let watcher: TreeWatcher
    let scanner: TreeScanner
    let loop: EventLoop

    /// What hints have named and no wave has looked at.
    struct Dirt {
        var sources: Set<BytePath> = []
        var appeared: Set<BytePath> = []
        var gone: Set<BytePath> = []
        /// What is no source and can be imported.
        var importable: Set<BytePath> = []
        var everything = false

        var count: Int { everything ? .max : sources.count + appeared.count + gone.count + importable.count }
        var isEmpty: Bool { count == 0 }
    }

    enum Phase {
        case idle
        /// Waiting for a burst of events to end, since this time of the monotonic clock.
        case settling(since: Int64, EventLoop.Source)
        case building
    }

    /// A wave of so few begins at once.
    private static let smallWave = 4
    /// Nanoseconds without an event that end a burst, and how long a burst may hold up the wave.
    private static let quiet: Int64 = 15_000_000
    private static let longestBurst: Int64 = 400_000_000
    /// How long a file that is open for writing is waited for.
    private static let patience: Int64 = 200_000_000
    private static let firstRetry: Int64 = 1_000_000_000
    private static let lastRetry: Int64 = 60_000_000_000

    var dirt = Dirt()
    /// Who waits for the wave under way, and who for the next one.
    var riding: [BarrierWaiter] = []
    var waiting: [BarrierWaiter] = []
    var cookies = 0
    var seenCookies: Set<[UInt8]> = []
    var forcesNext = false
    /// Directories that are not watched, for what reason, and when they are looked at next.
    var polled: Set<BytePath> = []
    var pollReason: String?
    var pollTimer: EventLoop.Source?
    var pollDelay = ContinuousBuild.firstPoll
    private(set) var rescans = 0
    /// Sources that are symbolic links, wherever these lead: what happens to the file has no event for them, so they are
    /// looked at again whenever something comes or goes, and for everybody who waits.
    private(set) var links: Set<BytePath> = []
    private var artifacts: [(directory: BytePath, name: [UInt8])] = []
    var phase = Phase.idle
    /// Sources that somebody is writing, and when they are looked at all the same.
    var beingWritten: [BytePath: Int64] = [:]
    private var writingTimer: EventLoop.Source?
    private var guarded: Set<BytePath> = []
    private var guardTimer: EventLoop.Source?
    private var guardIsOver = false
    /// Sources that failed for no fault of theirs.
    private var retries: Set<BytePath> = []
    private var retryTimer: EventLoop.Source?
    private var retryDelay = ContinuousBuild.firstRetry
    private static let rootChecks: ArraySlice<Int64> = [100_000_000, 1_000_000_000]
    private var rootTimer: EventLoop.Source?
    var reported: Set<LocatedDiagnostic> = []

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
        watcher.onHints = { [weak self] in self?.take($0) }
        watcher.start(on: loop)
        phase = .building
        let missing = session.recordsMissing(from: result.sources, within: session.configuration.starts)
        session.run(
            WaveInput(
                sources: result.sources, missing: missing, problems: result.problems, begun: begun, resealsGuarded: true
            ),
            progress: progress
        ) { [self] report in
            reported = Set(report.diagnostics.filter { $0.diagnostic.rule.isOperational })
            guarded = Set(session.allGuarded)
            note(report)
            ready(report)
            // Not before: who waits for bytecode does not wait for this.
            loop.later { [weak self] in self?.analyze(result.sources) }
            waveEnded(report) { _ in true }
            Host.trimMemory()
        }
    }

    /// Begins to look at imports, and tells what is wrong with them.
    private func analyze(_ sources: [ScannedSource]) {
        let begun = Host.monotonic
        guard let findings = session.startAnalysis(sources), !findings.isEmpty else { return }
        var report = WaveReport(clock: session.clock)
        report.diagnostics = findings
        report.duration = Host.monotonic - begun
        onFindings(report)
        Host.trimMemory()
    }

    /// Watches no more. A wave under way is ended where it is.
    package func stop() {
        watcher.stop()
        session.cancel()
    }

    func scan(_ starts: [BytePath], obeysRules: Bool) -> ScanResult {
        let result = scanner.scan(starts, obeysRules: obeysRules)
        watcher.adopt(result)
        notePolled(result, starts)
        session.sweepOrphans(result)
        links.formUnion(result.links)
        return result
    }

    // MARK: Hints

    func take(_ hints: [TreeHint]) {
        for hint in hints { take(hint) }
        armWritingTimer()
        advance()
    }

    func take(_ hint: TreeHint) {
        switch hint {
        case .source(let path):
            beingWritten[path] = nil
            dirt.sources.insert(path)
        case .sourceDeleted(let path):
            lookLater(path)
        case .sourceBeingWritten(let path):
            beingWritten[path] = Host.monotonic + Self.patience
        case .importable(let path):
            if session.analysis != nil { dirt.importable.insert(path) }
        case .artifact(let directory, let name):
            // While a wave publishes, most of these are its own doing, which its records will show.
            if case .building = phase { artifacts.append((directory, name)) } else { takeArtifact(directory, name) }
        case .directoryAppeared(let path):
            dirt.appeared.insert(path)
        case .directoryGone(let path):
            dirt.gone.insert(path)
            expectRoot(after: Self.rootChecks)
        case .cookie(let name):
            seenCookies.insert(name)
        case .rulesChanged, .eventsLost:
            dirt.everything = true
        case .rootGone:
            onRootGone()
        }
    }

    /// Bytecode changed, by us or by others: where it is not what we put there, its source is judged again.
    private func takeArtifact(_ directory: BytePath, _ name: [UInt8]) {
        if name.isEmpty {
            watcher.watchArtifacts(in: directory, root: session.root)
            // What was put there before it was watched had no event.
            session.sweepOrphans(in: [directory])
            for path in session.recordedPaths(in: directory) where !session.hasIntactArtifacts(path) {
                lookLater(path)
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
                if !session.isIntact(record, target) { lookLater(source) }
            } else {
                // Copied here, or moved, after its source had gone.
                session.removeOrphan(BytePath.empty.appending(name), of: source)
            }
        }
    }

    /// Bytecode that goes is rebuilt in a moment, and that of a source that goes is removed in a moment: not under the
    /// hands of whoever is deleting the folder around it.
    private func lookLater(_ source: BytePath) {
        if !dirt.sources.contains(source) { beingWritten[source] = Host.monotonic + Self.patience }
    }

    private func armWritingTimer() {
        guard writingTimer == nil, let next = beingWritten.values.min() else { return }
        writingTimer = loop.after(next - Host.monotonic) { [weak self] in
            guard let self else { return }
            writingTimer = nil
            let now = Host.monotonic
            for (path, time) in beingWritten where time <= now {
                beingWritten[path] = nil
                dirt.sources.insert(path)
            }
            armWritingTimer()
            advance()
        }
    }

    /// Whoever is still writing has written this much: for somebody who waits, it counts.
    func takeWhatIsBeingWritten() {
        dirt.sources.formUnion(beingWritten.keys)
        beingWritten = [:]
    }

    /// A directory that somebody holds open, as we hold the root, is deleted without an event of its own; but its
    /// entries go first, and `.freshpyc` is one of them.
    private func expectRoot(after delays: ArraySlice<Int64>) {
        guard let delay = delays.first else { return }
        rootTimer = loop.after(delay) { [weak self] in
            guard let self else { return }
            rootTimer = nil
            session.isRootInPlace ? expectRoot(after: delays.dropFirst()) : onRootGone()
        }
    }

    // MARK: Waves

    /// Begins a wave if there is something to look at and nothing to wait for.
    func advance() {
        guard !dirt.isEmpty else { return }
        switch phase {
        case .building: return
        case .idle:
            if dirt.count <= Self.smallWave || !waiting.isEmpty { return wave() }
            settle(since: Host.monotonic)
        case .settling(let since, _):
            if !waiting.isEmpty { return wave() }
            // One more event: the quiet begins anew, up to a point.
            settle(since: since)
        }
    }

    private func settle(since: Int64) {
        let latest = since + Self.longestBurst - Host.monotonic
        let timer = loop.after(min(Self.quiet, max(0, latest))) { [weak self] in self?.wave() }
        phase = .settling(since: since, timer)
    }

    func wave() {
        guard mayBuild() else { return }
        phase = .building
        // A file that is there is either whole, or the event of its being opened is in the queue by now: then its closing
        // is waited for, and half of it is not compiled. Unless somebody asks for what there is.
        for hint in watcher.drain() { take(hint) }
        if waiting.isEmpty {
            dirt.sources.subtract(beingWritten.keys)
            armWritingTimer()
        }
        let begun = Host.monotonic
        var input = WaveInput(
            sources: [], missing: [], problems: [], begun: begun, resealsGuarded: guardIsOver, reportsAll: false)
        guardIsOver = false
        input.isForced = forcesNext
        forcesNext = false
        riding += waiting
        waiting = []
        let dirt = self.dirt
        self.dirt = Dirt()
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
        session.run(input, progress: { _, _ in }) { [self] report in
            note(report)
            report.hasNews(since: reported) ? onWave(report.leavingOut(reported)) : ()
            reported.subtract(reported.filter { old in input.sources.contains { $0.path == old.path } })
            reported.formUnion(report.diagnostics.filter { $0.diagnostic.rule.isOperational })
            guarded.formUnion(session.guarded)
            if report.removed > 0 { expectRoot(after: Self.rootChecks) }
            let observed = Set(input.sources.map(\.path) + input.missing)
            waveEnded(report) { path in
                dirt.everything || observed.contains(path) || dirt.appeared.contains { path.isWithin($0) }
            }
        }
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
        for path in paths {
            if let source = scanner.observe(path).source { paths.formUnion(session.paths(inode: source.stamp.inode)) }
        }
        for source in input.sources { paths.formUnion(session.paths(inode: source.stamp.inode)) }
        let comesOrGoes = paths.contains { session.record($0) == nil || scanner.observe($0).source == nil }
        if !dirt.appeared.isEmpty || !dirt.gone.isEmpty || comesOrGoes { paths.formUnion(links) }
        let observed = Set(input.sources.map(\.path))
        paths.subtract(observed)
        let hasRules = session.configuration.scope.hasExcludes || session.configuration.scope.honoursGitignore
        for path in paths {
            if session.isLink(path) { links.insert(path) } else { links.remove(path) }
            let isLeftOut = hasRules && scanner.isExcludedOnTheWay(to: path, isDirectory: false)
            if !isLeftOut, session.isInStarts(path), let source = scanner.observe(path).source {
                input.sources.append(source)
            } else {
                // One that came with a folder and went before anybody had read it has no record, but may have bytecode.
                if session.record(path) != nil || !isLeftOut && session.isInStarts(path) { input.missing.append(path) }
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

    /// - Parameter looked: whether the wave has looked at a path.
    private func waveEnded(_ report: WaveReport, looked: (BytePath) -> Bool) {
        phase = .idle
        let hints = artifacts
        artifacts = []
        for hint in hints { takeArtifact(hint.directory, hint.name) }
        // Whoever asked during the wave has asked for these too.
        if !waiting.isEmpty { takeWhatIsBeingWritten() }
        armWritingTimer()
        let failed = Set(report.diagnostics.filter { $0.diagnostic.rule.isOperational }.map(\.path))
        retries = retries.filter { !looked($0) }.union(failed)
        armRetryTimer()
        armGuardTimer()
        armPollTimer()
        releaseWaiters()
        advance()
    }

    // MARK: Later looks

    /// A disk that was full, a file that could not be read: tried again, less and less often.
    private func armRetryTimer() {
        guard !retries.isEmpty else {
            retryTimer = nil
            retryDelay = Self.firstRetry
            return
        }
        retryTimer = loop.after(retryDelay) { [weak self] in
            guard let self else { return }
            retryTimer = nil
            retryDelay = min(retryDelay * 2, Self.lastRetry)
            for path in retries {
                if path.hasSuffix(".py") { dirt.sources.insert(path) } else { dirt.appeared.insert(path) }
            }
            // An artifact that could not be written is named once for its directory; its neighbours failed too.
            for path in retries { dirt.sources.formUnion(session.unbuilt(in: path.parent)) }
            advance()
        }
    }

    /// Once the second of a save is over, its artifact gets the header that was asked for.
    private func armGuardTimer() {
        guard guardTimer == nil, !guarded.isEmpty else { return }
        let now = Host.realtime
        let rest = 1_000_000_000 - now % 1_000_000_000
        guardTimer = loop.after(rest + 2 * SourceState.racyWindow) { [weak self] in
            guard let self else { return }
            guardTimer = nil
            guardIsOver = true
            let due = guarded.filter { session.isGuardOver($0) }
            // A file whose time lies in the future keeps its guard; it is not waited for.
            guarded = guarded.filter { !due.contains($0) && session.isGuardedForSeconds($0) }
            dirt.sources.formUnion(due)
            due.isEmpty ? armGuardTimer() : advance()
        }
    }
}

extension WaveReport {
    /// Whether anything was done, or something failed that was not known to fail.
    fileprivate func hasNews(since known: Set<LocatedDiagnostic>) -> Bool {
        removed > 0 || changes.contains { $0.result == .compiled || $0.result == .restamped && $0.reason != .guardOver }
            || changes.contains { $0.result == .failed && $0.reason != nil }
            || diagnostics.contains { !known.contains($0) }
    }

    /// Without operational findings that were reported before.
    fileprivate func leavingOut(_ known: Set<LocatedDiagnostic>) -> WaveReport {
        var report = self
        report.diagnostics.removeAll { known.contains($0) }
        return report
    }
}
