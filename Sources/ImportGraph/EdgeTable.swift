// The edges of the graph in both directions.

/// Who imports whom. Replaces the edges of many sources at once: a module with thousands of importers has a list of
/// thousands, which is then scanned once for all of them, not once for each.
struct EdgeTable: Sendable {
    private var outgoing: [[ImportEdge]] = []
    private var incoming: [[ModuleID]] = []

    func edges(from module: ModuleID) -> [ImportEdge] {
        outgoing.indices.contains(Int(module.rawValue)) ? outgoing[Int(module.rawValue)] : []
    }

    func importers(of module: ModuleID) -> [ModuleID] {
        incoming.indices.contains(Int(module.rawValue)) ? incoming[Int(module.rawValue)] : []
    }

    /// Makes room for modules with numbers below `capacity`.
    mutating func makeRoom(_ capacity: Int) {
        while outgoing.count < capacity {
            outgoing.append([])
            incoming.append([])
        }
    }

    /// Replaces the outgoing edges of these modules. Each module may occur only once.
    mutating func replace(_ changes: [(module: ModuleID, edges: [ImportEdge])]) {
        var lost: [ModuleID: Set<ModuleID>] = [:]
        for (module, edges) in changes {
            let before = Set(outgoing[Int(module.rawValue)].lazy.map(\.target))
            let after = Set(edges.lazy.map(\.target))
            for target in before where !after.contains(target) { lost[target, default: []].insert(module) }
            for target in after where !before.contains(target) { incoming[Int(target.rawValue)].append(module) }
            outgoing[Int(module.rawValue)] = edges
        }
        for (target, modules) in lost { incoming[Int(target.rawValue)].removeAll { modules.contains($0) } }
    }
}
