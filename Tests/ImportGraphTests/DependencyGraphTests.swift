// The graph: how imports resolve, and that it does not depend on the order of changes.

import ImportGraph
import Testing

/// Sources by path, scanned and put into a graph.
private struct SmallTree {
    var sources: [String: String] = [:]
    /// The names that modules bind. The bindings of other modules are unknown.
    var bindings: [String: [String]] = [:]

    func update(_ paths: some Sequence<String>, _ graph: inout DependencyGraph) -> DependencyGraph.Update {
        var update = DependencyGraph.Update()
        for path in paths {
            guard let text = sources[path] else {
                update.removed.append(Array(path.utf8))
                continue
            }
            var facts = ModuleFacts(ImportScanner.scan(Array(text.utf8)), names: &graph.names, evaluators: [])
            if let bound = bindings[path] {
                facts.bindings = .names(BoundNames(topLevel: bound.map { graph.names.intern($0.utf8) }))
            }
            update.changed.append((Array(path.utf8), facts))
        }
        return update
    }

    func graph(outside: [String] = [], roots: [String] = []) -> DependencyGraph {
        var graph = DependencyGraph(
            configuredRoots: roots.map { Array($0.utf8) }, standard: Set(outside.map { Array($0.utf8) }))
        _ = graph.apply(update(sources.keys.sorted(), &graph))
        return graph
    }
}

extension DependencyGraph {
    fileprivate func text(_ module: ModuleID) -> String { String(decoding: tree[module]?.path ?? [], as: UTF8.self) }

    /// `a.py → b.py`, and `a.py ⇢ p/__init__.py` for a package that the import only passes through.
    fileprivate var drawn: Set<String> {
        Set(
            tree.modules.flatMap { module in
                edges(from: module).map { "\(text(module)) \($0.isImplicit ? "⇢" : "→") \(text($0.target))" }
            })
    }

    fileprivate mutating func allFindings() -> [String] {
        tree.modules.flatMap { module in
            findings(of: module).map { "\(text(module)):\($0.line) \($0.rule.rawValue) \($0.severity)" }
        }.sorted()
    }
}

