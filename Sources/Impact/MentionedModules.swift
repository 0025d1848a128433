// Which sources name which modules of the tree in strings, or through an extended `sys.path`.
//
// Imports with a computed name are not in the graph. What they import is nearly always written down somewhere as a string.

import BasicTypes
import ImportGraph

/// The sources that name others without importing them. Holds for one set of sources; what they contain may change.
struct MentionedModules {
    /// For each module, the sources that name it, or something in it.
    private(set) var sources: [ModuleID: Set<ModuleID>] = [:]
    private(set) var withDoctests: Set<ModuleID> = []
    /// They import modules whose names they compute.
    private(set) var withComputedImports: Set<ModuleID> = []
    /// They make tests of files of any kind.
    private(set) var withCollectors: Set<ModuleID> = []
    /// They choose Django's settings, by naming them.
    private var withSettings: Set<ModuleID> = []
    /// They extend `sys.path`.
    private(set) var withExtendedPath: Set<ModuleID> = []
    /// The modules that each source names.
    private var targets: [ModuleID: Set<ModuleID>] = [:]
    /// Modules that pytest loads.
    private var plugins: Set<ModuleID> = []
    private let pytestExtendsPath: Bool
    /// The directories whose conftest.py extends `sys.path` for the tests below.
    private var extendedDirectories: Set<DirectoryID> = []

    private let tree: SourceTree
    /// The sources by the last part of their paths: `cart.py`, and `shop` for `shop/__init__.py`.
    private let byLastPart: [[UInt8]: [ModuleID]]
    /// The parts of all paths: most dotted strings begin with a word that is no module here, such as a host.
    private let known: Set<[UInt8]>

    /// - Parameters:
    ///   - configuration: pytest's, which names plugins and directories to import from.
    ///   - mentions: of each source; `nil` if it could not be read.
    init(
        _ graph: inout DependencyGraph, configuration: PytestConfiguration?, mentions: (BytePath) -> SourceMentions?
    ) {
        tree = graph.tree
        pytestExtendsPath = configuration?.extendsPath == true
        let modules = tree.modules
        var known: Set<[UInt8]> = []
        var byLastPart: [[UInt8]: [ModuleID]] = [:]
        for module in modules {
            guard let entry = tree[module] else { continue }
            known.insert(Array(graph.names[entry.stem]))
            let parts = entry.path.split(separator: UInt8(ascii: "/")).map { Array($0) }
            known.formUnion(parts.dropLast())
            byLastPart[Self.place(parts).last ?? [], default: []].append(module)
        }
        self.known = known
        self.byLastPart = byLastPart
        let all = modules.compactMap { module in
            tree[module].flatMap { BytePath($0.path) }.flatMap(mentions).map { (module, $0) }
        }
        for (module, mentions) in all where mentions.traits.contains(.extendsPath) {
            withExtendedPath.insert(module)
            guard let entry = tree[module], entry.path.hasName("conftest.py") else { continue }
            extendedDirectories.insert(entry.directory)
        }
        for (module, mentions) in all { update(module, mentions, &graph) }
        for name in configuration?.plugins ?? [] {
            if let module = graph.module(named: Array(name.utf8), from: .root) { plugins.insert(module) }
        }
    }

    /// Modules that affect all tests: they are named where Django's settings are chosen, or pytest loads them.
    var forAllTests: Set<ModuleID> {
        withSettings.reduce(into: plugins) { $0.formUnion(targets[$1] ?? []) }
    }

    /// The modules that a source names.
    func modules(namedBy source: ModuleID) -> Set<ModuleID> { targets[source] ?? [] }

    /// Whether a source chooses Django's settings, by naming them.
    func choosesSettings(_ source: ModuleID) -> Bool { withSettings.contains(source) }

    /// Replaces what is known about a source.
    mutating func update(_ module: ModuleID, _ mentions: SourceMentions, _ graph: inout DependencyGraph) {
        guard let entry = tree[module] else { return }
        for target in targets.removeValue(forKey: module) ?? [] { sources[target]?.remove(module) }
        var found = named(by: mentions, entry, &graph)
        if findsMore(entry, module) { found.formUnion(unresolvedImports(of: module, &graph)) }
        found.remove(module)
        for target in found { sources[target, default: []].insert(module) }
        if !found.isEmpty { targets[module] = found }
        withDoctests.set(module, mentions.traits.contains(.hasDoctests))
        withComputedImports.set(module, mentions.traits.contains(.computesImports))
        withCollectors.set(module, mentions.traits.contains(.collectsFiles))
        withSettings.set(module, mentions.traits.contains(.choosesSettings))
    }

