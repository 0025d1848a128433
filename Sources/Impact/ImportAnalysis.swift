// Keeps the import graph of a tree up to date: scans changed sources, and reads the names that they bind from bytecode.

import BasicTypes
import BuildDatabase
import BuildModel
import Bytecode
import Compilation
import FileWatching
import ImportGraph
import LinuxSystem

/// Owns the import graph of a tree. Use it only on the session's loop.
package final class ImportAnalysis {
    package var graph: DependencyGraph
    package let root: Directory
    let rootPath: BytePath
    private let evaluators: [ConditionEvaluator]
    package let standardLibrary: Set<[UInt8]>
    /// The interpreters and source roots that `graph.json` must match.
    private let identity: String
    /// The state of each source when its imports were scanned.
    var states: [BytePath: SourceState] = [:]
    var knowledge = ImpactKnowledge()
    var outsideAssignments = OutsideAssignments()
    var registrations = ModuleRegistrations()
    /// The names that new code binds, with the fingerprint of its source; kept until the source is scanned.
    private var compiled: [BytePath: (fingerprint: Fingerprint, bindings: ModuleBindings)] = [:]
    /// The findings of each source that has any.
    package var findings: [BytePath: [Diagnostic]] = [:]
    /// The findings about the tree as they were last computed.
    package var knownTreeFindings = KnownTreeFindings()
    /// How long the import analysis of the last wave took, in nanoseconds.
    package var lastDuration: Int64 = 0
    /// From `[tool.freshpyc.affects]`.
    let declaredDependencies: [DeclaredDependency]
    /// Whether the graph has changes that are not in `graph.json`.
    private var isChanged = false

    package init(
        root: Directory, rootPath: BytePath, interpreters: [Interpreter], sourceRoots: [BytePath],
        declaredDependencies: [DeclaredDependency] = []
    ) {
        self.root = root
        self.rootPath = rootPath
        self.declaredDependencies = declaredDependencies
        identity =
            interpreters.map(\.name).joined(separator: ", ") + "; "
            + sourceRoots.map(\.description).joined(separator: ":")
        evaluators = interpreters.map { ConditionEvaluator($0) }
        standardLibrary = interpreters.reduce(into: []) { $0.formUnion($1.standardLibraryNames) }
        let builtIn = interpreters.reduce(into: Set<[UInt8]>()) { $0.formUnion($1.builtInNames) }
        graph = DependencyGraph(
            configuredRoots: sourceRoots.map { Array($0.bytes) }, builtIn: builtIn, standard: standardLibrary,
            installed: interpreters.reduce(into: []) { $0.formUnion(InstalledNames.of($1)) },
            isImplicitlyRelative: !interpreters.isEmpty && interpreters.allSatisfy { $0.version.hasPrefix("2.") },
            listing: ImportableFiles.listing(root),
            isProject: ImportableFiles.isProject(root), isInstallation: ImportableFiles.isInstallation(root))
    }

    // MARK: Loading and saving

    /// Loads the graph of an earlier run.
    package func load(from store: DatabaseStore) {
        var names = graph.names
        guard let contents = store.loadGraph(root: rootPath, interpreters: identity, names: &names) else { return }
        graph.names = names
        graph.remember(vanished: contents.vanished.map { Array($0.bytes) })
        var update = DependencyGraph.Update()
        for record in contents.modules {
            states[record.path] = record.state
            update.changed.append((Array(record.path.bytes), record.facts))
        }
        _ = graph.apply(update)
    }

    /// Saves the graph if it has changed.
    package func save(to store: DatabaseStore) throws(DatabaseError) {
        guard isChanged else { return }
        var contents = GraphContents(root: rootPath, interpreters: identity)
        contents.vanished = graph.vanished.compactMap { BytePath($0) }.sorted()
        var modules: [ModuleID] = []
        for module in graph.tree.modules {
            guard let entry = graph.tree[module], let facts = graph.facts(of: module), let path = BytePath(entry.path),
                let state = states[path]
            else { continue }
            modules.append(module)
            contents.modules.append(GraphRecord(path: path, state: state, facts: facts))
        }
        let bytes = GraphSnapshot.encode(contents, names: graph.names) { [graph] index, position in
            graph.edges(from: modules[index]).filter { $0.position == Int32(position) && !$0.isImplicit }.compactMap {
                graph.tree[$0.target].flatMap { BytePath($0.path) }
            }
        }
        try store.saveGraph(bytes)
        isChanged = false
    }

    // MARK: Changes

    /// Notes the names that newly compiled code binds.
    package func note(_ bindings: ModuleBindings, of path: BytePath, fingerprint: Fingerprint) {
        compiled[path] = (fingerprint, bindings)
    }

    /// The recorded result of compiling a source.
    package struct Compilation {
        /// The source does not compile.
        package var isFailing = false
        /// The bytecode of the source.
        package var artifact: Artifact?

        package init(isFailing: Bool = false, artifact: Artifact? = nil) {
            self.isFailing = isFailing
            self.artifact = artifact
        }
    }

    /// Bytecode from which the names that a source binds can be read.
    package struct Artifact: Sendable {
        package let path: BytePath
        package let published: PublishedArtifact
        package let fingerprint: Fingerprint
        package let interpreter: Interpreter

        package init(path: BytePath, published: PublishedArtifact, fingerprint: Fingerprint, interpreter: Interpreter) {
            self.path = path
            self.published = published
            self.fingerprint = fingerprint
            self.interpreter = interpreter
        }
    }

    /// Scans the sources that have changed, and updates the graph.
    ///
    /// - Parameters:
    ///   - sources: the sources that the scanner found.
    ///   - others: names of importable files that are not sources and appeared or disappeared.
    ///   - isComplete: whether `sources` is the whole tree, so that all other sources have been removed.
    ///   - compilation: the recorded compilation of a source.
    /// - Returns: the sources whose findings may have changed.
    @discardableResult
    package func refresh(
        _ sources: [ScannedSource], removed: [BytePath] = [], others: [[UInt8]] = [], isComplete: Bool = false,
        compilation: (ScannedSource) -> Compilation = { _ in Compilation() }
    ) -> Set<ModuleID> {
        var update = DependencyGraph.Update()
        update.others = others
        var gone = Set(removed)
        if isComplete {
            let met = Set(sources.map(\.path))
            gone.formUnion(states.keys.filter { !met.contains($0) })
        }
        for path in gone where states.removeValue(forKey: path) != nil {
            update.removed.append(Array(path.bytes))
            findings[path] = nil
            compiled[path] = nil
            knowledge.touch(path)
        }
        let items = sources.compactMap { item(for: $0, compilation($0)) }
        let reader = SourceReader(root: root)
        let inspector = ArtifactInspector(root: root)
        let scans = ParallelSlices.map(items, sliceSize: 16, scratch: {}) { item, _ in
            item.scan(reader, inspector)
        }
        var names = graph.names
        var reread: [BytePath] = []
        for (item, scan) in zip(items, scans) {
            guard let facts = merge(scan, of: item, &names) else {
                // The imports are the same, but an ignore comment may have changed.
                if scan.state?.fingerprint != item.old?.fingerprint { reread.append(item.path) }
                continue
            }
            update.changed.append((Array(item.path.bytes), facts))
        }
        graph.names = names
        var silenced = Set(reread.compactMap { graph.tree.find($0.bytes) })
        let changedBefore = silenced.union(
            (update.removed + update.changed.map(\.path)).compactMap { graph.tree.find($0) })
        if !knownTreeFindings.involved.isDisjoint(with: changedBefore) { knownTreeFindings.isStale = true }
        if !update.isEmpty {
            if update.changed.contains(where: { $0.path.isInitial }) { knownTreeFindings.isStale = true }
            isChanged = true
            silenced.formUnion(graph.apply(update))
        }
        let concerned = changedBefore.union(silenced)
        return silenced.union(outsideAssignments.owners(after: concerned, graph))
            .union(registrations.owners(after: concerned, graph))
    }

    /// Whether the names that a source binds are not known yet.
    package func lacksBindings(of source: BytePath) -> Bool {
        graph.tree.find(source.bytes).flatMap { graph.facts(of: $0) }.map { $0.bindings == .unread } ?? true
    }

    /// The sources that these import names from, directly or through `import *`, and whose bindings are not known.
    package func importedWithoutBindings(by sources: [BytePath]) -> Set<BytePath> {
        var open = sources.compactMap { graph.tree.find($0.bytes) }
        var seen = Set(open)
        var found: Set<BytePath> = []
        let isFirst = seen
        while let module = open.popLast() {
            guard let facts = graph.facts(of: module) else { continue }
            for edge in graph.edges(from: module) where !edge.isImplicit {
                let kept = facts.imports[Int(edge.position)]
                let isStar = facts.names[kept.names].contains { $0.name == graph.star }
                guard kept.form == .names, isStar || isFirst.contains(module), seen.insert(edge.target).inserted else {
                    continue
                }
                open.append(edge.target)
                if graph.facts(of: edge.target)?.bindings == .unread, let path = path(edge.target) {
                    found.insert(path)
                }
            }
        }
        return found
    }

    /// Whether a source could be read, now or earlier.
    package func knows(_ source: BytePath) -> Bool { states[source] != nil }

    /// The analyzed sources at or below these places.
    package func sources(within places: PathSet) -> [BytePath] { states.keys.filter { places.covers($0) } }

    /// The work to do for a source; `nil` if there is none.
    private func item(for source: ScannedSource, _ compilation: Compilation) -> ScanItem? {
        let facts = graph.tree.find(source.path.bytes).flatMap { graph.facts(of: $0) }
        let old = states[source.path]
        var item = ScanItem(path: source.path, old: old, isFailing: compilation.isFailing)
        item.readsSource = old.map { $0.stamp != source.stamp || $0.isRacy } ?? true
        item.mustScan = facts.map { $0.isOutdated != compilation.isFailing } ?? true
        if compiled[source.path] != nil {
            item.hasBindings = true
        } else if !compilation.isFailing, item.readsSource || facts.map({ $0.bindings == .unread }) ?? true {
            item.artifact = compilation.artifact
        }
        return item.readsSource || item.mustScan || item.hasBindings || item.artifact != nil ? item : nil
    }

    /// Whether a source imports a module of its own name, or of its package's.
    private static func importsItself(_ path: BytePath, _ facts: ModuleFacts?, _ names: inout NameTable) -> Bool {
        let stem =
            path.lastComponent.elementsEqual("__init__.py".utf8)
            ? path.parent.lastComponent : path.lastComponent.dropLast(3)
        guard let facts, let own = names.find(stem) else { return false }
        return facts.names.contains { $0.name == own }
            || facts.imports.contains { names.components(of: $0.module).last == own }
            || facts.names.contains { names.components(of: $0.name).last == own }
    }

    /// Merges a scan into the facts of its source.
    ///
    /// - Returns: the new facts; `nil` if they have not changed.
    private func merge(_ scan: ScanItem.Scan, of item: ScanItem, _ names: inout NameTable) -> ModuleFacts? {
        let before = graph.tree.find(item.path.bytes).flatMap { graph.facts(of: $0) }
        var facts = before
        if let state = scan.state {
            if states[item.path]?.fingerprint != state.fingerprint { knowledge.touch(item.path) }
            states[item.path] = state
        }
        if let statements = scan.statements {
            if item.isFailing, before != nil {
                // A source that does not compile keeps the facts of its last version that did.
                facts?.isOutdated = true
            } else {
                facts = ModuleFacts(statements, names: &names, evaluators: evaluators)
                facts?.isOutdated = item.isFailing
            }
        }
        let importsItself = Self.importsItself(item.path, facts, &names)
        if let bindings = scan.bindings {
            facts?.bindings = Bindings(bindings, importsItself: importsItself, names: &names)
        }
        if let noted = compiled.removeValue(forKey: item.path), noted.fingerprint == states[item.path]?.fingerprint {
            facts?.bindings = Bindings(noted.bindings, importsItself: importsItself, names: &names)
        }
        return facts == before ? nil : facts
    }
}

