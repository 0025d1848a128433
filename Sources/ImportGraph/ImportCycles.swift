// Import cycles: strongly connected components, each with a shortest cycle in it.

/// Sources that all import each other, directly or indirectly.
package struct ImportCycle: Sendable {
    package struct Step: Hashable, Sendable {
        package let module: ModuleID
        /// Line of the import that leads to the next step.
        package let line: Int
        package let kind: ImportKind
    }

    /// All members, sorted by path.
    package let members: [ModuleID]
    /// A shortest cycle, starting at its first source by path.
    package let chain: [Step]
    /// Whether importing one member runs the whole cycle. Otherwise some import in the chain is deferred, lazy or for
    /// types only.
    package let isEager: Bool
    /// How the cycle breaks, if that is certain.
    package let failure: CircularFailure?
}

extension DependencyGraph {
    /// All cycles: first those of eager imports alone, then those that need other imports too.
    ///
    /// Imports for type checkers never run and do not count. Packages that merely run on the way to an import's target do not
    /// count: `import a.b` in `a/__init__.py` is not a cycle.
    package func cycles() -> [ImportCycle] {
        let eager = cycles(isEager: true)
        let sets = Set(eager.map(\.members))
        return eager + cycles(isEager: false).filter { !sets.contains($0.members) }
    }

    private func cycles(isEager: Bool) -> [ImportCycle] {
        let next = successors(isEager: isEager)
        var simulation = CycleSimulation(self)
        return Components(next).found.map { members in
            let members = members.sorted { isBefore($0, $1) }
            let chain = shortest(within: members, next)
            return ImportCycle(
                members: members, chain: steps(chain, isEager: isEager), isEager: isEager,
                failure: isEager ? simulation.failure(among: members, startingAt: chain + members) : nil)
        }.sorted { left, right in
            guard let first = left.members.first, let second = right.members.first else { return false }
            return isBefore(first, second)
        }
    }

    private func isBefore(_ left: ModuleID, _ right: ModuleID) -> Bool {
        (tree[left]?.path ?? []).lexicographicallyPrecedes(tree[right]?.path ?? [])
    }

    private func successors(isEager: Bool) -> [[ModuleID]] {
        var next = [[ModuleID]](repeating: [], count: tree.capacity)
        // For each target, the last module that has it in its list.
        var last = [Int32](repeating: -1, count: tree.capacity)
        for number in next.indices {
            let module = ModuleID(rawValue: Int32(number))
            guard let facts = facts(of: module) else { continue }
            var targets: [ModuleID] = []
            for edge in edges(from: module) where !edge.isImplicit {
                let kept = facts.imports[Int(edge.position)]
                if kept.traits.contains(.typeOnly) { continue }
                if !isEager || kept.isEager, last[Int(edge.target.rawValue)] != module.rawValue {
                    last[Int(edge.target.rawValue)] = module.rawValue
                    targets.append(edge.target)
                }
            }
            next[number] = targets
        }
        return next
    }

    /// The shortest cycle among members, which are sorted by path; of several, the first by path.
    private func shortest(within members: [ModuleID], _ next: [[ModuleID]]) -> [ModuleID] {
        let positions = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1, $0) })
        var search = ShortestRound(
            members.map { member in
                next[Int(member.rawValue)].compactMap { positions[$0] }
            })
        return search.find().map { members[$0] }
    }

    private func steps(_ way: [ModuleID], isEager: Bool) -> [ImportCycle.Step] {
        way.indices.compactMap { index in
            let module = way[index]
            let target = way[(index + 1) % way.count]
            guard let facts = facts(of: module) else { return nil }
            let positions = edges(from: module).filter { $0.target == target && !$0.isImplicit }.map {
                Int($0.position)
            }
            // Prefer eager imports: they run first, so they break first.
            let candidates = positions.map { facts.imports[$0] }.filter { !isEager || $0.isEager }
            guard let kept = candidates.first(where: \.isEager) ?? candidates.first else { return nil }
            return ImportCycle.Step(module: module, line: Int(kept.line), kind: kept.kind)
        }
    }
}

/// Tarjan's strongly connected components (1972), without recursion because chains of imports can be long.
private struct Components {
    /// Components with at least two members.
    private(set) var found: [[ModuleID]] = []

    init(_ next: [[ModuleID]]) {
        let none = Int32.max
        var order = [Int32](repeating: none, count: next.count)
        var low = [Int32](repeating: none, count: next.count)
        var isOpen = [Bool](repeating: false, count: next.count)
        var open: [Int] = []
        var count: Int32 = 0
        var path: [(node: Int, edge: Int)] = []
        for root in next.indices where order[root] == none && !next[root].isEmpty {
            path.append((root, 0))
            while let (node, edge) = path.last {
                if edge == 0 {
                    order[node] = count
                    low[node] = count
                    count += 1
                    open.append(node)
                    isOpen[node] = true
                }
                if edge < next[node].count {
                    path[path.count - 1].edge += 1
                    let target = Int(next[node][edge].rawValue)
                    if order[target] == none {
                        path.append((target, 0))
                    } else if isOpen[target] {
                        low[node] = min(low[node], order[target])
                    }
                    // Follow the other edges first.
                    continue
                }
                path.removeLast()
                if let (above, _) = path.last { low[above] = min(low[above], low[node]) }
                guard low[node] == order[node] else { continue }
                var members: [ModuleID] = []
                while let member = open.popLast() {
                    isOpen[member] = false
                    members.append(ModuleID(rawValue: Int32(member)))
                    if member == node { break }
                }
                if members.count > 1 { found.append(members) }
            }
        }
    }
}
