// The imports of a session's sources, scanned as they change.
// Knows: which sources must be read again, and what was compiled from them. Does not know: what an import means; the
// graph does.

import BasicTypes
import BuildDatabase
import BuildModel
import Bytecode
import Compilation
import FileWatching
import ImportGraph
import LinuxSystem

/// Owns the graph of a tree. Lives on the session's loop.
package final class ImportAnalysis {
    package var graph: DependencyGraph
    package let root: Directory
    private let rootPath: BytePath
    private let evaluators: [ConditionEvaluator]
    package let standardLibrary: Set<[UInt8]>
    /// What `graph.json` must have been written for.
    private let identity: String
    /// What the facts of each source were read from.
    private var states: [BytePath: SourceState] = [:]
    /// What freshly compiled code binds, and of which contents it is, until the source is scanned.
    private var compiled: [BytePath: (fingerprint: Fingerprint, bindings: ModuleBindings)] = [:]
    /// Findings of sources, for those that have any.
    package var findings: [BytePath: [Diagnostic]] = [:]
    package var treeFindings: (revision: Int, changes: Int, findings: [LocatedDiagnostic]) = (-1, -1, [])
    /// Nanoseconds that the last wave's imports took, from reading to findings.
    package var lastDuration: Int64 = 0
    /// Whether `graph.json` is behind.
    private var isChanged = false

    package init(root: Directory, rootPath: BytePath, interpreters: [Interpreter], sourceRoots: [BytePath]) {
        self.root = root
        self.rootPath = rootPath
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
            isProject: ImportableFiles.isProject(root))
    }

    // MARK: What was known before

    /// Takes in what an earlier run has written down.
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

    /// Writes down what is known, if that has changed.
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

    // MARK: What changes

    /// Takes in what a compilation has shown.
    package func note(code: [UInt8], of path: BytePath, fingerprint: Fingerprint, interpreter: Interpreter) {
        guard let bindings = interpreter.bindings(of: code) else { return }
        compiled[path] = (fingerprint, bindings)
    }

    /// What is known of a source's compilation.
    package struct Compilation {
        /// It does not compile.
        package var isFailing = false
        /// Its bytecode.
        package var artifact: Artifact?

        package init(isFailing: Bool = false, artifact: Artifact? = nil) {
            self.isFailing = isFailing
            self.artifact = artifact
        }
    }

    /// Bytecode that shows what a source binds.
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

    /// Looks at sources that were met, and takes in those that are not as they were.
    ///
    /// - Parameters:
    ///   - others: names of files that are no sources and came or went.
    ///   - isComplete: whether what was not met is gone.
    ///   - compilation: what is on record of a source.
    /// - Returns: sources with findings that may be others now.
    @discardableResult
    package func refresh(
        _ sources: [ScannedSource], removed: [BytePath] = [], others: [[UInt8]] = [], isComplete: Bool = false,
        compilation: (BytePath) -> Compilation = { _ in Compilation() }
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
        }
        let items = sources.compactMap { item(for: $0, compilation($0.path)) }
        let reader = SourceReader(root: root)
        let inspector = ArtifactInspector(root: root)
        let scans = ParallelSlices.map(items, sliceSize: 16, scratch: {}) { item, _ in
            item.scan(reader, inspector)
        }
        var names = graph.names
        var reread: [BytePath] = []
        for (item, scan) in zip(items, scans) {
            guard let facts = take(scan, of: item, &names) else {
                // The same imports; but a comment may ask for silence now, or no longer.
                if scan.state?.fingerprint != item.old?.fingerprint { reread.append(item.path) }
                continue
            }
            update.changed.append((Array(item.path.bytes), facts))
        }
        graph.names = names
        let silenced = Set(reread.compactMap { graph.tree.find($0.bytes) })
        if !silenced.isEmpty { treeFindings.changes = -1 }
        guard !update.isEmpty else { return silenced }
        isChanged = true
        return graph.apply(update).union(silenced)
    }

    /// What there is to do about a source; `nil` where nothing is.
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

    /// - Returns: the facts as they are now; `nil` where they are as they were.
    private func take(_ scan: ScanItem.Scan, of item: ScanItem, _ names: inout NameTable) -> ModuleFacts? {
        let before = graph.tree.find(item.path.bytes).flatMap { graph.facts(of: $0) }
        var facts = before
        if let state = scan.state { states[item.path] = state }
        if let statements = scan.statements {
            if item.isFailing, before != nil {
                // A source that does not compile keeps what its last version that did has said.
                facts?.isOutdated = true
            } else {
                facts = ModuleFacts(statements, names: &names, evaluators: evaluators)
                facts?.isOutdated = item.isFailing
            }
        }
        if let bindings = scan.bindings { facts?.bindings = Bindings(bindings, names: &names) }
        if let noted = compiled.removeValue(forKey: item.path), noted.fingerprint == states[item.path]?.fingerprint {
            facts?.bindings = Bindings(noted.bindings, names: &names)
        }
        return facts == before ? nil : facts
    }
}

/// One source that must be looked at.
private struct ScanItem: Sendable {
    let path: BytePath
    let old: SourceState?
    let isFailing: Bool
    var readsSource = false
    /// Its imports are wanted even if its contents are as they were.
    var mustScan = false
    /// Its code was just compiled.
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
        ).flatMap { artifact.interpreter.bindings(of: $0) }
        return scan
    }
}

extension ConditionEvaluator {
    /// What an interpreter on this system answers.
    package init(_ interpreter: Interpreter) {
        let numbers = interpreter.version.split(separator: ".").map { $0.prefix { $0.isNumber } }.compactMap { Int($0) }
        let isOld = numbers.first == 2
        self.init(
            version: numbers, platform: isOld ? "linux2" : "linux", implementation: interpreter.implementation)
    }
}
