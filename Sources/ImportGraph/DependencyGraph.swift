// Which source imports which, kept up to date while sources change.

/// The dependencies of a tree's sources.
package struct DependencyGraph: Sendable {
    /// The names that can be imported from a folder and are not sources of the tree: extension modules, stubs,
    /// files out of scope.
    package typealias Listing = @Sendable (_ directory: [UInt8]) -> [[UInt8]]

    /// Whether a folder holds what marks a project: `pyproject.toml`, `setup.cfg`, `setup.py`.
    package typealias ProjectMark = @Sendable (_ directory: [UInt8]) -> Bool

    struct ResolutionKey: Hashable, Sendable {
        let base: DirectoryID
        let name: NameID
    }

    package var names = NameTable()
    package private(set) var tree: SourceTree
    private var known: [ModuleFacts?] = []
    private var edges = EdgeTable()
    var roots: SourceRoots
    var resolutions: [ResolutionKey: Resolution] = [:]
    let outside: OutsideNames
    private var vanishedModules = VanishedModules()
    /// What modules have at their top level, with all that `import *` brings; found out when it is asked for.
    var exported: [ModuleID: ModuleExports] = [:]
    private let listing: Listing
    let isProject: ProjectMark
    private var listed: [DirectoryID: Set<NameID>] = [:]
    let isImplicitlyRelative: Bool
    let star: NameID
    private let configuredRoots: [[UInt8]]
    /// Counts changes of edges, for what is computed from all of them.
    package private(set) var revision = 0
    /// Counts changes of any kind: of facts, and of which sources there are.
    package private(set) var changes = 0

    /// - Parameters:
    ///   - configuredRoots: folders relative to the tree's root; empty where they are to be found.
    ///   - builtIn: top-level names that nothing in a tree can hide.
    ///   - standard: those of the standard library.
    ///   - installed: those of installed packages.
    ///   - isImplicitlyRelative: Python 2, which looks beside the importing source first.
    ///   - listing: asked about folders in which a name is looked for that no source has.
    package init(
        configuredRoots: [[UInt8]] = [], builtIn: Set<[UInt8]> = [], standard: Set<[UInt8]> = [],
        installed: Set<[UInt8]> = [], isImplicitlyRelative: Bool = false,
        listing: @escaping Listing = { _ in [] }, isProject: @escaping ProjectMark = { _ in false }
    ) {
        tree = SourceTree(names: &names)
        roots = SourceRoots(tree, configured: configuredRoots, names: &names)
        star = names.intern("*".utf8)
        self.configuredRoots = configuredRoots
        self.listing = listing
        self.isProject = isProject
        self.isImplicitlyRelative = isImplicitlyRelative
        outside = OutsideNames(builtIn: builtIn, standard: standard, installed: installed, names: &names)
    }

    package func facts(of module: ModuleID) -> ModuleFacts? {
        known.indices.contains(Int(module.rawValue)) ? known[Int(module.rawValue)] : nil
    }

    /// What a source imports, once for each import that names it.
    package func edges(from module: ModuleID) -> [ImportEdge] {
        edges.edges(from: module)
    }

    /// The sources that import this one.
    package func importers(of module: ModuleID) -> [ModuleID] {
        edges.importers(of: module)
    }

    // MARK: Change

    /// A change of the tree: sources with their facts, and sources that were removed.
    package struct Update: Sendable {
        package var changed: [(path: [UInt8], facts: ModuleFacts?)] = []
        package var removed: [[UInt8]] = []
        /// Names of files other than sources that were added or removed: stubs, extension modules, directories.
        package var others: [[UInt8]] = []

        package init() {}

        package var isEmpty: Bool { changed.isEmpty && removed.isEmpty && others.isEmpty }
    }

    /// Applies a change, and resolves every import again whose answer it can change. The work is proportional to the
    /// number of these imports, however many sources are added or removed.
    ///
    /// - Returns: the sources whose findings may have changed.
    package mutating func apply(_ update: Update) -> Set<ModuleID> {
        if update.isEmpty { return [] }
        changes += 1
        exported = [:]
        var again: Set<ModuleID> = []
        var mentions: Set<NameID> = []
        var newPackages = false
        func note(_ change: SourceTree.Change) {
            mentions.formUnion(change.mentions)
            newPackages = newPackages || change.isPackage
        }
        var removed: Set<ModuleID> = []
        for path in update.removed {
            guard let change = tree.remove(path) else { continue }
            vanishedModules.insert(path)
            known[Int(change.module.rawValue)] = nil
            removed.insert(change.module)
            again.formUnion(importers(of: change.module))
            note(change)
        }
        edges.replace(removed.map { ($0, []) })
        again.subtract(removed)
        var rebound: Set<ModuleID> = []
        for (path, facts) in update.changed {
            if let change = tree.add(path, names: &names) {
                note(change)
                makeRoom()
                vanishedModules.remove(path)
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
        if resolve(again) || !removed.isEmpty { revision += 1 }
        if vanishedModules.isFull { forgetUnmentioned() }
        // Who asks a name of a module is judged again when that binds other names.
        return again.union(starImporters(of: rebound))
    }

    private mutating func makeRoom() {
        while known.count < tree.capacity { known.append(nil) }
        edges.makeRoom(tree.capacity)
    }

    /// Finds out what these sources import.
    ///
    /// - Returns: whether any edge changed.
    private mutating func resolve(_ modules: Set<ModuleID>) -> Bool {
        var replaced: [(module: ModuleID, edges: [ImportEdge])] = []
        for module in modules {
            var found: [ImportEdge] = []
            for (position, kept) in (facts(of: module)?.imports ?? []).enumerated() {
                found += judge(kept, at: position, of: module).edges
            }
            found.removeAll { $0.target == module }
            if found != edges(from: module) { replaced.append((module, found)) }
        }
        edges.replace(replaced)
        return !replaced.isEmpty
    }

    // MARK: Vanished modules

    /// Modules that this tree once had: their paths without `.py` or `/__init__.py`.
    package var vanished: Set<[UInt8]> { vanishedModules.places }

    /// Adds the modules that an earlier run saw vanish.
    package mutating func remember(vanished places: [[UInt8]]) {
        vanishedModules.formUnion(places.filter { tree.find($0 + Array(".py".utf8)) == nil })
    }

    /// Forgets the vanished modules that no import can mean.
    private mutating func forgetUnmentioned() {
        var mentioned = [Bool](repeating: false, count: names.count)
        for facts in known {
            for kept in facts?.imports ?? [] { mentioned[Int(kept.module.rawValue)] = true }
            for kept in facts?.names ?? [] { mentioned[Int(kept.name.rawValue)] = true }
        }
        names.addComponents(to: &mentioned)
        vanishedModules.prune { names.find($0).map { mentioned[Int($0.rawValue)] } ?? false }
    }

    /// Whether a folder once had a module of this name.
    func hasVanished(_ name: NameID, from directory: DirectoryID) -> Bool {
        guard !vanishedModules.places.isEmpty else { return false }
        let folder = tree.path(of: directory)
        return vanishedModules.places.contains(
            folder.isEmpty ? Array(names[name]) : folder + [UInt8(ascii: "/")] + names[name])
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

    /// All who import one of these modules, or a module that takes everything from one of them, and so on.
    private func starImporters(of modules: Set<ModuleID>) -> Set<ModuleID> {
        var found: Set<ModuleID> = []
        var open = Array(modules)
        var seen = modules
        while let current = open.popLast() {
            for importer in importers(of: current) where found.insert(importer).inserted {
                guard !seen.contains(importer), facts(of: importer)?.names.contains(where: { $0.name == star }) ?? false
                else { continue }
                seen.insert(importer)
                open.append(importer)
            }
        }
        return found
    }
}
