// Selects a part of the graph.

/// Which sources and imports to show.
package struct GraphSelection: Sendable {
    package enum Direction: String, CaseIterable, Sendable {
        /// What is imported, and what that imports.
        case dependencies
        /// What imports it, and what imports that.
        case dependents
    }

    /// Where to begin; empty for the whole graph.
    package var from: [ModuleID]
    package var direction: Direction
    /// Maximum number of steps.
    package var depth: Int
    package var kinds: Set<ImportKind>

    package init(
        from: [ModuleID] = [], direction: Direction = .dependencies, depth: Int = .max,
        kinds: Set<ImportKind> = Set(ImportKind.allCases)
    ) {
        self.from = from
        self.direction = direction
        self.depth = depth
        self.kinds = kinds
    }
}

extension DependencyGraph {
    /// The sources of a selection, by path.
    package func modules(of selection: GraphSelection) -> [ModuleID] {
        let all = selection.from.isEmpty ? Set(tree.modules) : reached(selection)
        return all.sorted { (tree[$0]?.path ?? []).lexicographicallyPrecedes(tree[$1]?.path ?? []) }
    }

    private func reached(_ selection: GraphSelection) -> Set<ModuleID> {
        var found = Set(selection.from)
        var level = selection.from
        var steps = 0
        var lookup = EdgeLookup(self, kinds: selection.kinds)
        while !level.isEmpty, steps < selection.depth {
            steps += 1
            var next: [ModuleID] = []
            for module in level {
                let neighbours: [ModuleID] =
                    switch selection.direction {
                    case .dependencies: targets(of: module, selection.kinds)
                    case .dependents:
                        importers(of: module).filter {
                            !found.contains($0) && lookup.edge(from: $0, to: module) != nil
                        }
                    }
                for neighbour in neighbours where found.insert(neighbour).inserted { next.append(neighbour) }
            }
            level = next
        }
        return found
    }

    private func targets(of module: ModuleID, _ kinds: Set<ImportKind>) -> [ModuleID] {
        guard let facts = facts(of: module) else { return [] }
        return edges(from: module).filter { kinds.contains(facts.imports[Int($0.position)].kind) }.map(\.target)
    }

    /// One import as text: `from .a import b as c`, `import a.b`, `load a` for a call.
    package func statement(_ kept: KeptImport, in facts: ModuleFacts) -> String {
        let list = facts.names[kept.names].map { name in
            names.text(name.name) + (name.alias == .empty ? "" : " as \(names.text(name.alias))")
        }.joined(separator: ", ")
        let source = String(repeating: ".", count: Int(kept.level)) + names.text(kept.module)
        return switch kept.form {
        case .modules: "import \(list)"
        case .names: "from \(source) import \(list)"
        case .call: list.isEmpty ? "load \(source)" : "load \(source) for \(list)"
        }
    }
}
