// Who imports whom, kept while sources change.
// Knows: facts, edges both ways, what a change makes worth another look. Does not know: where facts come from, any
// disk, or what becomes of a finding.

/// The dependencies of a tree's sources.
package struct DependencyGraph: Sendable {
    /// The names that can be imported from a folder and are none of the sources that are kept: extension modules, stubs,
    /// what is out of scope.
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
    private var outgoing: [[ImportEdge]] = []
    private var incoming: [[ModuleID]] = []
    var roots: SourceRoots
    var resolutions: [ResolutionKey: Resolution] = [:]
    let outside: OutsideNames
    /// Modules that this tree once had: their paths without `.py` or `/__init__.py`.
    package private(set) var vanished: Set<[UInt8]> = []
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
        if !update.isEmpty { changes += 1 }
        var again: Set<ModuleID> = []
        var mentions: Set<NameID> = []
        var newPackages = false
        for path in update.removed {
            guard let module = tree.find(path) else { continue }
            noteVanishing(path)
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
                vanished.remove(Self.place(of: path))
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
        var hasNewEdges = !update.removed.isEmpty
        for module in again where connect(module) { hasNewEdges = true }
        if hasNewEdges { revision += 1 }
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

    /// Where a name could also lie in a namespace or a package elsewhere, it is no error that it is not found, unless it
    /// was found before: so a module that goes is remembered.
    private mutating func noteVanishing(_ path: [UInt8]) {
        vanished.insert(Self.place(of: path))
        guard vanished.count > Self.mostVanished else { return }
        // Files that come and go and that nobody imports are not worth remembering.
        let named = Set(vanished.compactMap { names.find($0.split(separator: UInt8(ascii: "/")).last ?? []) })
        let wanted = named.filter { !modules(mentioning: [$0]).isEmpty }
        vanished = vanished.filter { place in
            names.find(place.split(separator: UInt8(ascii: "/")).last ?? []).map { wanted.contains($0) } ?? false
        }
    }

    private static let mostVanished = 4096

    /// Takes in what an earlier run has seen go.
    package mutating func remember(vanished places: [[UInt8]]) {
        vanished.formUnion(places.filter { tree.find($0 + Array(".py".utf8)) == nil })
    }

    private static func place(of path: [UInt8]) -> [UInt8] {
        let initial = Array("/__init__.py".utf8)
        return Array(path.dropLast(path.suffix(initial.count).elementsEqual(initial) ? initial.count : 3))
    }

    /// Whether a folder once had a module of this name.
    func hasVanished(_ name: NameID, from directory: DirectoryID) -> Bool {
        guard !vanished.isEmpty else { return false }
        let folder = tree.path(of: directory)
        return vanished.contains(folder.isEmpty ? Array(names[name]) : folder + [UInt8(ascii: "/")] + names[name])
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

    /// - Returns: whether its edges are others now.
    private mutating func connect(_ module: ModuleID) -> Bool {
        let old = edges(from: module)
        guard let facts = facts(of: module) else {
            disconnect(module)
            return !old.isEmpty
        }
        var edges: [ImportEdge] = []
        for (position, kept) in facts.imports.enumerated() {
            edges += judge(kept, at: position, of: module).edges
        }
        edges.removeAll { $0.target == module }
        if edges == old { return false }
        disconnect(module)
        outgoing[Int(module.rawValue)] = edges
        var last: Set<ModuleID> = []
        for edge in edges where last.insert(edge.target).inserted {
            incoming[Int(edge.target.rawValue)].append(module)
        }
        return true
    }
}
