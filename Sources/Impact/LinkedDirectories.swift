// Directories of a tree that have a second name: links at the places from which packages are imported. Sources are scanned under
// one name, but programs may import them under the other.

import BasicTypes
import LinuxSystem

/// The links in the root and in the directories directly below it, which lead to directories of the same tree.
struct LinkedDirectories {
    private let links: [(name: BytePath, target: BytePath)]

    /// - Parameter rootPath: without links.
    init(root: Directory, rootPath: BytePath) {
        var links: [(name: BytePath, target: BytePath)] = []
        var folders = Self.entries(of: root, .empty)
        for name in folders.filter({ $0.kind == .directory }).map(\.path) {
            if let folder = try? root.directory(name) { folders += Self.entries(of: folder, name) }
        }
        for (path, kind) in folders where kind == .symbolicLink || kind == .unknown {
            guard let real = try? Host.realPath(rootPath.appending(path)), let target = real.relative(to: rootPath),
                target != path, !target.isEmpty, root.isSurelyDirectory(target)
            else { continue }
            links.append((path, target))
        }
        self.links = links.sorted { $0.name < $1.name }
    }

    var isEmpty: Bool { links.isEmpty }

    /// The other names of these sources.
    func names(of paths: some Sequence<BytePath>) -> [BytePath] {
        paths.flatMap { path in
            links.compactMap { link in path.relative(to: link.target).map { link.name.appending($0) } }
        }
    }

    private static func entries(of directory: Directory, _ path: BytePath) -> [(path: BytePath, kind: EntryKind)] {
        var found: [(path: BytePath, kind: EntryKind)] = []
        try? DirectoryListing().forEach(in: directory, path: path) { name, kind throws(SystemError) in
            guard kind != .regular, kind != .other else { return }
            found.append((path.appending(BytePath(cString: name)), kind))
        }
        return found
    }
}
