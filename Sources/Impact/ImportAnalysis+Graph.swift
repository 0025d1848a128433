// Questions about the graph of a tree: what imports what, what a change reaches, which modules form cycles.

import BasicTypes
import BuildModel
import ImportGraph
import LinuxSystem

extension ImportAnalysis {
    private func path(_ module: ModuleID) -> BytePath? {
        graph.tree[module].flatMap { BytePath($0.path) }
    }

    // MARK: One source

    /// The imports of a source.
    package func imports(of path: BytePath) -> [GraphImport] {
        guard let module = graph.tree.find(path.bytes) else { return [] }
        return graph.node(module, kinds: Set(ImportKind.allCases), shown: nil, shownPaths())?.imports ?? []
    }

    /// The sources that import a source.
    package func importers(of path: BytePath) -> [BytePath] {
        guard let module = graph.tree.find(path.bytes) else { return [] }
        return graph.importers(of: module).compactMap { self.path($0) }.sorted()
    }

    // MARK: graph

    /// The part of the graph that these paths select.
    ///
    /// - Parameter paths: sources, or folders for all sources in them; empty for the whole graph.
    package func nodes(
        from paths: [BytePath], direction: GraphSelection.Direction, depth: Int, kinds: Set<ImportKind>
    ) -> [GraphNode] {
        let begin = modules(at: paths)
        if begin.isEmpty, !paths.isEmpty { return [] }
        let selection = GraphSelection(from: begin, direction: direction, depth: depth, kinds: kinds)
        let chosen = graph.modules(of: selection)
        let shown = paths.isEmpty ? nil : Set(chosen)
        let texts = shownPaths()
        let graph = graph
        // Each thread has its own value of the graph. Lookups are cached already, so the storage is not copied.
        let nodes = ParallelSlices.map(chosen, sliceSize: 128, scratch: { GraphScratch(graph) }) { module, scratch in
            scratch.graph.node(module, kinds: kinds, shown: shown, texts)
        }
        return nodes.compactMap { $0 }
    }

    /// The sources at these paths, and in these folders.
    private func modules(at paths: [BytePath]) -> [ModuleID] {
        var found: [ModuleID] = []
        var folders: [BytePath] = []
        for path in paths {
            if let module = graph.tree.find(path.bytes) { found.append(module) } else { folders.append(path) }
        }
        if folders.isEmpty { return found }
        let places = PathSet(folders)
        return found
            + graph.tree.modules.filter { module in
                graph.tree[module].flatMap { BytePath($0.path) }.map { places.covers($0) } ?? false
            }
    }

    // MARK: affected

    /// The sources that a change of these files affects. The files need not exist.
    package func affected(by paths: [BytePath], kinds: Set<ImportKind>, testsAlone: Bool) -> AffectedAnswer {
        var answer = AffectedAnswer()
        var begin: [ModuleID] = []
        var absent: [[UInt8]] = []
        for path in paths {
            if let module = graph.tree.find(path.bytes) {
                begin.append(module)
                if graph.facts(of: module)?.isOutdated == true {
                    answer.widened.append((path, "does not compile, so its imports may be incomplete"))
                }
            } else {
                begin += widened(path, graph, &absent, &answer)
            }
        }
        begin += graph.importers(ofAbsent: absent)
        let dependents = Dependents(of: begin, in: graph, kinds: kinds)
        for module in dependents.links.keys {
            guard let entry = graph.tree[module], !testsAlone || TestNames.isTest(entry.path) else { continue }
            let chain = dependents.chain(from: module).compactMap { step(from: $0.0, $0.1) }
            answer.sources.append(AffectedSource(chain: chain))
        }
        answer.sources.sort { $0.path < $1.path }
        return answer
    }

