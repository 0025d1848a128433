// Walks a tree to find its bytecode and the sources next to it. Looks only at names; reads no files.
//
// Not `TreeScanner`: that one takes the stamps of sources and of the artifacts of known interpreters, adds watches, and
// skips what .gitignore names. This one needs every name in `__pycache__`, no matter who wrote the file, and no stamps.

import BasicTypes
import BuildModel
import Bytecode
import Compilation
import FileWatching
import LinuxSystem

/// The bytecode of one directory, in its `__pycache__` and next to its sources.
struct BytecodeFolder: Sendable {
    /// Relative to the root.
    let path: BytePath
    /// Names of sources without `.py`, except broken links.
    var stems: Set<[UInt8]> = []
    /// Names of `.pyc` and `.pyo` files in `__pycache__`.
    var cached: [BytePath] = []
    /// Names of `.pyc` and `.pyo` files next to the sources.
    var legacy: [BytePath] = []
    /// Temporary files of processes that have ended, relative to the directory.
    var leftovers: [BytePath] = []
    /// Symbolic links with names of bytecode, relative to the directory. They are neither followed nor removed.
    var links: [BytePath] = []
    /// Number of entries of any kind in `__pycache__`; `nil` if there is no such directory.
    var cacheEntries: Int?
    /// Whether only the bytecode of some sources was requested.
    var isPartial = false

    static let cacheName = BytePath("__pycache__")
}

/// Walks level by level, the directories of a level in parallel. Does not follow links.
struct BytecodeWalk: Sendable {
    let root: Directory
    let rootPath: BytePath
    let scope: Scope

    struct Result: Sendable {
        var folders: [BytecodeFolder] = []
        /// Directories that could not be read.
        var problems: [LocatedDiagnostic] = []
    }

    private struct Pending: Sendable {
        let path: BytePath
        /// Whether the user named it, so that it is in scope even if skipped by default.
        let isNamed: Bool
        /// Whether it is, or is below, a directory that is skipped by default but was named by the user.
        let entersPackages: Bool
        /// The only sources whose bytecode is requested, by their names without `.py`; `nil` for all.
        let only: Set<[UInt8]>?
    }

    private struct Listing: Sendable {
        var folder: BytecodeFolder?
        var subdirectories: [Pending] = []
        var problem: LocatedDiagnostic?
    }

    /// - Parameter starts: directories or sources, relative to the root.
    func walk(_ starts: [BytePath]) -> Result {
        var result = Result()
        var level = pending(starts)
        while !level.isEmpty {
            let listings = ParallelSlices.map(level, sliceSize: 8, scratch: { DirectoryListing() }) { pending, buffer in
                list(pending, buffer)
            }
            level = []
            for listing in listings {
                if let folder = listing.folder { result.folders.append(folder) }
                if let problem = listing.problem { result.problems.append(problem) }
                level += listing.subdirectories
            }
        }
        return result
    }

    /// Groups the named sources by directory, so that each directory is listed once.
    private func pending(_ starts: [BytePath]) -> [Pending] {
        var found: [Pending] = []
        var sources: [BytePath: Set<[UInt8]>] = [:]
        for start in starts {
            let status = try? root.status(start.isEmpty ? BytePath(".") : start, followsLinks: true)
            guard status?.kind == .directory else {
                let name = start.lastComponent
                let stem = Scope.isSource(named: name) ? Array(name.dropLast(3)) : Array(name)
                sources[start.parent, default: []].insert(stem)
                continue
            }
            let isExcludedKind =
                start.isEmpty
                ? Scope.excludesDirectory(named: rootPath.lastComponent)
                : start.components.contains { Scope.excludesDirectory(named: $0) }
            found.append(Pending(path: start, isNamed: true, entersPackages: isExcludedKind, only: nil))
        }
        for (directory, stems) in sources.sorted(by: { $0.key < $1.key }) {
            found.append(Pending(path: directory, isNamed: true, entersPackages: false, only: stems))
        }
        return found
    }

    // MARK: One directory

    private func list(_ pending: Pending, _ buffer: DirectoryListing) -> Listing {
        var listing = Listing()
        var place = pending.path
        do throws(SystemError) {
            let directory = try root.directory(pending.path)
            var folder = BytecodeFolder(path: pending.path)
            folder.isPartial = pending.only != nil
            var directories: [BytePath] = []
            var isEnvironment = false
            var hasCache = false
            try forEach(in: directory, pending.path, buffer) { name, kind in
                switch kind {
                case .directory:
                    if name == BytecodeFolder.cacheName { hasCache = true } else { directories.append(name) }
                case .regular:
                    if Scope.isSource(named: name.bytes) {
                        folder.stems.insert(Array(name.bytes.dropLast(3)))
                    } else if CacheName.stripped(name.bytes) != nil {
                        folder.legacy.append(name)
                    } else if ArtifactPublisher.isStray(name) {
                        folder.leftovers.append(name)
                    } else if name == BytePath("pyvenv.cfg") || name == BytePath(Scope.bundleMark) {
                        isEnvironment = true
                    }
                case .symbolicLink:
                    if Scope.isSource(named: name.bytes) {
                        let status = try? directory.status(name, followsLinks: true)
                        if status?.kind == .regular { folder.stems.insert(Array(name.bytes.dropLast(3))) }
                    } else if CacheName.stripped(name.bytes) != nil {
                        folder.links.append(name)
                    }
                case .other, .unknown: break
                }
            }
            if isEnvironment, !pending.isNamed, !pending.entersPackages { return Listing() }
            if hasCache {
                place = pending.path.appending(BytecodeFolder.cacheName)
                try listCache(directory, place, buffer, into: &folder)
            }
            if let only = pending.only {
                folder.keep(only)
            } else {
                removeExcluded(&folder)
                listing.subdirectories = subdirectories(directories, pending, isEnvironment: isEnvironment)
            }
            listing.folder = folder
        } catch {
            // A directory removed during the walk is not a problem.
            if !error.isMissing, !error.isLoop {
                listing.problem = LocatedDiagnostic(
                    path: place,
                    diagnostic: Diagnostic(
                        .unreadable, .error,
                        message: "cannot read the directory: \(error.reason); change its permissions or --exclude it"))
            }
        }
        return listing
    }

