// The work grows linearly with the number of imports: with a quadratic algorithm, each of these trees would take minutes or
// hours.

import Testing

@testable import ImportGraph

@Suite struct GraphScaleTests {
    /// Facts of a source with one import of each of these modules, and the names that it binds.
    private func facts(
        importing modules: [String] = [], star: Bool = false, isDeferred: Bool = false, binding: [String]? = nil,
        _ graph: inout DependencyGraph
    ) -> ModuleFacts {
        let text = modules.map { module in
            (isDeferred ? "def f():\n " : "") + (star ? "from \(module) import *" : "import \(module)")
        }.joined(separator: "\n")
        var facts = ModuleFacts(ImportScanner.scan(Array(text.utf8)), names: &graph.names, evaluators: [])
        if let binding { facts.bindings = .names(BoundNames(topLevel: binding.map { graph.names.intern($0.utf8) })) }
        return facts
    }

    private func paths(_ prefix: String, _ count: Int) -> [[UInt8]] {
        (0..<count).map { Array("\(prefix)\($0).py".utf8) }
    }

    private func modules(_ prefix: String, _ count: Int) -> [String] { (0..<count).map { "\(prefix)\($0)" } }

    private func removal(_ paths: some Sequence<[UInt8]>) -> DependencyGraph.Update {
        var update = DependencyGraph.Update()
        update.removed = Array(paths)
        return update
    }

    /// 9,001 modules of which one imports all others; 8,889 of these are deleted.
    @Test func manyModulesThatOneImportsVanish() {
        let count = 9_000
        var graph = DependencyGraph()
        var update = DependencyGraph.Update()
        update.changed = paths("m", count).map { ($0, ModuleFacts()) }
        update.changed.append((Array("hub.py".utf8), facts(importing: modules("m", count), &graph)))
        _ = graph.apply(update)
        #expect(graph.revision == 1)
        _ = graph.apply(removal(paths("m", 8_889)))
        // All are remembered, because each is imported.
        #expect(graph.vanished.count == 8_889)
        #expect(graph.cycles().isEmpty)
        let hub = graph.tree.find("hub.py".utf8)
        #expect(hub.map { graph.edges(from: $0).count } == 111)
        // Remove more of them, one by one.
        for path in paths("m", 8_899).suffix(10) { _ = graph.apply(removal([path])) }
        #expect(graph.vanished.count == 8_899)
        #expect(hub.map { graph.findings(of: $0).count } == 8_899)
        var back = DependencyGraph.Update()
        back.changed = paths("m", count).map { ($0, ModuleFacts()) }
        _ = graph.apply(back)
        #expect(graph.vanished.isEmpty)
        #expect(hub.map { graph.edges(from: $0).count } == count)
    }

    @Test func vanishedModulesThatNobodyImportsAreForgotten() {
        var graph = DependencyGraph()
        var update = DependencyGraph.Update()
        update.changed = paths("m", 6_000).map { ($0, ModuleFacts()) }
        update.changed.append((Array("hub.py".utf8), facts(importing: ["m1", "m2"], &graph)))
        _ = graph.apply(update)
        _ = graph.apply(removal(paths("m", 6_000)))
        #expect(graph.vanished == [Array("m1".utf8), Array("m2".utf8)])
    }

    /// Thousands of importers of one module are deleted and restored.
    @Test func manyImportersOfOneModuleComeAndGo() {
        let count = 10_000
        var graph = DependencyGraph()
        let base = Array("base.py".utf8)
        let one = facts(importing: ["base"], &graph)
        var update = DependencyGraph.Update()
        update.changed = paths("m", count).map { ($0, one) } + [(base, ModuleFacts())]
        _ = graph.apply(update)
        func importers() -> Int { graph.tree.find(base).map { graph.importers(of: $0).count } ?? 0 }
        #expect(importers() == count)
        _ = graph.apply(removal(paths("m", count - 1)))
        #expect(importers() == 1)
        _ = graph.apply(update)
        #expect(importers() == count)
        // A package replaces the module, so every edge gets another target.
        var package = DependencyGraph.Update()
        package.changed = [(Array("base/__init__.py".utf8), ModuleFacts())]
        _ = graph.apply(package)
        #expect(importers() == 0)
        _ = graph.apply(removal([Array("base/__init__.py".utf8)]))
        #expect(importers() == count)
    }

