// One tree with its database, its interpreters and what is remembered of its sources.
// Knows: how a wave begins and what is recorded of it. Does not know: who asks for waves, or who is told.

import BasicTypes
import BuildDatabase
import BuildModel
import Compilation
import FileWatching
import Impact
import Interpreters
import LinuxSystem

/// The owner of all that changes. It lives on its loop.
package final class Session {
    package let configuration: SessionConfiguration
    package let loop: EventLoop
    package let root: Directory
    package let interpreters: InterpreterSet
    package let targets: [ArtifactTarget]
    package private(set) var store: DatabaseStore?
    /// Compiled code of all trees.
    package let codeStore: CodeStore?
    /// The imports of the tree, where they are wanted.
    package private(set) var analysis: ImportAnalysis?
    fileprivate var table: ModuleTable
    /// The number of the last wave.
    package private(set) var clock: UInt64
    /// For the user, once.
    package private(set) var notices: [String]
    /// Sources whose artifacts the last wave has guarded against a save within the same second.
    package private(set) var guarded: [BytePath] = []
    /// The last run did not end cleanly.
    private let mustSweep: Bool
    /// After so many compilations, the store's size is looked at.
    private static let manyCompiled = 256
    private var wave: Wave?

    /// Opens the database and finds the interpreters. Nothing is started that is not needed.
    package init(_ configuration: SessionConfiguration, loop: EventLoop) throws(SessionError) {
        self.configuration = configuration
        self.loop = loop
        codeStore = configuration.storePlace.map { CodeStore(place: $0) }
        do throws(SystemError) {
            root = try Directory(path: configuration.rootPath)
        } catch {
            throw .root("cannot open \(error); name another directory")
        }
        let loaded: LoadedDatabase
        do throws(DatabaseError) {
            store = try Self.open(configuration, root)
            loaded = try store?.load(root: configuration.rootPath) ?? .empty(root: configuration.rootPath)
        } catch {
            throw .database(error.message)
        }
        mustSweep = store?.wasLeftUncleanly ?? false
        table = ModuleTable(loaded.contents.modules)
        clock = loaded.contents.clock
        notices = loaded.notices
        interpreters = InterpreterSet(
            loop: loop, known: loaded.contents.interpreters, jobs: configuration.jobs, deadline: configuration.deadline)
        do throws(InterpreterError) {
            try interpreters.select(try Self.candidates(configuration))
        } catch {
            throw .interpreter(InterpreterProblem(message: error.message))
        }
        notices += interpreters.notices
        var targets: [ArtifactTarget] = []
        for id in interpreters.selected {
            let interpreter = interpreters[id]
            if configuration.options.invalidation != .timestamp, interpreter.sourceHash == nil {
                throw .interpreter(
                    InterpreterProblem(
                        message: "\(interpreter.name) knows no hash-based bytecode; use --invalidation timestamp"))
            }
            if interpreter.cacheTag.isEmpty, configuration.options.levels.filter({ $0 != .none }).count > 1 {
                throw .interpreter(
                    InterpreterProblem(
                        message: "\(interpreter.name) has one name (.pyo) for -O 1 and -O 2; name one of them"))
            }
            for level in configuration.options.levels {
                targets.append(
                    ArtifactTarget(key: ArtifactKey(interpreter: id, level: level), interpreter: interpreter))
            }
        }
        self.targets = targets
        // A service looks at imports once it is ready.
        if configuration.analyzesImports, configuration.lifetime == .run { openAnalysis() }
    }

    package func openAnalysis() {
        let analysis = ImportAnalysis(
            root: root, rootPath: configuration.rootPath, interpreters: selectedInterpreters,
            sourceRoots: configuration.sourceRoots)
        if let store { analysis.load(from: store) }
        self.analysis = analysis
    }

    private static func open(
        _ configuration: SessionConfiguration, _ root: Directory
    ) throws(DatabaseError) -> DatabaseStore? {
        guard configuration.writesDatabase || configuration.writesGraph else {
            return try DatabaseStore.existing(
                root: root, rootPath: configuration.rootPath, stateDirectory: configuration.stateDirectory)
        }
        do throws(DatabaseError) {
            return try DatabaseStore.open(
                root: root, rootPath: configuration.rootPath, stateDirectory: configuration.stateDirectory,
                holder: "\(configuration.holder) (process \(Host.processIdentifier))", lifetime: configuration.lifetime)
        } catch {
            if configuration.writesDatabase { throw error }
            // Held by another, or on a disk that is read-only: what is known is read, and nothing is remembered.
            return try DatabaseStore.existing(
                root: root, rootPath: configuration.rootPath, stateDirectory: configuration.stateDirectory)
        }
    }

    package var moduleCount: Int { table.count }
    /// Sources that do not compile.
    package var failureCount: Int { table.failing.count }
    /// Process identifiers of the workers that are warm.
    package var workers: [Int32] { interpreters.activePools.flatMap(\.identifiers) }
    /// Workers that died or hung and were replaced.
    package var replacedWorkers: Int { interpreters.activePools.reduce(0) { $0 + $1.replaced } }
    /// Where the database is, for cookies.
    package var databaseDirectory: Directory? { store?.directory }

    /// Makes a file in the database's directory that a watcher sees.
    package func makeCookie(_ name: BytePath) throws(SystemError) { try store?.makeCookie(name) }

    /// Whether an interpreter's executable is no longer the file that was probed.
    package var hasChangedInterpreter: Bool {
        selectedInterpreters.contains { ((try? Host.status($0.path)) ?? nil)?.stamp != $0.executable }
    }
    package var selectedInterpreters: [Interpreter] { interpreters.selected.map { interpreters[$0] } }

    package func record(_ path: BytePath) -> ModuleRecord? { table[path] }

    /// The paths of all records at or below a directory.
    package func recordedPaths(within directory: BytePath) -> [BytePath] { table.paths(within: directory) }

    /// Sources with an artifact that is guarded.
    package var allGuarded: [BytePath] { table.all.filter(\.isGuarded).map(\.path) }

    /// What walks the tree for this session.
    package func scanner(_ inotify: InotifyDescriptor? = nil) -> TreeScanner {
        TreeScanner(
            root: root, rootPath: configuration.rootPath, scope: configuration.scope,
            places: configuration.options.isCheckOnly ? [] : targets.map(\.place), inotify: inotify)
    }

    /// Records below these places that a walk did not meet.
    package func recordsMissing(from sources: [ScannedSource], within starts: [BytePath]) -> [BytePath] {
        guard table.count > 0 else { return [] }
        let met = Set(sources.map(\.path))
        // On an unchanged tree everything was met, and there is nothing to compare.
        if starts.contains(.empty), met.count == table.count, met.allSatisfy({ table[$0] != nil }) { return [] }
        var missing: Set<BytePath> = []
        for start in starts { missing.formUnion(table.paths(within: start).filter { !met.contains($0) }) }
        return Array(missing)
    }

    // MARK: Waves

    /// Walks what is in scope and brings all of it up to date, or judges it.
    ///
    /// - Parameters:
    ///   - progress: called as modules are finished, with how many of how many.
    ///   - done: called once, on the loop.
    package func build(
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }, done: @escaping (WaveReport) -> Void
    ) {
        let begun = Host.monotonic
        let result = scanner().scan(configuration.starts)
        sweepIfNeeded(result)
        sweepOrphans(result)
        let missing = recordsMissing(from: result.sources, within: configuration.starts)
        run(
            WaveInput(sources: result.sources, missing: missing, problems: result.problems, begun: begun),
            progress: progress, done: done)
    }

    /// After a crash, a temporary file may lie in any `__pycache__`.
    package func sweepIfNeeded(_ result: ScanResult) {
        guard mustSweep, !configuration.options.isCheckOnly else { return }
        for directory in result.directories { ArtifactPublisher.sweepTemporaries(in: directory, root: root) }
    }

    /// A folder that was moved or copied here brings its `__pycache__` along, and with it the bytecode of sources that
    /// were deleted before. Looks where there are sources that are not known, or none at all.
    package func sweepOrphans(_ result: ScanResult) {
        guard !configuration.options.isCheckOnly, !result.caches.isEmpty else { return }
        var isKnown: [BytePath: Bool] = [:]
        for source in result.sources {
            let directory = source.path.parent
            isKnown[directory] = (isKnown[directory] ?? true) && table[source.path] != nil
        }
        sweepOrphans(in: result.caches.filter { isKnown[$0] != true })
    }

    /// Removes bytecode without a source from the `__pycache__` of these directories.
    package func sweepOrphans(in directories: [BytePath]) {
        // The longest first: `.cpython-312.opt-1.pyc` ends with what it does not mean.
        let places = interpreters.known.flatMap { interpreter in
            OptimizationLevel.allCases.reversed().map { ArtifactPlace(cacheTag: interpreter.cacheTag, level: $0) }
        }
        let suffixes = places.filter { !$0.directory.isEmpty }.map(\.suffix)
        for directory in directories {
            ArtifactPublisher.sweepOrphans(in: directory, suffixes: suffixes, root: root)
        }
    }

    /// Runs one wave over what was observed.
    package func run(
        _ input: WaveInput, progress: @escaping (Int, Int) -> Void, done: @escaping (WaveReport) -> Void
    ) {
        let wave = Wave(session: self, input: input, clock: clock + 1, progress: progress)
        self.wave = wave
        wave.start { [self] outcome in
            self.wave = nil
            guarded = outcome.guarded
            let recorded = record(outcome)
            var report = outcome.report
            report.clock = clock
            report.diagnostics += recorded
            report.diagnostics += importFindings(input, outcome)
            report.duration = Host.monotonic - input.begun
            // A daemon does not end for a long time.
            if report.compiled >= Self.manyCompiled { codeStore?.evictIfNeeded() }
            codeStore?.rest()
            done(report)
        }
    }

    /// Ends the wave under way, if there is one: what is done is recorded and reported, the rest is left as it was.
    package func cancel() {
        wave?.cancel()
    }

    /// Takes in what a wave changed and writes it down.
    ///
    /// - Returns: what went wrong with the database.
    private func record(_ outcome: WaveOutcome) -> [LocatedDiagnostic] {
        for path in outcome.removed + outcome.forgotten { table.remove(path) }
        for record in outcome.records { table.update(record) }
        guard let store, configuration.writesDatabase else { return [] }
        var change = WaveChange(clock: clock + 1)
        change.removed = outcome.removed + outcome.forgotten
        change.modules = outcome.records.filter { !outcome.refreshedOnly.contains($0.path) }
        if interpreters.isChanged { change.interpreters = interpreters.known }
        guard !change.isEmpty else { return [] }
        // What merely looks different now (a racy stamp that has settled) is written when something else is.
        change.modules = outcome.records
        clock += 1
        do throws(DatabaseError) {
            try store.append(change, contents: { contents }, moduleCount: table.count)
            interpreters.isChanged = false
            return []
        } catch {
            return [
                LocatedDiagnostic(path: .empty, diagnostic: Diagnostic(.unwritable, .error, message: error.message))
            ]
        }
    }

    private var contents: DatabaseContents {
        var contents = DatabaseContents(root: configuration.rootPath)
        contents.clock = clock
        contents.interpreters = interpreters.known
        contents.modules = table.all
        return contents
    }

    /// Folds the journal and ends the workers.
    ///
    /// - Returns: a sentence for the user where the database could not be written.
    package func close() -> String? {
        interpreters.shutDown()
        codeStore?.evictIfNeeded()
        guard let store, store.isHeld else { return nil }
        do throws(DatabaseError) {
            if configuration.lifetime == .service, store.hasJournal { try store.fold(contents) }
            // Half a tree's imports would be taken for all.
            if configuration.starts.contains(.empty) { try analysis?.save(to: store) }
            // What a build has left behind is for the next one to sweep.
            if configuration.writesDatabase || !mustSweep { store.markClean() }
            return nil
        } catch {
            return error.message
        }
    }

    /// What is on record for these places, as the report of a wave that has done nothing but these changes.
    package func report(on starts: [BytePath], changes: [WaveReport.Change], removed: Int) -> WaveReport {
        func isNamed(_ path: BytePath) -> Bool { starts.contains { path.isWithin($0) } }
        var report = WaveReport(clock: clock)
        report.changes = changes.filter { isNamed($0.path) }
        report.removed = removed
        // By what is known of few, not by a look at all: an answer must not take longer for a large tree.
        report.modules = starts.contains(.empty) ? table.count : starts.reduce(0) { $0 + table.paths(within: $1).count }
        report.failed = table.failing.count(where: isNamed)
        let results = Dictionary(report.changes.map { ($0.path, $0.result) }, uniquingKeysWith: { $1 })
        let standing = results.filter { table[$0.key] != nil && !table.failing.contains($0.key) }
        report.compiled = standing.count { $0.value == .compiled }
        report.restamped = standing.count { $0.value == .restamped }
        report.restored = standing.count { $0.value == .restored }
        report.upToDate = report.modules - report.failed - report.compiled - report.restamped - report.restored
        for path in table.noted where isNamed(path) {
            if let record = table[path] { report.diagnostics += findings(record) }
        }
        report.diagnostics += importFindings(within: isNamed)
        report.diagnostics.sort {
            ($0.path, $0.diagnostic.line, $0.diagnostic.column) < ($1.path, $1.diagnostic.line, $1.diagnostic.column)
        }
        return report
    }

    /// What the store wants the user to know, once.
    package var storeNotice: String? { codeStore?.notice }

    /// Lets another session open the same database. This one is of no use afterwards.
    package func releaseLock() {
        store = nil
    }
}

