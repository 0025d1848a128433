// Queries about the graph of a tree: which modules import which, and which form cycles.

import BasicTypes
import BuildModel
import ImportGraph
import LinuxSystem

extension ImportAnalysis {
    func path(_ module: ModuleID) -> BytePath? {
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
    /// - Parameter paths: sources, or directories for all sources below them; empty for the whole graph.
    package func nodes(
        from paths: [BytePath], direction: GraphSelection.Direction, depth: Int, kinds: Set<ImportKind>
    ) -> [GraphNode] {
        let begin = modules(at: paths)
        if begin.isEmpty, !paths.isEmpty { return [] }
        let selection = GraphSelection(from: begin, direction: direction, depth: depth, kinds: kinds)
        let chosen = graph.modules(of: selection)
        // Without steps, all that these sources import is shown.
        let shown = paths.isEmpty || depth == 0 ? nil : Set(chosen)
        let texts = shownPaths()
        let graph = graph
        // Each thread has its own value of the graph. Lookups are cached already, so the storage is not copied.
        let nodes = ParallelSlices.map(chosen, sliceSize: 128, scratch: { GraphScratch(graph) }) { module, scratch in
            scratch.graph.node(module, kinds: kinds, shown: shown, texts)
        }
        return nodes.compactMap { $0 }
    }

    /// The sources at or below these paths.
    func modules(at paths: [BytePath]) -> [ModuleID] {
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
    /// The text of each path, indexed by module number. Computed once, because each path is shown for many imports.
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