@Suite struct DependencyGraphTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let sources: [String: String]
        let edges: Set<String>
        var roots: [String] = []
        var testDescription: String { name }
    }

    @Test(arguments: [
        Case(
            name: "import a.b.c runs a, a.b, a.b.c",
            sources: ["m.py": "import a.b.c", "a/__init__.py": "", "a/b/__init__.py": "", "a/b/c.py": ""],
            edges: ["m.py ⇢ a/__init__.py", "m.py ⇢ a/b/__init__.py", "m.py → a/b/c.py"]),
        Case(
            name: "from p import x is p, and p.x where that is a module",
            sources: ["m.py": "from p import x, y", "p/__init__.py": "", "p/x.py": ""],
            edges: ["m.py → p/__init__.py", "m.py → p/x.py"]),
        Case(
            name: "relative imports go up",
            sources: ["p/__init__.py": "", "p/q/__init__.py": "", "p/q/m.py": "from ..r import x", "p/r.py": ""],
            edges: ["p/q/m.py ⇢ p/__init__.py", "p/q/m.py → p/r.py"]),
        Case(name: "above the tree nothing is known", sources: ["m.py": "from ...a import b", "a.py": ""], edges: []),
        Case(
            name: "a namespace has no __init__", sources: ["m.py": "import n.a", "n/a.py": ""], edges: ["m.py → n/a.py"]
        ),
        Case(
            name: "a package goes before a module of its name",
            sources: ["m.py": "import a", "a.py": "", "a/__init__.py": ""], edges: ["m.py → a/__init__.py"]),
        Case(
            name: "src is a root", sources: ["tests/t.py": "import p", "src/p/__init__.py": ""],
            edges: ["tests/t.py → src/p/__init__.py"]),
        Case(
            name: "the nearest root wins",
            sources: ["x/m.py": "import p", "x/p/__init__.py": "", "p/__init__.py": ""],
            edges: ["x/m.py → x/p/__init__.py"]),
        Case(
            name: "elsewhere counts where only one has it",
            sources: ["x/m.py": "import p", "y/deep/p/__init__.py": ""], edges: ["x/m.py → y/deep/p/__init__.py"]),
        Case(
            name: "two that could be meant are both edges",
            sources: ["x/m.py": "import p", "y/deep/p/__init__.py": "", "z/deep/p/__init__.py": ""],
            edges: ["x/m.py → y/deep/p/__init__.py", "x/m.py → z/deep/p/__init__.py"]),
        Case(
            name: "configured roots are the only ones",
            sources: ["m.py": "import p\nimport q", "lib/p/__init__.py": "", "other/q/__init__.py": ""],
            edges: ["m.py → lib/p/__init__.py"], roots: ["lib"]),
        Case(
            name: "what is called like the standard library further up is not meant",
            sources: ["x/m.py": "import json", "json/__init__.py": ""], edges: []),
    ])
    func whatImportsLeadTo(_ one: Case) {
        let graph = SmallTree(sources: one.sources).graph(outside: ["json", "os"], roots: one.roots)
        #expect(graph.drawn == one.edges)
    }

    @Test func findingsAreCertain() {
        var graph = SmallTree(
            sources: [
                "p/__init__.py": "", "p/a.py": "x = 1",
                "m.py": """
                from p.a import x, nope
                import p.gone
                from p import gone2
                try:
                    import p.gone3
                except ImportError: pass
                def f():
                    from p.a import nope2
                import nowhere, json
                from p.star import anything
                from p.dynamic import whatever
                """,
                "p/star.py": "from os import *", "p/dynamic.py": "",
            ], bindings: ["p/__init__.py": [], "p/a.py": ["x"], "p/star.py": []]
        ).graph(outside: ["json", "os"])
        #expect(
            graph.allFindings() == [
                "m.py:1 missing-name error", "m.py:2 unresolved-import error", "m.py:3 missing-name error",
                "m.py:5 unresolved-import note", "m.py:8 missing-name note",
            ])
    }

    @Test func whatWasRemovedIsMissed() {
        var tree = SmallTree(sources: ["a.py": "import b\nimport never", "b.py": ""], bindings: ["b.py": []])
        var graph = tree.graph()
        #expect(graph.allFindings() == [])
        tree.sources["b.py"] = nil
        let again = graph.apply(tree.update(["b.py"], &graph))
        #expect(again.map { graph.text($0) } == ["a.py"])
        #expect(graph.allFindings() == ["a.py:1 unresolved-import error"])
        tree.sources["b.py"] = ""
        _ = graph.apply(tree.update(["b.py"], &graph))
        #expect(graph.allFindings() == [])
    }

    @Test func oneEditLooksAgainOnlyWhereAnAnswerCanChange() {
        var tree = SmallTree(
            sources: [
                "a.py": "from b import x", "b.py": "x = 1", "c.py": "from s import x", "s.py": "from b import *",
                "d.py": "import b.x",
            ],
            bindings: ["b.py": ["x"], "s.py": []])
        var graph = tree.graph()
        tree.sources["a.py"] = "from b import x, y"
        #expect(Set(graph.apply(tree.update(["a.py"], &graph)).map { graph.text($0) }) == ["a.py"])
        tree.bindings["b.py"] = ["y"]
        let again = Set(graph.apply(tree.update(["b.py"], &graph)).map { graph.text($0) })
        #expect(again.isSuperset(of: ["a.py", "b.py", "c.py"]))
        #expect(graph.allFindings().filter { $0.hasPrefix("c.py") } == ["c.py:1 missing-name error"])
    }

    /// Files added, removed and changed in any order give the same graph as a fresh scan.
    @Test(arguments: 1...12) func thePathDoesNotMatter(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        let folders = ["", "p/", "p/q/", "src/", "src/p/", "n/", "n/m/"]
        let names = ["__init__", "a", "b", "p", "q"]
        let statements = [
            "import a", "import b", "import p.a", "import p.q.b", "from p import a, b", "from . import a",
            "from .q import b",
            "from .. import p", "from p.q import *", "import n.m.a", "from n import m", "import q",
        ]
        var tree = SmallTree()
        var graph = tree.graph()
        for round in 0..<60 {
            var touched: Set<String> = []
            for _ in 0..<(1 + random.below(4)) {
                let path = folders[random.below(folders.count)] + names[random.below(names.count)] + ".py"
                touched.insert(path)
                if tree.sources[path] != nil, random.below(3) == 0 {
                    tree.sources[path] = nil
                } else {
                    tree.sources[path] = (0..<random.below(4)).map { _ in statements[random.below(statements.count)] }
                        .joined(separator: "\n")
                    tree.bindings[path] = random.below(2) == 0 ? ["a", "x"] : []
                }
            }
            _ = graph.apply(tree.update(touched.sorted(), &graph))
            let fresh = tree.graph()
            #expect(graph.drawn.symmetricDifference(fresh.drawn) == [], "seed \(seed), round \(round)")
            let importers = Set(
                graph.tree.modules.flatMap { module in
                    graph.importers(of: module).map { "\(graph.text($0)) \(graph.text(module))" }
                })
            let targets = Set(
                graph.tree.modules.flatMap { module in
                    graph.edges(from: module).map { "\(graph.text(module)) \(graph.text($0.target))" }
                })
            #expect(importers == targets, "seed \(seed), round \(round)")
        }
    }

    private struct SplitMix {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
        }
    }

    // MARK: Queries

    @Test func dependentsComeWithTheShortestWay() {
        let graph = SmallTree(sources: [
            "p/__init__.py": "", "p/base.py": "", "p/mid.py": "from p.base import x", "p/top.py": "import p.mid",
            "tests/conftest.py": "import p.top", "tests/test_one.py": "", "tests/helper.py": "", "other.py": "",
        ]).graph()
        func affected(_ path: String) -> Set<String> {
            Set(
                Dependents(
                    of: [graph.tree.find(path.utf8)].compactMap { $0 }, in: graph,
                    isTest: { graph.text($0).contains("/test_") }
                ).links.keys.map { graph.text($0) })
        }
        #expect(
            affected("p/base.py") == ["p/base.py", "p/mid.py", "p/top.py", "tests/conftest.py", "tests/test_one.py"])
        #expect(
            affected("p/__init__.py") == [
                "p/__init__.py", "p/base.py", "p/mid.py", "p/top.py", "tests/conftest.py", "tests/test_one.py",
            ])
        #expect(affected("other.py") == ["other.py"])
        #expect(graph.importers(ofAbsent: [Array("p/gone.py".utf8)]).isEmpty)
    }

    @Test func cyclesHaveAShortestWayRound() {
        let graph = SmallTree(sources: [
            "a.py": "import b", "b.py": "import c\nimport a2", "c.py": "\nimport b\nimport a", "a2.py": "",
            "x.py": "import y", "y.py": "def f():\n    import x",
            "p/__init__.py": "import p.m", "p/m.py": "", "t.py": "from typing import TYPE_CHECKING",
        ]).graph()
        let cycles = graph.cycles()
        #expect(cycles.map(\.isEager) == [true, false])
        #expect(cycles[0].members.map { graph.text($0) } == ["a.py", "b.py", "c.py"])
        #expect(cycles[0].chain.map { "\(graph.text($0.module)):\($0.line)" } == ["b.py:1", "c.py:2"])
        #expect(
            cycles[1].chain.map { "\(graph.text($0.module)):\($0.line) \($0.kind)" } == [
                "x.py:1 eager", "y.py:2 deferred",
            ])
    }

    @Test func namesHaveOneNumberEach() {
        var names = NameTable()
        var ids: [NameID] = []
        for number in 0..<5_000 { ids.append(names.intern("name\(number)".utf8)) }
        for number in 0..<5_000 {
            #expect(names.intern("name\(number)".utf8) == ids[number] && names.text(ids[number]) == "name\(number)")
        }
        #expect(names.find("name5000".utf8) == nil && names.find("".utf8) == .empty)
        let dotted = names.intern("a.b.c".utf8)
        #expect(names.components(of: dotted).map { names.text($0) } == ["a", "b", "c"])
    }
}
