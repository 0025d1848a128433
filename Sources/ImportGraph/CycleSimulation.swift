// Whether an import cycle breaks: imports each member first, as Python would, and looks for a name that is imported before
// its module has bound it.
//
// Imports that may not run, such as those under a test that cannot be decided, are followed too, but do not fail: a module that
// they load may be the reason why another import works. What it does not find may still fail, for example where an attribute
// of an imported module is used (`import a`, then `a.x`).

/// An import that fails.
package struct CircularFailure: Hashable, Sendable {
    /// The module that is imported first.
    package let entry: ModuleID
    /// The module with the import that fails, and the place.
    package let importer: ModuleID
    package let line: Int
    package let column: Int
    /// The name that is not bound yet, and the module that binds it later.
    package let name: NameID
    package let module: ModuleID
    /// The imports that are under way when it fails: from that of the module, which is not complete, to that which fails.
    package let chain: [ImportCycle.Step]
}

/// Simulates imports in one tree.
struct CycleSimulation {
    /// One import that certainly runs.
    private struct Step {
        let kept: KeptImport
        /// The modules that it imports, in order: packages on the way first.
        let targets: [ModuleID]
        /// The names that it takes from modules.
        let asked: [ImportJudgement.MissingName]
        /// The number of names that the module has bound when it runs; `nil` if that is not known.
        let bound: Int?
    }

    private static let unloaded: Int32 = -1
    private static let loaded: Int32 = -2
    /// Running, and it is not known what is bound. Other numbers: running, and so many names are bound.
    private static let unknown: Int32 = -3

    private struct Frame {
        let module: ModuleID
        var step = 0
        var nextTarget = 0
        var hasBegun = false
    }

    private var graph: DependencyGraph
    private var steps: [ModuleID: [Step]] = [:]
    /// How far each module is, by its number. One array for all simulations: each changes only the modules that it loads, and
    /// sets these back.
    private var states: [Int32]
    /// The modules that are not unloaded.
    private var touched: [ModuleID] = []
    /// The package whose import all simulations of a directory begin with, and the number of modules that it touched.
    private var base: ModuleID?
    private var baseCount = 0
    /// What was touched once a package was imported, by its `__init__.py`.
    private var afterPackage: [ModuleID: [(module: ModuleID, state: Int32)]] = [:]
    /// The number of imports that may still be simulated. Very large trees are searched in part.
    private var budget = 20_000_000

    init(_ graph: DependencyGraph) {
        self.graph = graph
        states = Array(repeating: Self.unloaded, count: graph.tree.capacity)
    }

    /// The first failure among these modules, when each in turn is imported first.
    mutating func failure(among members: [ModuleID], startingAt entries: [ModuleID]) -> CircularFailure? {
        let members = Set(members)
        for entry in entries {
            importPackages(around: entry)
            // Otherwise its package imports it. If that fails, the package is a member, and an entry itself.
            guard states[Int(entry.rawValue)] == Self.unloaded else { continue }
            let failure = run(entry, among: members)
            unload(downTo: baseCount)
            if let failure { return failure }
            if budget <= 0 { return nil }
        }
        return nil
    }

    /// Imports the packages around a module, as Python does first, unless the last simulation began with the same.
    private mutating func importPackages(around module: ModuleID) {
        guard let entry = graph.tree[module] else { return }
        var directory =
            graph.tree.initial(of: entry.directory) == module
            ? graph.tree.parent(of: entry.directory) : entry.directory
        /// From the outermost.
        var packages: [ModuleID] = []
        while let current = directory, let initial = graph.tree.initial(of: current) {
            packages.insert(initial, at: 0)
            directory = graph.tree.parent(of: current)
        }
        guard packages.last != base else { return }
        unload(downTo: 0)
        var next = 0
        if let known = packages.lastIndex(where: { afterPackage[$0] != nil }) {
            for (module, state) in afterPackage[packages[known]] ?? [] {
                touched.append(module)
                states[Int(module.rawValue)] = state
            }
            next = known + 1
        }
        for package in packages[next...] {
            if states[Int(package.rawValue)] == Self.unloaded { _ = run(package, among: []) }
            afterPackage[package] = touched.map { ($0, states[Int($0.rawValue)]) }
        }
        base = packages.last
        baseCount = touched.count
    }

    private mutating func unload(downTo count: Int) {
        for module in touched[count...] { states[Int(module.rawValue)] = Self.unloaded }
        touched.removeSubrange(count...)
    }

    private mutating func begin(_ module: ModuleID) {
        states[Int(module.rawValue)] = 0
        touched.append(module)
    }

