// Which sources name which modules of the tree in strings, or through an extended `sys.path`.
//
// Imports with a computed name are not in the graph. What they import is nearly always written down somewhere as a string.

import BasicTypes
import ImportGraph

/// The sources that name others without importing them.
struct MentionedModules {
    /// For each module, the sources that name it, or something in it.
    private(set) var sources: [ModuleID: Set<ModuleID>] = [:]
    /// Modules that affect all tests: they are named where Django's settings are chosen, or pytest loads them.
    private(set) var forAllTests: Set<ModuleID> = []
    private(set) var withDoctests: Set<ModuleID> = []
    /// They import modules whose names they compute.
    private(set) var withComputedImports: Set<ModuleID> = []

    private var graph: DependencyGraph
    private let modules: [ModuleID]
    /// The sources by the last part of their paths: `cart.py`, and `shop` for `shop/__init__.py`.
    private let byLastPart: [[UInt8]: [ModuleID]]
    /// The parts of all paths: most dotted strings begin with a word that is no module here, such as a host.
    private let known: Set<[UInt8]>

    /// - Parameters:
    ///   - configuration: pytest's, which names plugins and directories to import from.
    ///   - mentions: of each source; `nil` if it could not be read.
    init(
        _ graph: DependencyGraph, configuration: PytestConfiguration?, mentions: (BytePath) -> SourceMentions?
    ) {
        self.graph = graph
        modules = graph.tree.modules
        var known: Set<[UInt8]> = []
        var byLastPart: [[UInt8]: [ModuleID]] = [:]
        for module in modules {
            guard let entry = graph.tree[module] else { continue }
            known.insert(Array(graph.names[entry.stem]))
            let parts = entry.path.split(separator: UInt8(ascii: "/")).map { Array($0) }
            known.formUnion(parts.dropLast())
            byLastPart[Self.place(parts).last ?? [], default: []].append(module)
        }
        self.known = known
        self.byLastPart = byLastPart
        var extended: [DirectoryID?] = configuration?.extendsPath == true ? [nil] : []
        var extending: [ModuleID] = []
        for module in modules {
            guard let entry = graph.tree[module], let path = BytePath(entry.path), let mentions = mentions(path) else {
                continue
            }
            note(mentions, of: module, entry)
            if mentions.traits.contains(.hasDoctests) { withDoctests.insert(module) }
            if mentions.traits.contains(.computesImports) { withComputedImports.insert(module) }
            guard mentions.traits.contains(.extendsPath) else { continue }
            extending.append(module)
            // What conftest.py adds is there for the tests below it.
            if path.lastComponent.elementsEqual("conftest.py".utf8) { extended.append(entry.directory) }
        }
        for name in configuration?.plugins ?? [] {
            if let module = self.graph.module(named: Array(name.utf8), from: .root) { forAllTests.insert(module) }
        }
        noteUnresolvedImports(of: extended.contains(nil) ? modules : extending + below(extended.compactMap { $0 }))
    }

    private mutating func note(_ mentions: SourceMentions, of module: ModuleID, _ entry: SourceTree.Module) {
        let choosesSettings = mentions.traits.contains(.choosesSettings)
        func add(_ target: ModuleID?, _ modules: inout MentionedModules) {
            guard let target, target != module else { return }
            modules.sources[target, default: []].insert(module)
            if choosesSettings { modules.forAllTests.insert(target) }
        }
        for text in mentions.dotted {
            if text.first == UInt8(ascii: ".") {
                add(relative(text, entry), &self)
            } else if known.contains(Array(text.prefix { $0 != UInt8(ascii: ".") })) {
                if text.last == UInt8(ascii: ".") {
                    for target in graph.modules(belowPackage: Array(text.dropLast()), from: entry.directory) {
                        add(target, &self)
                    }
                } else {
                    add(graph.module(named: text, from: entry.directory), &self)
                }
            }
        }
        let namesSubmodules = mentions.traits.contains(.namesSubmodules)
        let namesModules = !mentions.traits.isDisjoint(with: [.choosesSettings, .namesModules])
        for word in mentions.words where known.contains(word) {
            if namesSubmodules { add(relative([UInt8(ascii: ".")] + word, entry), &self) }
            if namesModules { add(graph.module(named: word, from: entry.directory), &self) }
        }
        for path in mentions.paths {
            for target in sources(at: path, from: entry) { add(target, &self) }
        }
    }