    /// The modules that the strings of a source name.
    private func named(
        by mentions: SourceMentions, _ entry: SourceTree.Module, _ graph: inout DependencyGraph
    ) -> Set<ModuleID> {
        var found: Set<ModuleID> = []
        func add(_ target: ModuleID?) { if let target { found.insert(target) } }
        /// `python -m package` runs its `__main__.py`.
        func add(program name: [UInt8]) {
            guard let target = graph.module(named: name, from: entry.directory) else { return }
            found.insert(target)
            if let entry = tree[target], tree.initial(of: entry.directory) == target,
                let program = tree.find(tree.path(of: entry.directory) + Array("/__main__.py".utf8))
            {
                found.insert(program)
            }
        }
        for text in mentions.dotted {
            if text.first == UInt8(ascii: ".") {
                add(relative(text, entry))
            } else if known.contains(Array(text.prefix { $0 != UInt8(ascii: ".") })) {
                if text.last == UInt8(ascii: ".") {
                    found.formUnion(graph.modules(belowPackage: Array(text.dropLast()), from: entry.directory))
                } else if mentions.traits.contains(.namesModules) {
                    add(program: text)
                } else {
                    add(graph.module(named: text, from: entry.directory))
                }
            }
        }
        for name in mentions.programs { add(program: name) }
        let namesModules = !mentions.traits.isDisjoint(with: [.choosesSettings, .namesModules])
        for word in mentions.words where known.contains(word) {
            if mentions.traits.contains(.namesSubmodules) { add(relative([UInt8(ascii: ".")] + word, entry)) }
            if namesModules { add(program: word) }
        }
        for path in mentions.paths { found.formUnion(sources(at: path, from: entry)) }
        return found
    }

    /// The module that a relative name stands for (`.cart.Cart`), as seen from a source.
    private func relative(_ name: [UInt8], _ entry: SourceTree.Module) -> ModuleID? {
        let level = name.prefix { $0 == UInt8(ascii: ".") }.count
        var directory: DirectoryID? = entry.directory
        for _ in 1..<level { directory = directory.flatMap { tree.parent(of: $0) } }
        guard let directory else { return nil }
        let folder = tree.path(of: directory)
        var parts = name.dropFirst(level).split(separator: UInt8(ascii: "."))
        // The rest may be a name in the module.
        while !parts.isEmpty {
            let place = Self.joined((folder.isEmpty ? [] : [folder[...]]) + parts)
            if let found = tree.find(place + Array(".py".utf8))
                ?? tree.find(place + Array("/__init__.py".utf8))
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
        let folder = tree.path(of: entry.directory)
        let beside = folder.isEmpty ? place : folder + [UInt8(ascii: "/")] + place
        let found = [place, beside].compactMap { tree.find($0) }
        guard found.isEmpty, let last = parts.last, !last.elementsEqual("__init__.py".utf8) else { return found }
        let candidates = byLastPart[Array(last)] ?? []
        if parts.count > 1 {
            return candidates.filter { tree[$0].map { Self.ends($0.path, with: place) } ?? false }
        }
        return candidates.count == 1 ? candidates : []
    }

    // MARK: An extended sys.path

    /// Whether imports of a source may find more than the graph knows.
    private func findsMore(_ entry: SourceTree.Module, _ module: ModuleID) -> Bool {
        if pytestExtendsPath || withExtendedPath.contains(module) { return true }
        guard !extendedDirectories.isEmpty else { return false }
        var directory: DirectoryID? = entry.directory
        while let current = directory {
            if extendedDirectories.contains(current) { return true }
            directory = tree.parent(of: current)
        }
        return false
    }

    /// Where directories are added to `sys.path`, an import that resolves to nothing may mean any source with that path.
    private func unresolvedImports(of importer: ModuleID, _ graph: inout DependencyGraph) -> Set<ModuleID> {
        var found: Set<ModuleID> = []
        for name in graph.unresolvedNames(in: importer) {
            for (key, path) in Self.places(of: name) {
                for target in byLastPart[key] ?? [] {
                    if let entry = tree[target], Self.ends(entry.path, with: path) { found.insert(target) }
                }
            }
        }
        return found
    }

    /// For each path that does not exist, the sources that may have imported it.
    func importers(ofAbsent paths: [[UInt8]], _ graph: inout DependencyGraph) -> [[UInt8]: Set<ModuleID>] {
        guard !paths.isEmpty, pytestExtendsPath || !withExtendedPath.isEmpty else { return [:] }
        var byName: [[UInt8]: [[UInt8]]] = [:]
        for path in paths {
            let parts = Self.place(path.split(separator: UInt8(ascii: "/")).map { Array($0) })
            byName[parts.last ?? [], default: []].append(path)
        }
        var found: [[UInt8]: Set<ModuleID>] = [:]
        for module in tree.modules {
            guard let entry = tree[module], findsMore(entry, module) else { continue }
            for name in graph.unresolvedNames(in: module) {
                for (key, end) in Self.places(of: name) {
                    for path in byName[key] ?? [] where Self.ends(path, with: end) {
                        found[path, default: []].insert(module)
                    }
                }
            }
        }
        return found
    }

    // MARK: Paths

    private static func joined(_ parts: [ArraySlice<UInt8>]) -> [UInt8] {
        Array(parts.joined(separator: [UInt8(ascii: "/")]))
    }

    /// How the path of a source with this dotted name ends, each with its key in `byLastPart`.
    private static func places(of name: [UInt8]) -> [(key: [UInt8], path: [UInt8])] {
        let parts = name.split(separator: UInt8(ascii: "."))
        guard let last = parts.last else { return [] }
        let place = joined(Array(parts))
        let (source, initial) = (Array(".py".utf8), Array("/__init__.py".utf8))
        return [(last + source, place + source), (Array(last), place + initial)].map { (Array($0.0), $0.1) }
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

extension Set {
    fileprivate mutating func set(_ element: Element, _ isMember: Bool) {
        if isMember { insert(element) } else { remove(element) }
    }
}

extension [UInt8] {
    /// Whether the last component of a path is this name.
    fileprivate func hasName(_ name: String) -> Bool {
        let start = lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return self[start...].elementsEqual(name.utf8)
    }
}