/// Findings about several modules together, and what they were computed from.
package struct KnownTreeFindings {
    fileprivate(set) var isStale = false
    let revision: Int
    let treeRevision: Int
    /// See `TreeFindings`.
    let involved: Set<ModuleID>
    /// Those that no comment ignores.
    package let shown: [LocatedDiagnostic]

    init(
        revision: Int = -1, treeRevision: Int = -1, involved: Set<ModuleID> = [], shown: [LocatedDiagnostic] = []
    ) {
        self.revision = revision
        self.treeRevision = treeRevision
        self.involved = involved
        self.shown = shown
    }
}

extension [UInt8] {
    /// Whether this is the path of an `__init__.py`.
    fileprivate var isInitial: Bool { suffix(11).elementsEqual("__init__.py".utf8) }
}

/// One source that must be scanned.
private struct ScanItem: Sendable {
    let path: BytePath
    let old: SourceState?
    let isFailing: Bool
    var readsSource = false
    /// The imports must be scanned even if the contents have not changed.
    var mustScan = false
    /// The source was just compiled, so its bindings are known.
    var hasBindings = false
    var artifact: ImportAnalysis.Artifact?

    init(path: BytePath, old: SourceState?, isFailing: Bool) {
        self.path = path
        self.old = old
        self.isFailing = isFailing
    }