    private func listCache(
        _ directory: Directory, _ path: BytePath, _ buffer: DirectoryListing, into folder: inout BytecodeFolder
    ) throws(SystemError) {
        let cache = try directory.directory(BytecodeFolder.cacheName)
        var entries = 0
        try forEach(in: cache, path, buffer) { name, kind in
            entries += 1
            switch kind {
            case .regular:
                if CacheName.stripped(name.bytes) != nil {
                    folder.cached.append(name)
                } else if ArtifactPublisher.isStray(name) {
                    folder.leftovers.append(BytecodeFolder.cacheName.appending(name))
                }
            case .symbolicLink:
                if CacheName.stripped(name.bytes) != nil {
                    folder.links.append(BytecodeFolder.cacheName.appending(name))
                }
            case .directory, .other, .unknown: break
            }
        }
        folder.cacheEntries = entries
    }

    /// Lists a directory. Gets the kind of an entry from `stat` if the file system does not report it.
    private func forEach(
        in directory: Directory, _ path: BytePath, _ buffer: DirectoryListing, _ body: (BytePath, EntryKind) -> Void
    ) throws(SystemError) {
        try buffer.forEach(in: directory, path: path) { name, kind throws(SystemError) in
            var kind = kind
            if kind == .unknown {
                switch try directory.status(name, followsLinks: false)?.kind {
                case .regular: kind = .regular
                case .directory: kind = .directory
                case .symbolicLink: kind = .symbolicLink
                default: kind = .other
                }
            }
            body(BytePath(cString: name), kind)
        }
    }

    private func subdirectories(_ names: [BytePath], _ pending: Pending, isEnvironment: Bool) -> [Pending] {
        let entersPackages = pending.entersPackages || (pending.isNamed && isEnvironment)
        var found: [Pending] = []
        for name in names {
            if entersPackages
                ? Scope.excludesInPackages(named: name.bytes) : Scope.excludesDirectory(named: name.bytes)
            {
                continue
            }
            let path = pending.path.appending(name)
            if scope.hasExcludes, scope.excludes(path, isDirectory: true) { continue }
            found.append(Pending(path: path, isNamed: false, entersPackages: entersPackages, only: nil))
        }
        return found
    }

    /// Removes files that `--exclude` matches, by their own path or that of their source.
    private func removeExcluded(_ folder: inout BytecodeFolder) {
        guard scope.hasExcludes else { return }
        func isOut(_ path: BytePath) -> Bool { scope.excludes(folder.path.appending(path), isDirectory: false) }
        func isSourceOut(_ stem: [UInt8]) -> Bool { isOut(BytePath.empty.appending(stem + Array(".py".utf8))) }
        folder.cached.removeAll { name in
            isOut(BytecodeFolder.cacheName.appending(name))
                || CacheName(name.bytes).map { isSourceOut($0.stem) } ?? false
        }
        folder.legacy.removeAll { name in
            isOut(name) || CacheName.stripped(name.bytes).map(isSourceOut) ?? false
        }
        folder.links.removeAll(where: isOut)
        folder.stems = folder.stems.filter { !isSourceOut($0) }
    }
}

extension BytecodeFolder {
    /// Keeps only the files that belong to these sources.
    fileprivate mutating func keep(_ only: Set<[UInt8]>) {
        cached.removeAll { name in !(CacheName(name.bytes).map { only.contains($0.stem) } ?? false) }
        legacy.removeAll { name in !(CacheName.stripped(name.bytes).map { only.contains($0) } ?? false) }
        stems.formIntersection(only)
        links = []
        leftovers = []
    }

    /// The source of a file in `__pycache__`, if it exists.
    func source(of name: CacheName) -> BytePath? {
        stems.contains(name.stem) ? path.appending(name.stem + Array(".py".utf8)) : nil
    }

    /// The source next to a bytecode file outside `__pycache__`, if it exists.
    func source(beside name: BytePath) -> BytePath? {
        guard let stem = CacheName.stripped(name.bytes), stems.contains(stem) else { return nil }
        return path.appending(stem + Array(".py".utf8))
    }
}