extension LoadedDatabase {
    fileprivate static func empty(root: BytePath) -> LoadedDatabase {
        LoadedDatabase(contents: DatabaseContents(root: root))
    }
}

// What a continuous build asks about single sources.
extension Session {
    /// The recorded sources of one directory, not of those below it.
    package func recordedPaths(in directory: BytePath) -> [BytePath] { table.paths(in: directory) }

    /// All names of the file that a recorded source was.
    package func aliases(of path: BytePath) -> Set<BytePath> {
        record(path).map { table.paths(inode: $0.source.stamp.inode) } ?? []
    }

    /// The recorded sources whose contents were in this inode.
    package func paths(inode: UInt64) -> Set<BytePath> { table.paths(inode: inode) }

    /// Whether every artifact of a source is as its trace says: the file that was published, or none where the compiler
    /// refuses the source.
    package func hasIntactArtifacts(_ path: BytePath) -> Bool {
        guard let record = record(path) else { return true }
        return targets.allSatisfy { target in
            guard let trace = record.trace(target.key) else { return true }
            if trace.isFailure { return root.isSurelyMissing(target.place.path(of: path)) }
            return trace.published == nil || isIntact(record, target)
        }
    }

    /// Removes bytecode whose source is not there.
    package func removeOrphan(_ name: BytePath, of source: BytePath) {
        guard root.isSurelyMissing(source),
            let cache = try? root.directory(source.parent.appending("__pycache__"))
        else { return }
        _ = try? cache.removeFile(name)
    }

