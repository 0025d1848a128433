// The directories in which absolute imports are looked up.

/// The source roots of a tree: configured, or found from where packages begin.
///
/// A source's own root is the nearest folder that is no package, as for pytest and for scripts. After it come the
/// folders above, each with its `src`, up to the tree's own root. Packages that begin elsewhere in the tree
/// (`services/api/src/api`) are found too, if nothing nearer has the name and only one of them has it.
///
/// Some roots are evident: configured ones, the tree's own, folders that hold a project (`pyproject.toml`), and what lies
/// directly in one of these (`src`, `lib`, `tests`). Any other folder may as well be a part of a namespace, or hold
/// scripts that are never run from there: what is found there is an edge, and what is not is no error.
package struct SourceRoots: Sendable {
    /// Relative to the tree's root; empty where they are to be found.
    private let configured: [DirectoryID]
    private let sourceFolder: NameID
    private var chains: [DirectoryID: [DirectoryID]] = [:]
    private var beginnings: [NameID: [DirectoryID]] = [:]
    private var evident: [DirectoryID: Bool] = [:]

    package init(_ tree: SourceTree, configured: [[UInt8]], names: inout NameTable) {
        let table = names
        self.configured = configured.compactMap { tree.directory($0, names: table) }
        sourceFolder = names.intern("src".utf8)
        for directory in tree.directories where tree.initial(of: directory) != nil {
            guard let parent = tree.parent(of: directory), tree.initial(of: parent) == nil else { continue }
            beginnings[tree.name(of: directory), default: []].append(parent)
        }
    }

    /// The nearest folder, from this one upwards, that is no package.
    package static func base(of directory: DirectoryID, in tree: SourceTree) -> DirectoryID {
        var current = directory
        while tree.initial(of: current) != nil, let parent = tree.parent(of: current) { current = parent }
        return current
    }

    /// The roots that a source below this base sees, in order.
    package mutating func chain(from base: DirectoryID, in tree: SourceTree) -> [DirectoryID] {
        if let known = chains[base] { return known }
        var chain: [DirectoryID] = []
        func append(_ directory: DirectoryID) {
            if !chain.contains(directory) { chain.append(directory) }
        }
        if configured.isEmpty {
            var current: DirectoryID? = base
            while let folder = current {
                append(folder)
                if case .namespace(let source)? = tree.find(sourceFolder, in: folder) { append(source) }
                current = tree.parent(of: folder)
            }
        } else {
            configured.forEach(append)
            append(base)
        }
        chains[base] = chain
        return chain
    }

    /// Whether a folder is a root beyond doubt.
    ///
    /// - Parameter isProject: whether a folder holds what marks a project.
    package mutating func isEvident(
        _ root: DirectoryID, in tree: SourceTree, isProject: ([UInt8]) -> Bool
    ) -> Bool {
        if !configured.isEmpty { return configured.contains(root) }
        if let known = evident[root] { return known }
        let above = tree.parent(of: root)
        let isOne =
            root == .root || above == .root || isProject(tree.path(of: root))
            || above.map { isProject(tree.path(of: $0)) } ?? false
        evident[root] = isOne
        return isOne
    }

    /// Folders anywhere in which a package of this name begins.
    package func beginnings(of name: NameID) -> [DirectoryID] { configured.isEmpty ? beginnings[name] ?? [] : [] }
}