    private func step(from module: ModuleID, _ link: DependentLink) -> AffectedSource.Step? {
        path(module).map { path in
            switch link {
            case .changed: AffectedSource.Step(path: path, link: "changed", line: 0)
            case .imports(_, let line): AffectedSource.Step(path: path, link: "imports", line: line)
            case .package: AffectedSource.Step(path: path, link: "package", line: 0)
            case .conftest: AffectedSource.Step(path: path, link: "conftest", line: 0)
            }
        }
    }

    /// What a file affects that is not in the graph. For a source that is deleted or out of scope, its importers. For
    /// any other file, the sources in the nearest folder that has some: they may read it.
    private func widened(
        _ path: BytePath, _ graph: DependencyGraph, _ absent: inout [[UInt8]], _ answer: inout AffectedAnswer
    ) -> [ModuleID] {
        let name = path.lastComponent
        if ImportableName.isLeaf(name) || path.hasSuffix(".py") {
            absent.append(Array(path.parent.appending(ImportableName.stem(name) + Array(".py".utf8)).bytes))
            return []
        }
        var folder = path
        while !folder.isEmpty {
            folder = folder.parent
            guard let directory = graph.tree.directory(Array(folder.bytes), names: graph.names) else { continue }
            let beside = graph.tree.modules(in: directory)
            guard !beside.isEmpty else { continue }
            let place = folder.isEmpty ? "the root" : "\(folder)/"
            answer.widened.append((path, "is not a source: every source in \(place) may read it"))
            return beside
        }
        answer.widened.append(
            (path, "is not a source, and no folder above it has sources: nothing is known to read it"))
        return []
    }

    // MARK: cycles

    package func cycles() -> [CycleAnswer] {
        graph.cycles().map { cycle in
            CycleAnswer(
                members: cycle.members.compactMap { path($0) },
                chain: cycle.chain.compactMap { step in path(step.module).map { ($0, step.line, step.kind) } },
                isEager: cycle.isEager)
        }
    }
}

extension ImportAnalysis {
    /// The text of each path, indexed by module number. Each one is shown for many imports.
    fileprivate func shownPaths() -> [String] {
        var texts = [String](repeating: "", count: graph.tree.capacity)
        for module in graph.tree.modules {
            guard let path = graph.tree[module].flatMap({ BytePath($0.path) }) else { continue }
            texts[Int(module.rawValue)] = path.description
        }
        return texts
    }
}

/// The graph of one thread.
private final class GraphScratch {
    var graph: DependencyGraph

    init(_ graph: DependencyGraph) {
        self.graph = graph
    }
}

extension DependencyGraph {
    /// One source with its imports.
    ///
    /// - Parameter shown: the sources that are shown as targets; `nil` for all.
    fileprivate mutating func node(
        _ module: ModuleID, kinds: Set<ImportKind>, shown: Set<ModuleID>?, _ texts: [String]
    ) -> GraphNode? {
        guard let facts = facts(of: module) else { return nil }
        func paths(_ edges: [ImportEdge], isImplicit: Bool) -> [String] {
            var seen: [ModuleID] = []
            for edge in edges where edge.isImplicit == isImplicit && edge.target != module {
                if shown?.contains(edge.target) ?? true, !seen.contains(edge.target) { seen.append(edge.target) }
            }
            return seen.map { texts[Int($0.rawValue)] }
        }
        let imports = facts.imports.enumerated().compactMap { position, kept -> GraphImport? in
            guard kinds.contains(kept.kind) else { return nil }
            let judgement = judge(kept, at: position, of: module)
            return GraphImport(
                line: Int(kept.line), column: Int(kept.column) + 1, kind: kept.kind,
                statement: statement(kept, in: facts), state: judgement.state.rawValue,
                targets: paths(judgement.edges, isImplicit: false),
                through: paths(judgement.edges, isImplicit: true),
                external: judgement.external.map { names.text($0) }, neverRuns: kept.neverRuns)
        }
        return GraphNode(path: texts[Int(module.rawValue)], isOutdated: facts.isOutdated, imports: imports)
    }
}
