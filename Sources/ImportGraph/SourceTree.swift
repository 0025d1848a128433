// The sources of a tree, by directory and name.

/// The number of a source. Numbers of removed sources are reused.
package struct ModuleID: Hashable, Sendable, Comparable {
    package let rawValue: Int32

    package static func < (left: ModuleID, right: ModuleID) -> Bool { left.rawValue < right.rawValue }
}

/// The number of a directory.
package struct DirectoryID: Hashable, Sendable {
    package let rawValue: Int32

    package static let root = DirectoryID(rawValue: 0)
}

/// Directories and sources, updated as they are added and removed.
package struct SourceTree: Sendable {
    package struct Module: Sendable {
        /// Relative to the tree's root.
        package let path: [UInt8]
        package let directory: DirectoryID
        /// The file's name without `.py`; empty if no import can name it.
        package let stem: NameID
    }

    private struct Folder: Sendable {
        let path: [UInt8]
        let parent: DirectoryID
        let name: NameID
        var folders: [NameID: DirectoryID] = [:]
        var modules: [NameID: ModuleID] = [:]
        /// Sources that no import can name.
        var others: Set<ModuleID> = []
        /// Its `__init__.py`.
        var initial: ModuleID?
        var isEmpty: Bool { folders.isEmpty && modules.isEmpty && others.isEmpty && initial == nil }
    }

    /// What an import finds for a name in a directory.
    package enum Entry: Hashable, Sendable {
        /// A directory with an `__init__.py`.
        case package(DirectoryID, ModuleID)
        case module(ModuleID)
        /// A directory without one (PEP 420).
        case namespace(DirectoryID)
    }

    private var folders: [Folder]
    private var freeFolders: [DirectoryID] = []
    private var table: [Module?] = []
    private var freeModules: [ModuleID] = []
    private var byPath: [[UInt8]: ModuleID] = [:]
    private let initName: NameID

    package init(names: inout NameTable) {
        initName = names.intern("__init__".utf8)
        folders = [Folder(path: [], parent: .root, name: .empty)]
    }

    package var count: Int { byPath.count }
    /// One more than the largest number in use.
    package var capacity: Int { table.count }

    package subscript(module: ModuleID) -> Module? {
        table.indices.contains(Int(module.rawValue)) ? table[Int(module.rawValue)] : nil
    }

    package func find(_ path: some Collection<UInt8>) -> ModuleID? { byPath[Array(path)] }

    package var modules: [ModuleID] { byPath.values.sorted() }

    // MARK: Folders

    package func path(of directory: DirectoryID) -> [UInt8] { folders[Int(directory.rawValue)].path }
    package func name(of directory: DirectoryID) -> NameID { folders[Int(directory.rawValue)].name }
    package func initial(of directory: DirectoryID) -> ModuleID? { folders[Int(directory.rawValue)].initial }

    /// `nil` above the tree's root.
    package func parent(of directory: DirectoryID) -> DirectoryID? {
        directory == .root ? nil : folders[Int(directory.rawValue)].parent
    }

    package func subdirectories(of directory: DirectoryID) -> [DirectoryID] {
        Array(folders[Int(directory.rawValue)].folders.values)
    }

    /// The sources of one directory, including its `__init__.py`.
    package func modules(in directory: DirectoryID) -> [ModuleID] {
        let folder = folders[Int(directory.rawValue)]
        return Array(folder.modules.values) + folder.others + (folder.initial.map { [$0] } ?? [])
    }

    package var directories: [DirectoryID] {
        let free = Set(freeFolders)
        return folders.indices.map { DirectoryID(rawValue: Int32($0)) }.filter { !free.contains($0) }
    }

    /// The directory at a path below the root, if there is a source in it or below it.
    package func directory(_ path: [UInt8], names: NameTable) -> DirectoryID? {
        var current = DirectoryID.root
        for component in path.split(separator: UInt8(ascii: "/")) {
            guard let name = names.find(component), let next = folders[Int(current.rawValue)].folders[name] else {
                return nil
            }
            current = next
        }
        return current
    }

    /// The module `x.py` next to a package directory `x`: import takes the package (`FileFinder.find_spec`).
    package func shadowedModule(of directory: DirectoryID) -> ModuleID? {
        guard initial(of: directory) != nil, let parent = parent(of: directory) else { return nil }
        return folders[Int(parent.rawValue)].modules[name(of: directory)]
    }

    /// What import finds, in order of precedence: package, module, namespace.
    package func find(_ name: NameID, in directory: DirectoryID) -> Entry? {
        let index = Int(directory.rawValue)
        let below = folders[index].folders[name]
        if let below, let initial = folders[Int(below.rawValue)].initial { return .package(below, initial) }
        if let module = folders[index].modules[name] { return .module(module) }
        return below.map { .namespace($0) }
    }

    // MARK: Change

    /// The effect of adding or removing a source on imports that mention it.
    package struct Change: Sendable {
        package let module: ModuleID
        /// Names by which imports may refer to it, or to directories that were added or removed with it.
        package let mentions: [NameID]
        /// It is an `__init__.py`: packages and source roots below may have changed.
        package let isPackage: Bool
    }

    /// Adds a source; `nil` if it already exists, or its name is too short for a `.py` file.
    package mutating func add(_ path: [UInt8], names: inout NameTable) -> Change? {
        guard byPath[path] == nil else { return nil }
        var components = path.split(separator: UInt8(ascii: "/"))
        guard let file = components.popLast(), file.count > 3 else { return nil }
        var current = DirectoryID.root
        var mentions: [NameID] = []
        for component in components {
            let name = names.intern(component)
            if let next = folders[Int(current.rawValue)].folders[name] {
                current = next
                continue
            }
            let below = newFolder(name, component, in: current)
            folders[Int(current.rawValue)].folders[name] = below
            current = below
            mentions.append(name)
        }
        let stem = file.dropLast(3)
        let isNameable = !stem.contains(UInt8(ascii: "."))
        let module = newModule(
            Module(path: path, directory: current, stem: isNameable ? names.intern(stem) : .empty))
        byPath[path] = module
        let isPackage = isNameable && table[Int(module.rawValue)]?.stem == initName
        if isPackage {
            folders[Int(current.rawValue)].initial = module
            mentions.append(name(of: current))
        } else if let stem = table[Int(module.rawValue)]?.stem, stem != .empty {
            folders[Int(current.rawValue)].modules[stem] = module
            mentions.append(stem)
        } else {
            folders[Int(current.rawValue)].others.insert(module)
        }
        return Change(module: module, mentions: mentions, isPackage: isPackage)
    }

    /// Removes a source; `nil` if it does not exist.
    package mutating func remove(_ path: [UInt8]) -> Change? {
        guard let module = byPath.removeValue(forKey: path), let entry = self[module] else { return nil }
        table[Int(module.rawValue)] = nil
        freeModules.append(module)
        let index = Int(entry.directory.rawValue)
        var mentions: [NameID] = []
        let isPackage = folders[index].initial == module
        if isPackage {
            folders[index].initial = nil
            mentions.append(folders[index].name)
        } else if entry.stem != .empty {
            folders[index].modules[entry.stem] = nil
            mentions.append(entry.stem)
        } else {
            folders[index].others.remove(module)
        }
        var current = entry.directory
        while current != .root, folders[Int(current.rawValue)].isEmpty {
            let folder = folders[Int(current.rawValue)]
            mentions.append(folder.name)
            folders[Int(folder.parent.rawValue)].folders[folder.name] = nil
            freeFolders.append(current)
            current = folder.parent
        }
        return Change(module: module, mentions: mentions, isPackage: isPackage)
    }

    private mutating func newFolder(_ name: NameID, _ component: ArraySlice<UInt8>, in parent: DirectoryID)
        -> DirectoryID
    {
        let above = folders[Int(parent.rawValue)].path
        let path = above.isEmpty ? Array(component) : above + [UInt8(ascii: "/")] + component
        let folder = Folder(path: path, parent: parent, name: name)
        if let free = freeFolders.popLast() {
            folders[Int(free.rawValue)] = folder
            return free
        }
        folders.append(folder)
        return DirectoryID(rawValue: Int32(folders.count - 1))
    }

    private mutating func newModule(_ module: Module) -> ModuleID {
        if let free = freeModules.popLast() {
            table[Int(free.rawValue)] = module
            return free
        }
        table.append(module)
        return ModuleID(rawValue: Int32(table.count - 1))
    }
}
