// Who imports whom, kept while sources change.
// Knows: facts, edges both ways, what a change makes worth another look. Does not know: where facts come from, any
// disk, or what becomes of a finding.

/// The dependencies of a tree's sources.
package struct DependencyGraph: Sendable {
    /// The names that can be imported from a folder and are none of the sources that are kept: extension modules, stubs,
    /// what is out of scope.
    package typealias Listing = @Sendable (_ directory: [UInt8]) -> [[UInt8]]

    struct ResolutionKey: Hashable, Sendable {
        let base: DirectoryID
        let name: NameID
    }

    package var names = NameTable()
    package private(set) var tree: SourceTree
    private var known: [ModuleFacts?] = []
    private var outgoing: [[ImportEdge]] = []
    private var incoming: [[ModuleID]] = []
    var roots: SourceRoots
    var resolutions: [ResolutionKey: Resolution] = [:]
    /// Top-level names of the standard library and of installed packages.
    package private(set) var outside: Set<NameID> = []
    /// Top-level names that this tree once had, and that nothing else has.
    package internal(set) var vanished: Set<NameID> = []
    private let listing: Listing
    private var listed: [DirectoryID: Set<NameID>] = [:]
    let isImplicitlyRelative: Bool
    let star: NameID
    private let configuredRoots: [[UInt8]]
    /// Counts changes of edges, for what is computed from all of them.
    package private(set) var revision = 0

    /// - Parameters:
    ///   - configuredRoots: folders relative to the tree's root; empty where they are to be found.
    ///   - outside: top-level names that are known to lie outside.
    ///   - isImplicitlyRelative: Python 2, which looks beside the importing source first.
    ///   - listing: asked about folders in which a name is looked for that no source has.
    package init(
        configuredRoots: [[UInt8]] = [], outside: Set<[UInt8]> = [], isImplicitlyRelative: Bool = false,
        listing: @escaping Listing = { _ in [] }
    ) {
        tree = SourceTree(names: &names)
        roots = SourceRoots(tree, configured: configuredRoots, names: &names)
        star = names.intern("*".utf8)
        self.configuredRoots = configuredRoots
        self.listing = listing
        self.isImplicitlyRelative = isImplicitlyRelative
        for name in outside { self.outside.insert(names.intern(name)) }
    }

    package func facts(of module: ModuleID) -> ModuleFacts? {
        known.indices.contains(Int(module.rawValue)) ? known[Int(module.rawValue)] : nil
    }

    /// What a source imports, once for each import that names it.
    package func edges(from module: ModuleID) -> [ImportEdge] {
        outgoing.indices.contains(Int(module.rawValue)) ? outgoing[Int(module.rawValue)] : []
    }

    /// The sources that import this one.
    package func importers(of module: ModuleID) -> [ModuleID] {
        incoming.indices.contains(Int(module.rawValue)) ? incoming[Int(module.rawValue)] : []
    }

    // MARK: Change

    /// What to take in: sources with their facts, and those that are gone.
    package struct Update: Sendable {
        package var changed: [(path: [UInt8], facts: ModuleFacts?)] = []
        package var removed: [[UInt8]] = []
        /// Names of files that are no sources and came or went: stubs, extension modules, folders.
        package var others: [[UInt8]] = []

        package init() {}

        package var isEmpty: Bool { changed.isEmpty && removed.isEmpty && others.isEmpty }
    }

    /// Takes in a change, and looks again at every import whose answer it can change.
    ///
    /// - Returns: the sources whose findings may be others now.
    package mutating func apply(_ update: Update) -> Set<ModuleID> {
        var again: Set<ModuleID> = []
        var mentions: Set<NameID> = []
        var newPackages = false
        for path in update.removed {
            guard let module = tree.find(path) else { continue }
            noteVanishing(module)
            again.formUnion(importers(of: module))
            disconnect(module)
            known[Int(module.rawValue)] = nil
            guard let change = tree.remove(path) else { continue }
            mentions.formUnion(change.mentions)
            newPackages = newPackages || change.isPackage
            again.remove(module)
        }
        var rebound: Set<ModuleID> = []
        for (path, facts) in update.changed {
            if let change = tree.add(path, names: &names) {
                mentions.formUnion(change.mentions)
                newPackages = newPackages || change.isPackage
                makeRoom()
                vanished.subtract(change.mentions)
                known[Int(change.module.rawValue)] = facts
                again.insert(change.module)
                rebound.insert(change.module)
            } else if let module = tree.find(path) {
                let old = known[Int(module.rawValue)]
                if old?.bindings != facts?.bindings { rebound.insert(module) }
                known[Int(module.rawValue)] = facts
                again.insert(module)
            }
        }
        for name in update.others { mentions.insert(names.intern(name)) }
        if !mentions.isEmpty || newPackages {
            resolutions = [:]
            listed = [:]
            roots = SourceRoots(tree, configured: configuredRoots, names: &names)
        }
        if newPackages || mentions.count > 64 {
            again = Set(tree.modules)
        } else if !mentions.isEmpty {
            again.formUnion(modules(mentioning: mentions))
        }
        for module in again { connect(module) }
        if !again.isEmpty { revision += 1 }
        // Who asks a name of a module is judged again when that binds other names.
        for module in rebound { again.formUnion(starImporters(of: module)) }
        return again
    }

    private mutating func makeRoom() {
        while known.count < tree.capacity {
            known.append(nil)
            outgoing.append([])
            incoming.append([])
        }
    }

    /// A top-level module that goes is remembered: whoever still imports it is broken, and not merely using something
    /// that is not installed.
    private mutating func noteVanishing(_ module: ModuleID) {
        guard let entry = tree[module] else { return }
        if tree.initial(of: entry.directory) == module {
            if let parent = tree.parent(of: entry.directory), tree.initial(of: parent) == nil {
                vanished.insert(tree.name(of: entry.directory))
            }
        } else if tree.initial(of: entry.directory) == nil, entry.stem != .empty {
            vanished.insert(entry.stem)
        }
    }

    /// Takes in what an earlier run has seen go.
    package mutating func remember(vanished names: [[UInt8]]) {
        for name in names { vanished.insert(self.names.intern(name)) }
    }

    /// Sources with an import that has one of these names in it.
    private func modules(mentioning wanted: Set<NameID>) -> [ModuleID] {
        let mentions = names.mentioning(wanted)
        return tree.modules.filter { module in
            guard let facts = known[Int(module.rawValue)] else { return false }
            return facts.imports.contains { mentions[Int($0.module.rawValue)] }
                || facts.names.contains { mentions[Int($0.name.rawValue)] }
        }
    }

    /// Asks whether something can be imported from a folder that is not kept here.
    mutating func isListed(_ name: NameID, in directory: DirectoryID) -> Bool {
        if let known = listed[directory] { return known.contains(name) }
        let found = Set(listing(tree.path(of: directory)).map { names.intern($0) })
        listed[directory] = found
        return found.contains(name)
    }

    /// All who import a module, or one that takes everything from it, and so on.
    private func starImporters(of module: ModuleID) -> Set<ModuleID> {
        var found: Set<ModuleID> = []
        var open = [module]
        var seen: Set<ModuleID> = [module]
        while let current = open.popLast() {
            for importer in importers(of: current) {
                found.insert(importer)
                guard let facts = facts(of: importer), !seen.contains(importer),
                    facts.names.contains(where: { $0.name == star })
                else { continue }
                seen.insert(importer)
                open.append(importer)
            }
        }
        return found
    }

    private mutating func disconnect(_ module: ModuleID) {
        for target in Set(edges(from: module).map(\.target)) {
            incoming[Int(target.rawValue)].removeAll { $0 == module }
        }
        outgoing[Int(module.rawValue)] = []
    }

    private mutating func connect(_ module: ModuleID) {
        disconnect(module)
        guard let facts = facts(of: module) else { return }
        var edges: [ImportEdge] = []
        for (position, kept) in facts.imports.enumerated() {
            edges += judge(kept, at: position, of: module).edges
        }
        edges.removeAll { $0.target == module }
        outgoing[Int(module.rawValue)] = edges
        var last: Set<ModuleID> = []
        for edge in edges where last.insert(edge.target).inserted {
            incoming[Int(edge.target.rawValue)].append(module)
        }
    }
}