    /// Imports a module.
    ///
    /// - Returns: the first failure of an import by one of the members.
    private mutating func run(_ entry: ModuleID, among members: Set<ModuleID>) -> CircularFailure? {
        var stack = [Frame(module: entry)]
        begin(entry)
        while let frame = stack.last {
            budget -= 1
            if budget <= 0 { return nil }
            let top = stack.count - 1
            let plan = steps(of: frame.module)
            guard frame.step < plan.count else {
                states[Int(frame.module.rawValue)] = Self.loaded
                stack.removeLast()
                continue
            }
            let step = plan[frame.step]
            if !frame.hasBegun {
                stack[top].hasBegun = true
                states[Int(frame.module.rawValue)] = step.bound.map { Int32(clamping: $0) } ?? Self.unknown
            }
            if frame.nextTarget < step.targets.count {
                stack[top].nextTarget += 1
                let target = step.targets[frame.nextTarget]
                if states[Int(target.rawValue)] == Self.unloaded {
                    begin(target)
                    stack.append(Frame(module: target))
                }
                continue
            }
            if members.contains(frame.module), let missing = missing(step), members.contains(missing.module),
                !isHandled(stack)
            {
                return CircularFailure(
                    entry: entry, importer: frame.module, line: Int(step.kept.line), column: Int(step.kept.column) + 1,
                    name: missing.name, module: missing.module, chain: chain(stack, from: missing.module))
            }
            stack[top] = Frame(module: frame.module, step: frame.step + 1)
        }
        return nil
    }

    /// A name that an import takes from a module that is still running and has not bound it.
    private func missing(_ step: Step) -> ImportJudgement.MissingName? {
        step.asked.first { asked in
            let bound = states[Int(asked.module.rawValue)]
            guard bound >= 0, case .names(let names)? = graph.facts(of: asked.module)?.bindings,
                let place = names.topLevel.firstIndex(of: asked.name)
            else { return false }
            return place >= Int(bound)
        }
    }

    private mutating func chain(_ stack: [Frame], from module: ModuleID) -> [ImportCycle.Step] {
        stack.drop { $0.module != module }.map { frame in
            let kept = steps(of: frame.module)[frame.step].kept
            return ImportCycle.Step(module: frame.module, line: Int(kept.line), kind: kept.kind)
        }
    }

    /// Whether a failure here is handled by this import, or by one that led to it.
    private mutating func isHandled(_ stack: [Frame]) -> Bool {
        for frame in stack where steps(of: frame.module)[frame.step].kept.traits.contains(.optional) { return true }
        return false
    }

    // MARK: The imports of one module

    private mutating func steps(of module: ModuleID) -> [Step] {
        if let known = steps[module] { return known }
        var found: [Step] = []
        if let facts = graph.facts(of: module) {
            var order: [NameID: Int]?
            if case .names(let bound) = facts.bindings {
                order = Dictionary(
                    bound.topLevel.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            }
            let edges = Dictionary(grouping: graph.edges(from: module)) { Int($0.position) }
            var last = -1
            for (position, kept) in facts.imports.enumerated() where kept.isEager {
                let own = order.map { order in boundNames(of: kept, facts).compactMap { order[$0] } } ?? []
                let bound = own.filter { $0 > last }.min()
                last = max(last, own.max() ?? -1)
                guard !kept.traits.contains(.dynamic) else { continue }
                let reached = edges[position] ?? []
                var asked: [ImportJudgement.MissingName] = []
                if kept.form == .names, kept.traits.isDisjoint(with: [.conditional, .undecided]) {
                    // What is not a name of a package yet may be an extension module in it.
                    asked = graph.judge(kept, at: position, of: module).asked.filter {
                        !graph.isSubmodule($0.name, of: $0.module)
                    }
                }
                found.append(
                    Step(
                        kept: kept,
                        targets: packagesFirst(reached.map(\.target)),
                        asked: asked, bound: bound))
            }
        }
        steps[module] = found
        return found
    }

    /// A package runs before what is in it.
    private func packagesFirst(_ modules: [ModuleID]) -> [ModuleID] {
        var packages: [(depth: Int, module: ModuleID)] = []
        var others: [ModuleID] = []
        for module in modules {
            if let entry = graph.tree[module], graph.tree.initial(of: entry.directory) == module {
                packages.append((entry.path.count { $0 == UInt8(ascii: "/") }, module))
            } else {
                others.append(module)
            }
        }
        return packages.sorted { $0.depth < $1.depth }.map(\.module) + others
    }

    /// The names that an import binds.
    private func boundNames(of kept: KeptImport, _ facts: ModuleFacts) -> [NameID] {
        facts.names[kept.names].compactMap { name in
            if name.alias != .empty { return name.alias }
            return kept.form == .modules ? graph.names.knownComponents(of: name.name)?.first : name.name
        }
    }
}
