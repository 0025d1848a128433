// The sources that a change affects: importers, packages that run first, and tests below a conftest.py.

/// Why a source is reached.
package enum DependentLink: Hashable, Sendable {
    /// It changed itself.
    case changed
    /// It imports this one, on this line.
    case imports(ModuleID, line: Int)
    /// It lies in the package of this `__init__.py`, which runs first.
    case package(ModuleID)
    /// pytest loads this conftest.py before it.
    case conftest(ModuleID)

    /// The source through which it is reached.
    package var through: ModuleID? {
        switch self {
        case .changed: nil
        case .imports(let module, _), .package(let module), .conftest(let module): module
        }
    }
}

/// Everything that a change can affect.
package struct Dependents: Sendable {
    /// Each source that is reached, with a shortest way.
    package private(set) var links: [ModuleID: DependentLink] = [:]

    /// - Parameters:
    ///   - kinds: which imports count.
    ///   - depth: maximum number of steps.
    ///   - isTest: which sources pytest collects; asked about paths.
    package init(
        of changed: some Sequence<ModuleID>, in graph: DependencyGraph,
        kinds: Set<ImportKind> = Set(ImportKind.allCases),
        depth: Int = .max, isTest: ([UInt8]) -> Bool = TestNames.isTest
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
            }
            level = next.sorted()
        }
    }

    /// What a source reaches in one step and was not reached before.
    private func direct(
        _ module: ModuleID, _ graph: DependencyGraph, _ lookup: inout EdgeLookup, _ isTest: ([UInt8]) -> Bool
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
        if TestNames.isConftest(entry.path) {
            for test in Self.below(entry.directory, graph.tree) where test != module {
                if let path = graph.tree[test]?.path, isTest(path) || TestNames.isConftest(path) {
                    found.append((test, .conftest(module)))
                }
            }
        }
        return found
    }

    /// The sources that a package's `__init__.py` runs before: its modules, and the beginnings of what lies in it.
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

    /// All sources at and below a folder.
    private static func below(_ directory: DirectoryID, _ tree: SourceTree) -> [ModuleID] {
        tree.modules(in: directory) + tree.subdirectories(of: directory).flatMap { below($0, tree) }
    }

    /// From a source to the change that reaches it: each with the link to the next.
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

/// Names that pytest looks for when nothing else is configured.
package enum TestNames {
    /// `test_*.py` and `*_test.py`.
    package static func isTest(_ path: [UInt8]) -> Bool {
        let name = fileName(path)
        return name.starts(with: "test_".utf8) || name.dropLast(3).suffix(5).elementsEqual("_test".utf8)
    }

    package static func isConftest(_ path: [UInt8]) -> Bool { fileName(path).elementsEqual("conftest.py".utf8) }

    private static func fileName(_ path: [UInt8]) -> ArraySlice<UInt8> {
        path.lastIndex(of: UInt8(ascii: "/")).map { path[($0 + 1)...] } ?? path[...]
    }
}

extension DependencyGraph {
    /// Who would import sources that are not there: with them, their imports would lead to them.
    package func importers(ofAbsent paths: [[UInt8]]) -> [ModuleID] {
        if paths.isEmpty { return [] }
        var imagined = self
        var update = Update()
        update.changed = paths.map { ($0, ModuleFacts()) }
        _ = imagined.apply(update)
        let absent = paths.compactMap { imagined.tree.find($0) }
        return Set(absent.flatMap { imagined.importers(of: $0) }).subtracting(absent).sorted()
    }
}
