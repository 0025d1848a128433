// Whether an import cycle breaks: imports each member first, as Python would, and looks for a name that is imported before
// its module has bound it.
//
// Follows only imports that certainly run when a module is imported. What it finds fails; what it does not find may still
// fail, for example where an attribute of an imported module is used (`import a`, then `a.x`).

/// An import that fails.
package struct CircularFailure: Hashable, Sendable {
    /// The module that is imported first.
    package let entry: ModuleID
    /// The module with the import that fails, and the line.
    package let importer: ModuleID
    package let line: Int
    package let column: Int
    /// The name that is not bound yet, and the module that binds it later.
    package let name: NameID
    package let module: ModuleID
}

/// Simulates imports among the members of one cycle.
struct CycleSimulation {
    private enum State {
        /// Only the first so many names are bound; `nil` if that is not known.
        case running(bound: Int?)
        case loaded
    }

    private struct Frame {
        let module: ModuleID
        /// The import to run next.
        var position = 0
        /// Its targets that are members and have not been imported yet.
        var pending: [ModuleID] = []
        var hasBegun = false
    }

    private var graph: DependencyGraph
    private let members: Set<ModuleID>
    /// Imports that may be run for one cycle: larger ones are not searched from every member.
    private var budget = 2_000_000

    init(_ graph: DependencyGraph, members: [ModuleID]) {
        self.graph = graph
        self.members = Set(members)
    }

    /// The first failure, when each member in turn is imported first.
    mutating func failure(startingAt entries: [ModuleID]) -> CircularFailure? {
        for entry in entries {
            if let failure = run(entry) { return failure }
            if budget <= 0 { return nil }
        }
        return nil
    }

    private mutating func run(_ entry: ModuleID) -> CircularFailure? {
        var states: [ModuleID: State] = [:]
        var stack: [Frame] = []
        func begin(_ module: ModuleID) {
            states[module] = .running(bound: 0)
            stack.append(Frame(module: module))
        }
        // The packages above the entry run before it.
        for package in packages(above: entry) + [entry] where states[package] == nil {
            begin(package)
            while let frame = stack.last {
                budget -= 1
                if budget <= 0 { return nil }
                guard let facts = graph.facts(of: frame.module), frame.position < facts.imports.count else {
                    states[frame.module] = .loaded
                    stack.removeLast()
                    continue
                }
                let top = stack.count - 1
                let kept = facts.imports[frame.position]
                guard kept.isCertain else {
                    stack[top].position += 1
                    continue
                }
                if !frame.hasBegun {
                    states[frame.module] = .running(bound: boundBefore(frame.position, facts))
                    stack[top].hasBegun = true
                    stack[top].pending = targets(of: frame.module, frame.position)
                }
                if let next = stack[top].pending.first {
                    stack[top].pending.removeFirst()
                    if states[next] == nil { begin(next) }
                    continue
                }
                if !isHandled(stack),
                    let failure = failure(of: kept, at: frame.position, in: frame.module, entry, states)
                {
                    return failure
                }
                stack[top].position += 1
                stack[top].hasBegun = false
            }
        }
        return nil
    }

    /// Whether a failure here is handled by this import, or by one that led to it.
    private func isHandled(_ stack: [Frame]) -> Bool {
        stack.contains { frame in
            graph.facts(of: frame.module).map { $0.imports[frame.position].traits.contains(.optional) } ?? false
        }
    }

    private func packages(above module: ModuleID) -> [ModuleID] {
        guard let entry = graph.tree[module] else { return [] }
        var found: [ModuleID] = []
        var directory: DirectoryID? = entry.directory
        while let current = directory, let initial = graph.tree.initial(of: current) {
            if initial != module, members.contains(initial) { found.append(initial) }
            directory = graph.tree.parent(of: current)
        }
        return found.reversed()
    }

    /// The members that an import runs, in order: packages on the way first.
    private func targets(of module: ModuleID, _ position: Int) -> [ModuleID] {
        let edges = graph.edges(from: module).filter { Int($0.position) == position && members.contains($0.target) }
        return edges.filter(\.isImplicit).map(\.target) + edges.filter { !$0.isImplicit }.map(\.target)
    }

    /// The number of names that are bound before an import runs: those before the first name that the import itself binds.
    ///
    /// - Returns: `nil` if the import binds no new name, so that its place among the names is not known.
    private func boundBefore(_ position: Int, _ facts: ModuleFacts) -> Int? {
        guard case .names(let bound) = facts.bindings else { return nil }
        let order = Dictionary(bound.topLevel.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var last = -1
        for (index, kept) in facts.imports.enumerated().prefix(position + 1) where kept.isEager {
            let own = boundNames(of: kept, facts).compactMap { order[$0] }
            if index == position { return own.filter { $0 > last }.min() }
            last = max(last, own.max() ?? -1)
        }
        return nil
    }

    private func boundNames(of kept: KeptImport, _ facts: ModuleFacts) -> [NameID] {
        facts.names[kept.names].compactMap { name in
            if name.alias != .empty { return name.alias }
            return kept.form == .modules ? graph.names.knownComponents(of: name.name)?.first : name.name
        }
    }

    private mutating func failure(
        of kept: KeptImport, at position: Int, in module: ModuleID, _ entry: ModuleID, _ states: [ModuleID: State]
    ) -> CircularFailure? {
        guard kept.form == .names else { return nil }
        for asked in graph.judge(kept, at: position, of: module).asked {
            guard case .running(let bound?)? = states[asked.module],
                case .names(let names)? = graph.facts(of: asked.module)?.bindings,
                let place = names.topLevel.firstIndex(of: asked.name), place >= bound
            else { continue }
            return CircularFailure(
                entry: entry, importer: module, line: Int(kept.line), column: Int(kept.column) + 1, name: asked.name,
                module: asked.module)
        }
        return nil
    }
}

extension KeptImport {
    /// Whether it certainly runs when its module is imported.
    fileprivate var isCertain: Bool {
        isEager && traits.isDisjoint(with: [.conditional, .undecided, .dynamic])
    }
}