    struct Scan: Sendable {
        var state: SourceState?
        var statements: [ImportStatement]?
        var bindings: ModuleBindings?
    }

    func scan(_ reader: SourceReader, _ inspector: ArtifactInspector) -> Scan {
        var scan = Scan()
        if readsSource || mustScan, let snapshot = try? reader.read(path) {
            scan.state = snapshot.state
            if mustScan || snapshot.state.fingerprint != old?.fingerprint {
                scan.statements = ImportScanner.scan(snapshot.bytes)
            }
        }
        guard let artifact, artifact.fingerprint == (scan.state ?? old)?.fingerprint else { return scan }
        scan.bindings = inspector.body(
            artifact.path, published: artifact.published, headerLength: artifact.interpreter.layout.rawValue
        ).flatMap { artifact.interpreter.bindings(of: $0[...]) }
        return scan
    }
}

extension ConditionEvaluator {
    /// Evaluates conditions as this interpreter on this system would.
    package init(_ interpreter: Interpreter) {
        let numbers = interpreter.version.split(separator: ".").map { $0.prefix { $0.isNumber } }.compactMap { Int($0) }
        let isOld = numbers.first == 2
        self.init(
            version: numbers, platform: isOld ? "linux2" : "linux", implementation: interpreter.implementation)
    }
}
