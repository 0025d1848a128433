// The directories in which absolute imports are looked up.

/// The source roots of a tree: configured, or derived from where packages begin.
///
/// A source's own root is the nearest directory that is not a package, as for pytest and for scripts. After it come the
/// directories above, each with its `src`, up to the tree's root. Packages that begin elsewhere in the tree
/// (`services/api/src/api`) are found too, if nothing nearer has the name and only one of them has it.
///
/// Some roots are evident: configured ones, the tree's root, directories with a project file (`pyproject.toml`), and
/// their direct subdirectories (`src`, `lib`, `tests`). Any other directory may just as well be part of a namespace, or
/// contain scripts that are never run from there: a module found there makes an edge, but one not found there is not an
/// error.
package struct SourceRoots: Sendable {
    /// Empty if roots are found automatically.
    private let configured: [DirectoryID]
    private let sourceFolder: NameID
    private var chains: [DirectoryID: [DirectoryID]] = [:]
    private var beginnings: [NameID: [DirectoryID]] = [:]
    private var evident: [DirectoryID: Bool] = [:]

    /// Directories with the metadata of installed distributions (`*.dist-info`): everything in them is imported from there.
    private var installations: Set<DirectoryID> = []
    /// Directories without an `__init__.py` that their own sources import by name: parts of namespace packages (PEP 420).
    private let namespaces: Set<DirectoryID>

    /// - Parameters:
    ///   - namespaces: see `DependencyGraph.isImportedByItsOwnName`.
    ///   - isInstallation: whether a directory contains the metadata of distributions.
    package init(
        _ tree: SourceTree, configured: [[UInt8]], namespaces: Set<DirectoryID> = [], names: inout NameTable,
        isInstallation: ([UInt8]) -> Bool = { _ in false }
    ) {
        self.namespaces = namespaces
        let table = names
        self.configured = configured.compactMap { tree.directory($0, names: table) }
        sourceFolder = names.intern("src".utf8)
        for directory in tree.directories where tree.initial(of: directory) != nil {
            guard let parent = tree.parent(of: directory), tree.initial(of: parent) == nil else { continue }
            beginnings[tree.name(of: directory), default: []].append(parent)
        }
        guard configured.isEmpty else { return }
        // An installation contains packages, or namespace packages with packages.
        var candidates: Set<DirectoryID> = [.root]
        for parent in beginnings.values.joined() {
            candidates.insert(parent)
            if let above = tree.parent(of: parent) { candidates.insert(above) }
        }
        installations = candidates.filter { isInstallation(tree.path(of: $0)) }
    }

    /// The directory from which the sources of a directory are imported: the nearest, from this one upwards, that is not a
    /// package, nor a part of a namespace package; or the installation that it is in.
    package func base(of directory: DirectoryID, in tree: SourceTree) -> DirectoryID {
        var current = Self.plainBase(of: directory, in: tree)
        if let installation = installation(above: current, in: tree) { return installation }
        while namespaces.contains(current), let parent = tree.parent(of: current) {
            current = Self.plainBase(of: parent, in: tree)
        }
        return current
    }

    /// The nearest directory, from this one upwards, that is not a package.
    package static func plainBase(of directory: DirectoryID, in tree: SourceTree) -> DirectoryID {
        var current = directory
        while tree.initial(of: current) != nil, let parent = tree.parent(of: current) { current = parent }
        return current
    }

    /// The nearest installation, from this directory upwards.
    private func installation(above directory: DirectoryID, in tree: SourceTree) -> DirectoryID? {
        guard !installations.isEmpty else { return nil }
        var current: DirectoryID? = directory
        while let folder = current {
            if installations.contains(folder) { return folder }
            current = tree.parent(of: folder)
        }
        return nil
    }

    /// Whether a directory is a part of a namespace package, or in an installation, and so is not on `sys.path`.
    package func isInside(_ directory: DirectoryID, in tree: SourceTree) -> Bool {
        if namespaces.contains(directory) { return true }
        return installation(above: directory, in: tree).map { $0 != directory } ?? false
    }

    /// The roots for the sources below this base, in search order.
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

    /// Whether a directory is certainly a root.
    ///
    /// - Parameter isProject: whether a directory contains a project file.
    package mutating func isEvident(
        _ root: DirectoryID, in tree: SourceTree, isProject: ([UInt8]) -> Bool
    ) -> Bool {
        if !configured.isEmpty { return configured.contains(root) }
        if let known = evident[root] { return known }
        let above = tree.parent(of: root)
        let isOne =
            installations.contains(root)
            || !isInside(root, in: tree)
                && (root == .root || above == .root || isProject(tree.path(of: root))
                    || above.map { isProject(tree.path(of: $0)) } ?? false)
        evident[root] = isOne
        return isOne
    }

    /// All directories that contain a top-level package of this name.
    package func beginnings(of name: NameID) -> [DirectoryID] { configured.isEmpty ? beginnings[name] ?? [] : [] }
}
