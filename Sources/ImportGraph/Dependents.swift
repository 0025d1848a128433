// The sources that a change affects: importers, packages that run first, and tests below a conftest.py.

/// Why a source is affected.
package enum DependentLink: Hashable, Sendable {
    /// It changed itself.
    case changed
    /// It imports this module, on this line.
    case imports(ModuleID, line: Int)
    /// It is in the package of this `__init__.py`, which runs first.
    case package(ModuleID)
    /// pytest loads this conftest.py before it.
    case conftest(ModuleID)
    /// The user declared that it depends on this module.
    case declared(ModuleID)
    /// It names the module in a string.
    case mentions(ModuleID)

    /// The source through which it is affected.
    package var through: ModuleID? {
        switch self {
        case .changed: nil
        case .imports(let module, _), .package(let module), .conftest(let module), .declared(let module),
            .mentions(let module):
            module
        }
    }
}

/// Everything that a change can affect.
package struct Dependents: Sendable {
    /// Each affected source, with the last link of a shortest path from a change.
    package private(set) var links: [ModuleID: DependentLink] = [:]

    /// - Parameters:
    ///   - kinds: the kinds of imports to follow.
    ///   - depth: maximum number of steps.
    ///   - isTest: whether a source is a test.
    ///   - others: dependents that the graph does not know.
    package init(
        of changed: some Sequence<ModuleID>, in graph: DependencyGraph,
        kinds: Set<ImportKind> = Set(ImportKind.allCases),
        depth: Int = .max, isTest: (ModuleID) -> Bool,
        others: (ModuleID) -> [(ModuleID, DependentLink)] = { _ in [] }
    ) {
        var level: [ModuleID] = []
        for module in changed where links[module] == nil {
            links[module] = .changed
            level.append(module)
        }
        var steps = 0
        var lookup = EdgeLookup(graph, kinds: kinds)
        while !level.isEmpty, steps < depth {
            steps += 1
            var next: [ModuleID] = []
            for module in level {
                for (dependent, link) in direct(module, graph, &lookup, isTest) where links[dependent] == nil {
                    links[dependent] = link
                    next.append(dependent)
                }
                for (dependent, link) in others(module) where links[dependent] == nil {
                    links[dependent] = link
                    next.append(dependent)
                }
            }
            level = next.sorted()
        }
    }

    /// The sources that a source affects in one step and that were not reached yet.
    private func direct(
        _ module: ModuleID, _ graph: DependencyGraph, _ lookup: inout EdgeLookup, _ isTest: (ModuleID) -> Bool
    ) -> [(ModuleID, DependentLink)] {
        var found: [(ModuleID, DependentLink)] = []
        for importer in graph.importers(of: module) where links[importer] == nil {
            guard let edge = lookup.edge(from: importer, to: module), let facts = graph.facts(of: importer) else {
                continue
            }
            found.append((importer, .imports(module, line: Int(facts.imports[Int(edge.position)].line))))
        }
        guard let entry = graph.tree[module] else { return found }
        if graph.tree.initial(of: entry.directory) == module {
            for member in Self.members(of: entry.directory, graph.tree) where member != module {
                found.append((member, .package(module)))
            }
        }
        if Self.isConftest(entry.path) {
            for test in Self.below(entry.directory, graph.tree) where test != module {
                if isTest(test) || graph.tree[test].map({ Self.isConftest($0.path) }) == true {
                    found.append((test, .conftest(module)))
                }
            }
        }
        return found
    }

    /// The sources that run after a package's `__init__.py`: its modules, and the `__init__.py` of its subpackages.
    private static func members(of directory: DirectoryID, _ tree: SourceTree) -> [ModuleID] {
        var found = tree.modules(in: directory)
        for below in tree.subdirectories(of: directory) {
            if let initial = tree.initial(of: below) {
                found.append(initial)
            } else {
                found += members(of: below, tree)
            }
        }
        return found
    }

    /// All sources in a directory and below it.
    private static func below(_ directory: DirectoryID, _ tree: SourceTree) -> [ModuleID] {
        tree.modules(in: directory) + tree.subdirectories(of: directory).flatMap { below($0, tree) }
    }

    private static func isConftest(_ path: [UInt8]) -> Bool {
        let name = path.lastIndex(of: UInt8(ascii: "/")).map { path[($0 + 1)...] } ?? path[...]
        return name.elementsEqual("conftest.py".utf8)
    }

    /// The path from a source to the change that affects it, each with its link to the next.
    package func chain(from module: ModuleID) -> [(ModuleID, DependentLink)] {
        var chain: [(ModuleID, DependentLink)] = []
        var current: ModuleID? = module
        while let here = current, let link = links[here] {
            chain.append((here, link))
            current = link.through
        }
        return chain
    }
}

extension DependencyGraph {
    /// For each of these paths, the sources whose imports would resolve to it if all of them existed; only paths with any.
    package func importers(ofAbsent paths: [[UInt8]]) -> [[UInt8]: [ModuleID]] {
        if paths.isEmpty { return [:] }
        var imagined = self
        var update = Update()
        update.changed = paths.map { ($0, ModuleFacts()) }
        _ = imagined.apply(update)
        let absent = Set(paths.compactMap { imagined.tree.find($0) })
        var found: [[UInt8]: [ModuleID]] = [:]
        for path in paths {
            guard let module = imagined.tree.find(path) else { continue }
            let importers = imagined.importers(of: module).filter { !absent.contains($0) }
            if !importers.isEmpty { found[path] = importers.sorted() }
        }
        return found
    }
}