    /// A module that imports all names from thousands of modules, and thousands of modules that import it.
    @Test func aFacadeOfManyModules() {
        let count = 3_000
        var graph = DependencyGraph()
        var update = DependencyGraph.Update()
        for index in 0..<count {
            update.changed.append((Array("m\(index).py".utf8), facts(binding: ["n\(index)"], &graph)))
        }
        update.changed.append(
            (Array("api.py".utf8), facts(importing: modules("m", count), star: true, binding: [], &graph)))
        let names = (0..<count).map { "n\($0)" }.joined(separator: ", ")
        let user = ModuleFacts(
            ImportScanner.scan(Array("from api import \(names), nothing".utf8)), names: &graph.names, evaluators: [])
        let light = facts(importing: ["api"], &graph)
        update.changed += paths("u", count).map { ($0, light) } + [(Array("user.py".utf8), user)]
        #expect(graph.apply(update).count == 2 * count + 2)
        let found = graph.tree.find("user.py".utf8).map { graph.findings(of: $0) }
        #expect(found?.map(\.message) == ["cannot import 'nothing' from 'api', which does not define it"])
    }

    /// A cycle through all modules. A search from each of them would visit the whole cycle thousands of times.
    @Test func aLongRingHasOneWayRound() {
        let count = 20_000
        var graph = DependencyGraph()
        var update = DependencyGraph.Update()
        for index in 0..<count {
            let next = facts(importing: ["m\((index + 1) % count)"], &graph)
            update.changed.append((Array("m\(index).py".utf8), next))
        }
        _ = graph.apply(update)
        #expect(graph.cycles().map(\.chain.count) == [count])
    }

    /// All modules that one source imports have changed, but none of its imports is of the requested kind.
    @Test func manyChangesWithOneImporter() {
        let count = 10_000
        var graph = DependencyGraph()
        var update = DependencyGraph.Update()
        update.changed = paths("m", count).map { ($0, ModuleFacts()) }
        update.changed.append(
            (Array("hub.py".utf8), facts(importing: modules("m", count), isDeferred: true, &graph)))
        _ = graph.apply(update)
        let changed = paths("m", count).compactMap { graph.tree.find($0) }
        #expect(Dependents(of: changed, in: graph, kinds: [.eager], isTest: { _ in false }).links.count == count)
        #expect(Dependents(of: changed, in: graph, isTest: { _ in false }).links.count == count + 1)
        let selection = GraphSelection(from: changed, direction: .dependents, kinds: [.eager])
        #expect(graph.modules(of: selection).count == count)
    }

    // MARK: The shortest cycle

    /// The result agrees with a search from every source.
    @Test func theShortestWayRoundIsFound() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<400 {
            let count = Int.random(in: 2...9, using: &generator)
            // A cycle through all of them keeps them in one component.
            let next = (0..<count).map { source in
                Array(
                    Set(
                        [(source + 1) % count]
                            + (0..<Int.random(in: 0...2, using: &generator)).map { _ in
                                Int.random(in: 0..<count, using: &generator)
                            }
                    ).subtracting([source])
                ).sorted()
            }
            var search = ShortestRound(next)
            let round = search.find()
            let isRound = round.indices.allSatisfy { next[round[$0]].contains(round[($0 + 1) % round.count]) }
            #expect(isRound && Set(round).count == round.count, "\(next) \(round)")
            let shortest = (0..<count).map { distance(from: $0, next) }
            #expect(round.count == shortest.min(), "\(next) \(round)")
            #expect(round.first == shortest.firstIndex(of: round.count), "\(next) \(round)")
        }
    }

    private func distance(from start: Int, _ next: [[Int]]) -> Int {
        var reached: Set<Int> = Set(next[start])
        var steps = 1
        while !reached.contains(start) {
            reached.formUnion(reached.flatMap { next[$0] })
            steps += 1
        }
        return steps
    }

    @Test func aSearchThatIsCutShortStillFindsAWay() {
        // Two cycles of different length through the first source, and a shorter one elsewhere.
        let next = [[1], [2], [3], [0, 4], [5], [4, 0]]
        var hasty = ShortestRound(next, budget: 1)
        #expect(hasty.find() == [0, 1, 2, 3])
        var patient = ShortestRound(next)
        #expect(patient.find() == [4, 5])
    }
}