    /// The module that a relative name stands for (`.cart.Cart`), as seen from a source.
    private func relative(_ name: [UInt8], _ entry: SourceTree.Module) -> ModuleID? {
        let level = name.prefix { $0 == UInt8(ascii: ".") }.count
        var directory: DirectoryID? = entry.directory
        for _ in 1..<level { directory = directory.flatMap { graph.tree.parent(of: $0) } }
        guard let directory else { return nil }
        let folder = graph.tree.path(of: directory)
        var parts = name.dropFirst(level).split(separator: UInt8(ascii: "."))
        // The rest may be a name in the module.
        while !parts.isEmpty {
            let place = Self.joined((folder.isEmpty ? [] : [folder[...]]) + parts)
            if let found = graph.tree.find(place + Array(".py".utf8))
                ?? graph.tree.find(place + Array("/__init__.py".utf8))
            {
                return found
            }
            parts.removeLast()
        }
        return nil
    }

    /// The sources that a path may mean: below the root, beside the source, or, if it has a directory, anywhere.
    private func sources(at path: [UInt8], from entry: SourceTree.Module) -> [ModuleID] {
        let parts = path.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
            .drop { $0.elementsEqual("..".utf8) }
        let place = Self.joined(Array(parts))
        let folder = graph.tree.path(of: entry.directory)
        let beside = folder.isEmpty ? place : folder + [UInt8(ascii: "/")] + place
        let found = [place, beside].compactMap { graph.tree.find($0) }
        guard found.isEmpty, let last = parts.last, !last.elementsEqual("__init__.py".utf8) else { return found }
        let candidates = byLastPart[Array(last)] ?? []
        if parts.count > 1 {
            return candidates.filter { graph.tree[$0].map { Self.ends($0.path, with: place) } ?? false }
        }
        return candidates.count == 1 ? candidates : []
    }

    // MARK: An extended sys.path

    /// Where directories are added to `sys.path`, an import that resolves to nothing may mean any source with that path.
    private mutating func noteUnresolvedImports(of importers: [ModuleID]) {
        for importer in Set(importers) {
            for name in graph.unresolvedNames(in: importer) {
                let parts = name.split(separator: UInt8(ascii: "."))
                guard let last = parts.last else { continue }
                let place = Self.joined(Array(parts))
                for ending in [".py", "/__init__.py"] {
                    let path = place + Array(ending.utf8)
                    let key = Array(last) + (ending == ".py" ? Array(".py".utf8) : [])
                    for target in byLastPart[key] ?? [] {
                        guard target != importer, let entry = graph.tree[target], Self.ends(entry.path, with: path)
                        else { continue }
                        sources[target, default: []].insert(importer)
                    }
                }
            }
        }
    }

    private func below(_ directories: [DirectoryID]) -> [ModuleID] {
        var open = directories
        var found: [ModuleID] = []
        while let directory = open.popLast() {
            found += graph.tree.modules(in: directory)
            open += graph.tree.subdirectories(of: directory)
        }
        return found
    }

    // MARK: Paths

    private static func joined(_ parts: [ArraySlice<UInt8>]) -> [UInt8] {
        Array(parts.joined(separator: [UInt8(ascii: "/")]))
    }

    /// The parts of the path that an import names: those of the directory for an `__init__.py`.
    private static func place(_ parts: [[UInt8]]) -> [[UInt8]] {
        parts.count > 1 && parts.last?.elementsEqual("__init__.py".utf8) == true ? parts.dropLast() : parts
    }

    private static func ends(_ path: [UInt8], with end: [UInt8]) -> Bool {
        path.count == end.count
            ? path == end
            : path.count > end.count && path.suffix(end.count).elementsEqual(end)
                && path[path.count - end.count - 1] == UInt8(ascii: "/")
    }
}

/// Reads what sources mention when it is first asked for, and again when they have changed.
struct MentionCache {
    private var byPath: [BytePath: (fingerprint: Fingerprint, mentions: SourceMentions)] = [:]
    /// The last answer, and what it follows from.
    private var resolved: (changes: Int, configuration: PytestConfiguration?, modules: MentionedModules)?

    /// - Parameters:
    ///   - states: of all sources.
    ///   - read: reads sources, in parallel; `nil` for one that cannot be read, or changes right now.
    mutating func modules(
        in graph: DependencyGraph, states: [BytePath: SourceState], configuration: PytestConfiguration?,
        read: ([BytePath]) -> [(Fingerprint, SourceMentions)?]
    ) -> MentionedModules {
        let stale = states.filter { byPath[$0.key]?.fingerprint != $0.value.fingerprint }.map(\.key)
        let gone = byPath.keys.filter { states[$0] == nil }
        if stale.isEmpty, gone.isEmpty, let resolved, resolved.changes == graph.changes,
            resolved.configuration == configuration
        {
            return resolved.modules
        }
        for path in gone { byPath[path] = nil }
        for (path, found) in zip(stale, read(stale)) { if let found { byPath[path] = found } }
        let modules = MentionedModules(graph, configuration: configuration) { byPath[$0]?.mentions }
        resolved = (graph.changes, configuration, modules)
        return modules
    }
}
