// Which source imports which, updated as sources change.

/// The dependencies of a tree's sources.
package struct DependencyGraph: Sendable {
    /// Returns the names that can be imported from a directory but are not sources of the tree: extension modules,
    /// stubs, files out of scope.
    package typealias Listing = @Sendable (_ directory: [UInt8]) -> [[UInt8]]

    /// Whether a directory contains a project file: `pyproject.toml`, `setup.cfg`, `setup.py`.
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
    /// The top-level names of modules, including those from `import *`; computed on demand.
    var exported: [ModuleID: ModuleExports] = [:]
    private let listing: Listing
    let isProject: ProjectMark
    private let isInstallation: ProjectMark
    /// The directories that some of their own sources import by name, with these sources.
    private var selfImporters: [DirectoryID: Set<ModuleID>] = [:]
    private var listed: [DirectoryID: Set<NameID>] = [:]
    let isImplicitlyRelative: Bool
    /// The name `*`.
    package let star: NameID
    /// Stands for all modules below a package, in a call whose argument only begins with a text.
    let everything: NameID
    private let configuredRoots: [[UInt8]]
    /// Counts changes of edges, to invalidate what is computed from all of them.
    package private(set) var revision = 0
    /// Counts all changes: of facts, and of the set of sources.
    package private(set) var changes = 0
    /// Counts the changes after which a name may stand for another source, whatever imports it.
    package private(set) var treeRevision = 0

    /// - Parameters:
    ///   - configuredRoots: source directories relative to the tree's root; empty to find them automatically.
    ///   - builtIn: top-level names that nothing in a tree can shadow.
    ///   - standard: top-level names of the standard library.
    ///   - installed: top-level names of installed packages.
    ///   - isImplicitlyRelative: Python 2, which first looks in the directory of the importing source.
    ///   - listing: called for directories in which a name is looked up that no source has.
    package init(
        configuredRoots: [[UInt8]] = [], builtIn: Set<[UInt8]> = [], standard: Set<[UInt8]> = [],
        installed: Set<[UInt8]> = [], isImplicitlyRelative: Bool = false,
        listing: @escaping Listing = { _ in [] }, isProject: @escaping ProjectMark = { _ in false },
        isInstallation: @escaping ProjectMark = { _ in false }
    ) {
        tree = SourceTree(names: &names)
        roots = SourceRoots(tree, configured: configuredRoots, names: &names)
        star = names.intern("*".utf8)
        everything = names.intern("**".utf8)
        self.configuredRoots = configuredRoots
        self.listing = listing
        self.isProject = isProject
        self.isInstallation = isInstallation
        self.isImplicitlyRelative = isImplicitlyRelative
        outside = OutsideNames(builtIn: builtIn, standard: standard, installed: installed, names: &names)
    }

    package func facts(of module: ModuleID) -> ModuleFacts? {
        known.indices.contains(Int(module.rawValue)) ? known[Int(module.rawValue)] : nil
    }

    /// The sources that do not compile.
    package var outdated: [ModuleID] {
        known.indices.filter { known[$0]?.isOutdated == true }.map { ModuleID(rawValue: Int32($0)) }
    }

    /// What a source imports. A target occurs once for each import that names it.
    package func edges(from module: ModuleID) -> [ImportEdge] {
        edges.edges(from: module)
    }

    /// The sources that import this one.
    package func importers(of module: ModuleID) -> [ModuleID] {
        edges.importers(of: module)
    }

    /// The directory from which a source is imported, if nothing says otherwise.
    package func base(of module: ModuleID) -> [UInt8]? {
        tree[module].map { tree.path(of: roots.base(of: $0.directory, in: tree)) }
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

    /// Applies a change and re-resolves every import that it can affect. The work is proportional to the number of
    /// these imports, however many sources are added or removed.
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
                if runsOtherwise(old, facts, of: module) { revision += 1 }
                // Nothing is certain about the names of a module that does not compile.
                if old?.bindings != facts?.bindings || old?.isOutdated != facts?.isOutdated { rebound.insert(module) }
                known[Int(module.rawValue)] = facts
                again.insert(module)
            }
        }
        // Whether `from package import name` needs the package depends on what the package binds.
        for module in rebound {
            if let entry = tree[module], tree.initial(of: entry.directory) == module {
                again.formUnion(importers(of: module))
            }
        }
        for name in update.others { mentions.insert(names.intern(name)) }
        if !mentions.isEmpty { mentions.insert(everything) }
        let namespaces = Set(selfImporters.keys)
        let isRestructured = !mentions.isEmpty || newPackages
        noteSelfImporters(isRestructured ? tree.modules : Array(again))
        let hasOtherNamespaces = namespaces != Set(selfImporters.keys)
        if isRestructured || hasOtherNamespaces {
            treeRevision += 1
            resolutions = [:]
            listed = [:]
            roots = SourceRoots(
                tree, configured: configuredRoots, namespaces: Set(selfImporters.keys), names: &names,
                isInstallation: isInstallation)
        }
        if newPackages || hasOtherNamespaces || mentions.count > 64 {
            again = Set(tree.modules)
        } else if !mentions.isEmpty {
            again.formUnion(modules(mentioning: mentions))
        }
        if resolve(again) || !removed.isEmpty { revision += 1 }
        if vanishedModules.isFull { forgetUnmentioned() }
        // Importers of a module are judged again if the names it binds have changed.
        return again.union(starImporters(of: rebound))
    }

    /// Whether an import that leads to a source of the tree runs under other circumstances than before: in a function now, or
    /// under a test.
    private func runsOtherwise(_ old: ModuleFacts?, _ new: ModuleFacts?, of module: ModuleID) -> Bool {
        guard let old, let new else { return true }
        return edges(from: module).contains { edge in
            let position = Int(edge.position)
            guard new.imports.indices.contains(position) else { return true }
            let (before, after) = (old.imports[position], new.imports[position])
            return before.traits != after.traits || before.neverRuns != after.neverRuns
        }
    }

    /// Updates `selfImporters` for these modules.
    private mutating func noteSelfImporters(_ modules: [ModuleID]) {
        if configuredRoots.isEmpty == false { return }
        if modules.count == tree.count {
            selfImporters = [:]
        } else {
            for (directory, importers) in selfImporters {
                let left = importers.subtracting(modules)
                selfImporters[directory] = left.isEmpty ? nil : left
            }
        }
        for module in modules {
            guard let entry = tree[module] else { continue }
            let base = SourceRoots.plainBase(of: entry.directory, in: tree)
            if base != .root, isImportedByItsOwnName(base, by: module) {
                selfImporters[base, default: []].insert(module)
            }
        }
    }

    /// Whether a source in a directory without an `__init__.py` imports something of the directory by the directory's own
    /// name, as in `from poetry.config import x` in `poetry/`. Then the directory is a namespace package.
    private mutating func isImportedByItsOwnName(_ directory: DirectoryID, by module: ModuleID) -> Bool {
        guard let facts = facts(of: module) else { return false }
        let own = tree.name(of: directory)
        for kept in facts.imports where kept.level == 0 {
            let dotted = kept.form == .modules ? facts.names[kept.names].map(\.name) : [kept.module]
            for name in dotted {
                let components = names.components(of: name)
                if components.count > 1, components[0] == own, tree.find(components[1], in: directory) != nil {
                    return true
                }
            }
        }
        return false
    }

    private mutating func makeRoom() {
        while known.count < tree.capacity { known.append(nil) }
        edges.makeRoom(tree.capacity)
    }

    /// Resolves the imports of these sources.
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

    /// Modules that this tree once had, as paths without `.py` or `/__init__.py`.
    package var vanished: Set<[UInt8]> { vanishedModules.places }

    /// Adds modules that vanished in an earlier run.
    package mutating func remember(vanished places: [[UInt8]]) {
        vanishedModules.formUnion(places.filter { tree.find($0 + Array(".py".utf8)) == nil })
    }

    /// Forgets the vanished modules that no import mentions.
    private mutating func forgetUnmentioned() {
        var mentioned = [Bool](repeating: false, count: names.count)
        for facts in known {
            for kept in facts?.imports ?? [] { mentioned[Int(kept.module.rawValue)] = true }
            for kept in facts?.names ?? [] { mentioned[Int(kept.name.rawValue)] = true }
        }
        names.addComponents(to: &mentioned)
        vanishedModules.prune { names.find($0).map { mentioned[Int($0.rawValue)] } ?? false }
    }

    /// Whether a directory once had a module of this name.
    func hasVanished(_ name: NameID, from directory: DirectoryID) -> Bool {
        guard !vanishedModules.places.isEmpty else { return false }
        let folder = tree.path(of: directory)
        return vanishedModules.places.contains(
            folder.isEmpty ? Array(names[name]) : folder + [UInt8(ascii: "/")] + names[name])
    }

    /// Sources with an import that mentions one of these names.
    private func modules(mentioning wanted: Set<NameID>) -> [ModuleID] {
        let mentions = names.mentioning(wanted)
        return tree.modules.filter { module in
            guard let facts = known[Int(module.rawValue)] else { return false }
            return facts.imports.contains { mentions[Int($0.module.rawValue)] }
                || facts.names.contains { mentions[Int($0.name.rawValue)] }
        }
    }

    /// Whether the listing has this name: it can be imported from the directory but is not a source of the tree.
    mutating func isListed(_ name: NameID, in directory: DirectoryID) -> Bool {
        if let known = listed[directory] { return known.contains(name) }
        let found = Set(listing(tree.path(of: directory)).map { names.intern($0) })
        listed[directory] = found
        return found.contains(name)
    }

    /// All importers of these modules, directly or through modules that `import *` from them.
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
