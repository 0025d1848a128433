// Finds the import by which one source leads to another.

/// Finds the first import of the requested kinds by which one source leads to another. A source with many imports is
/// scanned once, not once for each source that it imports.
struct EdgeLookup {
    private let graph: DependencyGraph
    private let kinds: Set<ImportKind>
    private var long: [ModuleID: [ModuleID: ImportEdge]] = [:]

    /// Up to this many imports are scanned each time.
    private static let short = 16

    init(_ graph: DependencyGraph, kinds: Set<ImportKind>) {
        self.graph = graph
        self.kinds = kinds
    }

    mutating func edge(from importer: ModuleID, to target: ModuleID) -> ImportEdge? {
        if let known = long[importer] { return known[target] }
        guard let facts = graph.facts(of: importer) else { return nil }
        func matches(_ edge: ImportEdge) -> Bool { kinds.contains(facts.imports[Int(edge.position)].kind) }
        let edges = graph.edges(from: importer)
        guard edges.count > Self.short else { return edges.first { $0.target == target && matches($0) } }
        var byTarget: [ModuleID: ImportEdge] = [:]
        for edge in edges where matches(edge) && byTarget[edge.target] == nil { byTarget[edge.target] = edge }
        long[importer] = byTarget
        return byTarget[target]
    }
}