    /// Removes a temporary file of bytecode that nobody will rename any more.
    package func removeStray(_ name: BytePath, in directory: BytePath) {
        guard ArtifactPublisher.isStray(name), let cache = try? root.directory(directory.appending("__pycache__"))
        else {
            return
        }
        _ = try? cache.removeFile(name)
    }

    /// Whether the root's path certainly leads to another directory than the one that we hold, or nowhere.
    package var isRootReplaced: Bool {
        guard let held = try? root.descriptor.status().stamp else { return false }
        do throws(SystemError) {
            guard let there = try Host.status(configuration.rootPath)?.stamp else { return true }
            return held.inode != there.inode || held.device != there.device
        } catch {
            return false
        }
    }

    /// Whether an artifact is the file that its trace speaks of.
    package func isIntact(_ record: ModuleRecord, _ target: ArtifactTarget) -> Bool {
        guard let published = record.trace(target.key)?.published else { return false }
        return (try? root.status(target.place.path(of: record.path), followsLinks: false))?.stamp == published.stamp
    }

    /// Sources of a directory, not of those below it, that are not up to date by their stamps. A failed write is reported
    /// once for its directory; these are the others that it kept from being written.
    package func staleSources(in directory: BytePath) -> [BytePath] {
        let examiner = ModuleExaminer(
            root: root, targets: targets,
            judge: StalenessJudge(options: configuration.options, now: Host.realtime, resealsGuarded: false))
        return scanner().scan([directory]).sources.filter { source in
            source.path.parent == directory && examiner.glance(source, record: record(source.path))?.isEmpty != true
        }.map(\.path)
    }

    /// Whether a path lies in one of the places that the user named.
    package func isInStarts(_ path: BytePath) -> Bool {
        configuration.starts.contains { path.isWithin($0) }
    }

    package func isGuardOver(_ path: BytePath) -> Bool {
        guard let record = record(path) else { return true }
        return !StalenessJudge.needsGuard(record.source.stamp, readAt: Host.realtime)
    }

    /// Whether the guard ends within the next seconds, and not in some future that a clock or a `touch` has set.
    package func isGuardedForSeconds(_ path: BytePath) -> Bool {
        guard let record = record(path) else { return false }
        return record.source.stamp.importSecond <= Host.realtime / 1_000_000_000 + 2
    }
}
