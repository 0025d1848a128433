// A session: one tree with its database, its interpreters and its records. Starts waves and records their outcome.

import BasicTypes
import BuildDatabase
import BuildModel
import Compilation
import FileWatching
import Impact
import Interpreters
import LinuxSystem

/// Owns all mutable state of a tree. Use it only on its loop.
package final class Session {
    package let configuration: SessionConfiguration
    /// The places that the user named.
    private(set) lazy var named = PathSet(configuration.starts)
    package let loop: EventLoop
    package let root: Directory
    package let interpreters: InterpreterSet
    package let targets: [ArtifactTarget]
    package private(set) var store: DatabaseStore?
    /// The compiled code that all trees share; `nil` if there is no store.
    package let codeStore: CodeStore?
    /// The imports of the tree; `nil` if they are not analyzed.
    package private(set) var analysis: ImportAnalysis?
    var table: ModuleTable
    /// The number of the last wave.
    package private(set) var clock: UInt64
    /// Messages for the user, to be shown once.
    package private(set) var notices: [String]
    /// Sources with an artifact that the last wave guarded against another save within the same second.
    package private(set) var guarded: [BytePath] = []
    /// The last run did not end cleanly, so temporary files may be left.
    let mustSweep: Bool
    /// A wave with at least this many compilations checks the size of the store.
    private static let manyCompiled = 256
    private var wave: Wave?

    /// Opens the database and finds the interpreters. An interpreter is started only if it has to be probed.
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
                        message:
                            "\(interpreter.name) does not support hash-based bytecode; use --invalidation timestamp"))
            }
            if interpreter.cacheTag.isEmpty, configuration.options.levels.filter({ $0 != .none }).count > 1 {
                throw .interpreter(
                    InterpreterProblem(
                        message: "\(interpreter.name) uses one file name (.pyo) for -O 1 and -O 2; choose one of them"))
            }
            for level in configuration.options.levels {
                targets.append(
                    ArtifactTarget(key: ArtifactKey(interpreter: id, level: level), interpreter: interpreter))
            }
        }
        self.targets = targets
        table = ModuleTable(loaded.contents.modules, keys: Set(targets.map(\.key)))
        // A service analyzes imports after it is ready.
        if configuration.analyzesImports, configuration.lifetime == .run { openAnalysis() }
    }

    package func openAnalysis() {
        let analysis = ImportAnalysis(
            root: root, rootPath: configuration.rootPath, interpreters: selectedInterpreters,
            sourceRoots: configuration.sourceRoots, declaredDependencies: configuration.declaredDependencies)
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
            // Another process holds the database, or the disk is read-only: read it, and save nothing.
            return try DatabaseStore.existing(
                root: root, rootPath: configuration.rootPath, stateDirectory: configuration.stateDirectory)
        }
    }

    /// The number of recorded sources in the named places.
    package var moduleCount: Int {
        configuration.starts.contains(.empty) ? table.count : table.paths(within: named).count
    }
    /// The number of sources that do not compile.
    package var failureCount: Int { table.failing.count }

    /// Sources that the compiler rejects for at least one target, and sources that have one of these problems or are below
    /// a directory that has one.
    package func failing(with problems: [LocatedDiagnostic]) -> Set<BytePath> {
        var failing = table.failing
        let places = Set(problems.map(\.path))
        failing.formUnion(places)
        let unrecorded = places.filter { !table.contains($0) }
        guard !unrecorded.isEmpty else { return failing }
        let below = table.paths(within: PathSet(Array(unrecorded)))
        failing.formUnion(below)
        // A directory counts only if nothing below it does.
        var above: Set<BytePath> = []
        for path in places.union(below) where !path.isEmpty {
            var directory = path.parent
            while above.insert(directory).inserted, !directory.isEmpty { directory = directory.parent }
        }
        failing.subtract(unrecorded.intersection(above))
        return failing
    }
    /// The process identifiers of the running workers.
    package var workers: [Int32] { interpreters.activePools.flatMap(\.identifiers) }
    /// The number of workers that died or hung and were replaced.
    package var replacedWorkers: Int { interpreters.activePools.reduce(0) { $0 + $1.replaced } }
    /// The directory of the database, for cookies.
    package var databaseDirectory: Directory? { store?.directory }

    /// Creates a file in the directory of the database, for the watcher to see.
    package func makeCookie(_ name: BytePath) throws(SystemError) { try store?.makeCookie(name) }

    /// Whether an interpreter's executable is certainly no longer the file that was probed.
    package var hasChangedInterpreter: Bool { interpreters.hasChanged || hasOtherDefault }

    /// Whether `--python` was not given and the default interpreter has changed, because a `.venv` was created. `hasChanged`
    /// notices the removal of a `.venv`.
    private var hasOtherDefault: Bool {
        guard configuration.pythons.isEmpty, let id = interpreters.selected.first,
            let environment = InterpreterFinder.defaultEnvironment(of: configuration.rootPath)
        else { return false }
        return environment.path != interpreters[id].path
    }

    package var selectedInterpreters: [Interpreter] { interpreters.selected.map { interpreters[$0] } }

    package func record(_ path: BytePath) -> ModuleRecord? { table[path] }

    /// The paths of all records at or below these places.
    package func recordedPaths(within places: PathSet) -> [BytePath] { table.paths(within: places) }

    /// The paths of all records at or below these places, and of analyzed sources without a record, because nothing could
    /// be written for them so far.
    package func knownPaths(within places: PathSet) -> Set<BytePath> {
        Set(table.paths(within: places)).union(analysis?.sources(within: places) ?? [])
    }

    /// All sources with a guarded artifact.
    package var allGuarded: [BytePath] { table.guarded }

    /// The scanner that walks the tree of this session.
    ///
    /// - Parameter settled: what leaves unchanged sources out of the result.
    package func scanner(
        _ inotify: InotifyDescriptor? = nil, settled: (any SettledSources)? = nil
    ) -> TreeScanner {
        TreeScanner(
            root: root, rootPath: configuration.rootPath, scope: configuration.scope,
            places: configuration.options.isCheckOnly ? [] : targets.map(\.place), inotify: inotify, settled: settled)
    }

    /// The recorded paths below `starts` that a scan did not find.
    package func recordsMissing(from result: ScanResult, within starts: [BytePath]) -> [BytePath] {
        table.paths(
            except: result.settled.map { Int($0) } + result.sources.compactMap { table.position(of: $0.path) },
            within: PathSet(starts))
    }

    /// Judges sources by stamps and by contents.
    func examiner(isForced: Bool = false, resealsGuarded: Bool = false) -> ModuleExaminer {
        var options = configuration.options
        if isForced { options.isForced = true }
        return ModuleExaminer(
            root: root, targets: targets,
            judge: StalenessJudge(
                options: options, now: Host.realtime, resealsGuarded: resealsGuarded, deadline: configuration.deadline))
    }

    /// What recognizes unchanged sources; `nil` if those must be looked at, too: a check with an analysis of imports may need
    /// their code.
    func unchangedSources(_ examiner: ModuleExaminer) -> UnchangedSources? {
        guard analysis == nil || !configuration.options.isCheckOnly else { return nil }
        return UnchangedSources(table.records, examiner)
    }

    // MARK: Waves

    /// Scans the tree and runs a wave over every source in scope.
    ///
    /// - Parameters:
    ///   - progress: called as modules are finished, with the number done and the total.
    ///   - done: called once, on the loop.
    package func build(
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }, done: @escaping (WaveReport) -> Void
    ) {
        let begun = Host.monotonic
        let result = scan()
        sweepIfNeeded(result)
        sweepOrphans(result)
        let missing = recordsMissing(from: result, within: configuration.starts)
        var input = WaveInput(sources: result.sources, missing: missing, problems: result.problems, begun: begun)
        input.settled = result.settled.count
        let imported = sourcesToReadNamesFrom(result.sources)
        guard !imported.isEmpty else { return run(input, progress: progress, done: done) }
        // Compiled first, so that the names they define are known; their own findings are not asked for.
        let context = WaveInput(sources: imported, missing: [], problems: [], begun: begun, reportsAll: false)
        run(context, progress: { _, _ in }) { [self] _ in run(input, progress: progress, done: done) }
    }

    /// Scans the named places. Leaves unchanged sources out of the result, unless an analysis of imports needs them.
    private func scan() -> ScanResult {
        let settled = analysis == nil ? unchangedSources(examiner()) : nil
        return scanner(settled: settled).scan(configuration.starts)
    }

    /// Runs one wave.
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
            // A daemon runs for a long time, so it cannot leave this to `close`.
            if report.compiled >= Self.manyCompiled { codeStore?.evictIfNeeded() }
            codeStore?.rest()
            done(report)
        }
    }

    /// Cancels the running wave, if any. Finished work is recorded and reported; the rest stays as it was.
    package func cancel() {
        wave?.cancel()
    }

    /// Records the changes of a wave, in memory and in the database.
    ///
    /// - Returns: the problems with the database.
    private func record(_ outcome: WaveOutcome) -> [LocatedDiagnostic] {
        for path in outcome.removed + outcome.forgotten { table.remove(path) }
        for record in outcome.records { table.update(record) }
        guard let store, configuration.writesDatabase else { return [] }
        var change = WaveChange(clock: clock + 1)
        change.removed = outcome.removed + outcome.forgotten
        change.modules = outcome.records.filter { !outcome.refreshedOnly.contains($0.path) }
        if interpreters.isChanged { change.interpreters = interpreters.known }
        guard !change.isEmpty else { return [] }
        // Records that were only refreshed (a racy stamp has settled) are written together with other changes.
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
        contents.modules = table.records
        return contents
    }

    /// Shuts the workers down, folds the journal and saves the import graph.
    ///
    /// - Returns: a message for the user if the database could not be written.
    package func close() -> String? {
        interpreters.shutDown()
        codeStore?.evictIfNeeded()
        guard let store, store.isHeld else { return nil }
        do throws(DatabaseError) {
            if configuration.lifetime == .service, store.hasJournal { try store.fold(contents) }
            // The imports of a part of the tree would be mistaken for those of the whole tree.
            if configuration.starts.contains(.empty) { try analysis?.save(to: store) }
            // If temporary files may be left and this run did not sweep them, the next build must.
            if configuration.writesDatabase || !mustSweep { store.markClean() }
            return nil
        } catch {
            return error.message
        }
    }

    /// Makes the report of a wave with these changes from the records at or below `starts`.
    ///
    /// - Parameter problems: paths that could not be read or written. They count as failed, no matter what their records say.
    package func report(
        on starts: [BytePath], changes: [WaveReport.Change], removed: Int, problems: [LocatedDiagnostic] = []
    ) -> WaveReport {
        let places = PathSet(starts)
        let isNamed = places.covers
        var report = WaveReport(clock: clock)
        report.changes = changes.filter { isNamed($0.path) }
        report.removed = removed
        // Sources are looked up, so the time for an answer about them does not grow with the tree.
        let failing = failing(with: problems).filter(isNamed)
        report.modules = places.coversRoot ? table.count : table.paths(within: places).count
        report.modules += failing.count { !table.contains($0) }
        report.failed = failing.count
        let results = Dictionary(report.changes.map { ($0.path, $0.result) }, uniquingKeysWith: { $1 })
        let standing = results.filter { table.contains($0.key) && !failing.contains($0.key) }
        report.compiled = standing.count { $0.value == .compiled }
        report.restamped = standing.count { $0.value == .restamped }
        report.restored = standing.count { $0.value == .restored }
        report.upToDate = report.modules - report.failed - report.compiled - report.restamped - report.restored
        for path in table.noted where isNamed(path) {
            if let record = table[path] { report.diagnostics += findings(record) }
        }
        report.diagnostics += importFindings(within: isNamed)
        report.diagnostics += problems.filter { isNamed($0.path) }
        report.diagnostics.sort { $0.isBefore($1) }
        return report
    }

    /// A message from the store for the user; returned once.
    package var storeNotice: String? { codeStore?.notice }

    /// Releases the database, so that another session can open it. This session cannot be used afterwards.
    package func releaseLock() {
        store = nil
    }
}

extension LoadedDatabase {
    fileprivate static func empty(root: BytePath) -> LoadedDatabase {
        LoadedDatabase(contents: DatabaseContents(root: root))
    }
}

// Queries of a continuous build about single sources.
