// Scans a tree for sources, their stamps, and the stamps of their bytecode. Watches each directory before listing it.

import BasicTypes
import BuildModel
import LinuxSystem

/// Scans a tree level by level, with the directories of a level in parallel.
package struct TreeScanner: Sendable {
    private let root: Directory
    private let rootPath: BytePath
    private let scope: Scope
    private let places: [ArtifactPlace]
    private let inotify: InotifyDescriptor?
    private let settled: (any SettledSources)?

    /// - Parameters:
    ///   - inotify: watches every directory before it is listed, so that no change is missed.
    ///   - settled: what leaves sources out of the result.
    package init(
        root: Directory, rootPath: BytePath, scope: Scope, places: [ArtifactPlace], inotify: InotifyDescriptor? = nil,
        settled: (any SettledSources)? = nil
    ) {
        self.root = root
        self.rootPath = rootPath
        self.scope = scope
        self.places = places
        self.inotify = inotify
        self.settled = settled
    }

    /// A directory that is still to be listed.
    private struct Pending: Sendable {
        let path: BytePath
        let ignores: IgnoreStack
        /// The root, or named by the user: always in scope.
        let isNamed: Bool
        /// At or below a directory of installed packages that the user named: everything that import can reach is in
        /// scope.
        let entersPackages: Bool
    }

    private struct Listing: Sendable {
        var result = ScanResult()
        var subdirectories: [Pending] = []
    }

    /// Scans from these places, each a directory or a source relative to the root. They are treated as named by the
    /// user unless `obeysRules` is set; then the rules on the way from the root apply.
    ///
    /// - Parameter areInstalled: whether the places contain installed packages or the standard library, where `venv` or
    ///   `_build` is a package like any other. Places that have such a name themselves are always treated like that.
    package func scan(_ starts: [BytePath], obeysRules: Bool = false, areInstalled: Bool = false) -> ScanResult {
        var result = ScanResult()
        var level: [Pending] = []
        for start in starts {
            let isDirectory: Bool
            do throws(SystemError) {
                isDirectory = try obeysRules ? isDirectoryOfTree(start) : self.isDirectory(start)
            } catch {
                result.unreadable.append(
                    UnreadablePlace(path: start, error: error, isDirectory: !start.hasSuffix(".py")))
                continue
            }
            if isDirectory {
                if obeysRules, isExcludedOnTheWay(to: start, isDirectory: true, isToBeListed: true) { continue }
                let isExcludedKind =
                    start.isEmpty
                    ? Scope.excludesDirectory(named: rootPath.lastComponent)
                    : start.components.contains { Scope.excludesDirectory(named: $0) }
                level.append(
                    Pending(
                        path: start, ignores: scope.honoursGitignore ? ignoresAbove(start) : IgnoreStack(),
                        isNamed: !obeysRules, entersPackages: areInstalled || (!obeysRules && isExcludedKind)))
                continue
            }
            // What was a directory a moment ago may be a file by now.
            if obeysRules,
                !Scope.isSource(named: start.lastComponent) || isExcludedOnTheWay(to: start, isDirectory: false)
            {
                continue
            }
            switch observe(start) {
            case .present(let source): result.sources.append(source)
            case .unreadable(let error):
                result.unreadable.append(UnreadablePlace(path: start, error: error, isDirectory: false))
            case .gone, .notASource: break
            }
        }
        while !level.isEmpty {
            let listings = ParallelSlices.map(level, sliceSize: 8, scratch: { DirectoryListing() }) { pending, buffer in
                list(pending, buffer)
            }
            level = []
            for listing in listings {
                result.sources += listing.result.sources
                result.settled += listing.result.settled
                result.settledDirectories += listing.result.settledDirectories
                result.directories += listing.result.directories
                result.caches += listing.result.caches
                result.links += listing.result.links
                result.watches += listing.result.watches
                result.unreadable += listing.result.unreadable
                result.unwatched += listing.result.unwatched
                level += listing.subdirectories
            }
        }
        if starts.count > 1 {
            // Places that overlap were scanned twice.
            var seen: Set<BytePath> = []
            result.sources.removeAll { !seen.insert($0.path).inserted }
            result.settled = Array(Set(result.settled))
        }
        return result
    }

    /// Watches the directories above these places, which are relative to the root; for a source, also its `__pycache__`.
    package func watchAbove(_ places: [BytePath]) -> ScanResult {
        var listing = Listing()
        var above: Set<BytePath> = []
        for place in places where !place.isEmpty {
            if Scope.isSource(named: place.lastComponent),
                let cache = try? root.directory(place.parent.appending("__pycache__"))
            {
                watch(cache, place.parent, .artifacts, in: &listing)
            }
            var directory = place.parent
            while above.insert(directory).inserted {
                if let opened = try? root.directory(directory) { watch(opened, directory, .sources, in: &listing) }
                if directory.isEmpty { break }
                directory = directory.parent
            }
        }
        return listing.result
    }

    private func isDirectory(_ path: BytePath) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try root.status(path.isEmpty ? BytePath(".") : path, followsLinks: true)?.kind == .directory
        } catch  where error.isLoop {
            return false
        }
    }

    /// Whether this is a directory that a scan from the root would reach, without following links.
    private func isDirectoryOfTree(_ path: BytePath) throws(SystemError) -> Bool {
        do throws(SystemError) {
            let name = path.lastComponent.isEmpty ? BytePath(".") : BytePath.empty.appending(path.lastComponent)
            return try root.directory(path.parent).status(name, followsLinks: false)?.kind == .directory
        } catch  where error.isMissing || error.isLoop {
            return false
        }
    }

    /// Whether a name is currently a symbolic link; `nil` if that cannot be determined.
    package func isLink(_ path: BytePath) -> Bool? {
        do throws(SystemError) {
            return try root.status(path, followsLinks: false)?.kind == .symbolicLink
        } catch {
            return error.isMissing || error.isLoop ? false : nil
        }
    }

    /// Examines one source as a scan would find it: its directory is not reached through links, but the source itself
    /// can be a link.
    package func observe(_ path: BytePath) -> Observation {
        do throws(SystemError) {
            let directory = try root.directory(path.parent)
            let name = BytePath.empty.appending(path.lastComponent)
            return try observe(name, path, in: directory, hasCache: true)
        } catch {
            // The cause must be a link on the way: links are not followed there, so it is not a cycle.
            if error.isLoop { return .notASource }
            return error.isMissing ? .gone : .unreadable(error)
        }
    }

    private func observe(
        _ name: BytePath, _ path: BytePath, in directory: Directory, hasCache: Bool
    ) throws(SystemError) -> Observation {
        switch try examine(name, in: directory, hasCache: hasCache) {
        case .present(let status, let artifacts): .present(ScannedSource(path, status, artifacts))
        case .gone: .gone
        case .notASource: .notASource
        }
    }

    /// An observation without the path, which an unchanged source does not need.
    private enum Examination {
        case present(FileStatus, artifacts: [Stamp?])
        case gone
        case notASource
    }

    private func examine(
        _ name: BytePath, in directory: Directory, hasCache: Bool
    ) throws(SystemError) -> Examination {
        do throws(SystemError) {
            guard let status = try directory.status(name, followsLinks: true) else {
                let isLink = try directory.status(name, followsLinks: false)?.kind == .symbolicLink
                return isLink ? .notASource : .gone
            }
            guard status.kind == .regular else { return .notASource }
            var artifacts: [Stamp?] = []
            for (index, place) in places.enumerated() where hasCache || place.directory.isEmpty {
                guard let stamp = (try? directory.status(place.path(of: name), followsLinks: false))?.stamp else {
                    continue
                }
                if artifacts.isEmpty { artifacts = Array(repeating: nil, count: places.count) }
                artifacts[index] = stamp
            }
            return .present(status, artifacts: artifacts)
        } catch  where error.isLoop {
            return .notASource
        }
    }

    /// Whether a source or directory from an event is out of scope.
    ///
    /// - Parameters:
    ///   - start: the place named by the user that contains it; the rules apply below it.
    ///   - isToBeListed: whether the directory will be listed. Listing finds out if it is an environment, and watches
    ///     it in case it stops being one.
    package func isExcludedOnTheWay(
        to path: BytePath, isDirectory: Bool, below start: BytePath = .empty, isToBeListed: Bool = false
    ) -> Bool {
        var current = BytePath.empty
        var stack = scope.honoursGitignore ? ignoresAbove(.empty) : IgnoreStack()
        let components = path.components
        let named = start.components.count
        let entersPackages = entersPackages(start)
        for (index, component) in components.enumerated() {
            if scope.honoursGitignore { stack = stack.adding(rules(in: current)) }
            current = current.appending(component)
            if index < named { continue }
            let isInner = index < components.count - 1 || isDirectory
            if isInner {
                let isLeftOut =
                    entersPackages
                    ? Scope.excludesInPackages(named: component)
                    : Scope.excludesDirectory(named: component)
                        || (!(isToBeListed && current == path) && isEnvironment(current))
                if isLeftOut { return true }
            }
            if scope.excludes(current, isDirectory: isInner) { return true }
            if scope.honoursGitignore, stack.ignores(rootPath.appending(current), isDirectory: isInner) { return true }
        }
        return false
    }

    /// Whether a place named by the user contains installed packages.
    private func entersPackages(_ start: BytePath) -> Bool {
        let components = start.isEmpty ? [rootPath.lastComponent] : start.components
        return components.contains { Scope.excludesDirectory(named: $0) } || isEnvironment(start)
    }

    /// Whether a directory is a virtual environment (PEP 405), or a bundle.
    private func isEnvironment(_ directory: BytePath) -> Bool {
        ["pyvenv.cfg", Scope.bundleMark].contains { name in
            (try? root.status(directory.appending(name), followsLinks: true)) != nil
        }
    }

    // MARK: One directory

    /// The relevant names in one directory. They are collected first because how one is treated can depend on others.
    private struct Names {
        var sources: [BytePath] = []
        /// Of the sources, those that are symbolic links.
        var links: Set<BytePath> = []
        var directories: [BytePath] = []
        var hasCache = false
        var hasIgnoreFile = false
        var isEnvironment = false
    }

    private func list(_ pending: Pending, _ buffer: DirectoryListing) -> Listing {
        var listing = Listing()
        do throws(SystemError) {
            let directory = try root.directory(pending.path)
            watch(directory, pending.path, .sources, in: &listing)
            var names = Names()
            try buffer.forEach(in: directory, path: pending.path) { name, kind throws(SystemError) in
                try sort(name, kind, directory, into: &names)
            }
            if names.isEnvironment, !pending.isNamed, !pending.entersPackages {
                // It stays watched: if its pyvenv.cfg is deleted, it is in scope again.
                return listing
            }
            listing.result.directories.append(pending.path)
            if names.hasCache { listing.result.caches.append(pending.path) }
            let entersPackages = pending.entersPackages || (pending.isNamed && names.isEnvironment)
            let ignores = names.hasIgnoreFile ? pending.ignores.adding(rules(in: pending.path)) : pending.ignores
            if names.hasCache, inotify != nil {
                if let cache = try? directory.directory(BytePath("__pycache__")) {
                    watch(cache, pending.path, .artifacts, in: &listing)
                }
            }
            let recorded = settled?.directory(pending.path)
            for name in names.sources {
                if rulesApply(ignores),
                    isLeftOut(pending.path.appending(name), isDirectory: false, ignores)
                {
                    continue
                }
                if names.links.contains(name) { listing.result.links.append(pending.path.appending(name)) }
                do throws(SystemError) {
                    guard
                        case .present(let status, let artifacts) = try examine(
                            name, in: directory, hasCache: names.hasCache)
                    else { continue }
                    if let recorded,
                        let position = settled?.position(
                            of: name, in: recorded, stamp: status.stamp, artifacts: artifacts)
                    {
                        listing.result.settled.append(position)
                    } else {
                        listing.result.sources.append(
                            ScannedSource(pending.path.appending(name), status, artifacts))
                    }
                } catch {
                    // A directory that can be listed but not searched fails for each of its files; report it only once.
                    guard names.links.contains(name) else { throw error }
                    listing.result.unreadable.append(
                        UnreadablePlace(path: pending.path.appending(name), error: error, isDirectory: false))
                }
            }
            if !listing.result.settled.isEmpty { listing.result.settledDirectories.append(pending.path) }
            for name in names.directories {
                if entersPackages
                    ? Scope.excludesInPackages(named: name.bytes) : Scope.excludesDirectory(named: name.bytes)
                {
                    continue
                }
                let path = pending.path.appending(name)
                if isLeftOut(path, isDirectory: true, ignores) { continue }
                listing.subdirectories.append(
                    Pending(path: path, ignores: ignores, isNamed: false, entersPackages: entersPackages))
            }
        } catch {
            // A directory that vanished or became a link during the scan is not an error: its event follows.
            if !error.isMissing, !error.isLoop {
                listing.result.unreadable.append(
                    UnreadablePlace(path: pending.path, error: error, isDirectory: true))
            }
        }
        return listing
    }

    private func sort(
        _ name: UnsafePointer<CChar>, _ kind: EntryKind, _ directory: Directory, into names: inout Names
    ) throws(SystemError) {
        var kind = kind
        var length = 0
        while name[length] != 0 { length += 1 }
        // Same as `Scope.isSource(named:)`, without creating a collection for every name in the tree.
        let isSource = length > 3 && name[length - 1] == 0x79 && name[length - 2] == 0x70 && name[length - 3] == 0x2E
        if kind == .unknown {
            switch try directory.status(name, followsLinks: false)?.kind {
            case .regular: kind = .regular
            case .directory: kind = .directory
            case .symbolicLink: kind = .symbolicLink
            default: kind = .other
            }
        }
        switch kind {
        case .directory:
            let path = BytePath(cString: name)
            if path.bytes.elementsEqual("__pycache__".utf8) {
                names.hasCache = true
            } else {
                names.directories.append(path)
            }
        case .regular, .symbolicLink:
            if isSource {
                names.sources.append(BytePath(cString: name))
                if kind == .symbolicLink { names.links.insert(BytePath(cString: name)) }
            } else if name[0] == 0x2E {
                let path = BytePath(cString: name)
                if path.bytes.elementsEqual(".gitignore".utf8) { names.hasIgnoreFile = true }
                if path.bytes.elementsEqual(Scope.bundleMark.utf8) { names.isEnvironment = true }
            } else if length == 10, BytePath(cString: name).bytes.elementsEqual("pyvenv.cfg".utf8) {
                names.isEnvironment = true
            }
        case .other, .unknown:
            break
        }
    }

    /// Whether there are any rules that a path could be left out by.
    private func rulesApply(_ ignores: IgnoreStack) -> Bool {
        scope.hasExcludes || (scope.honoursGitignore && !ignores.isEmpty)
    }

    private func isLeftOut(_ path: BytePath, isDirectory: Bool, _ ignores: IgnoreStack) -> Bool {
        if scope.hasExcludes, scope.excludes(path, isDirectory: isDirectory) { return true }
        return scope.honoursGitignore && ignores.ignores(rootPath.appending(path), isDirectory: isDirectory)
    }

    private func watch(_ directory: Directory, _ path: BytePath, _ role: WatchTable.Role, in listing: inout Listing) {
        guard let inotify else { return }
        do throws(SystemError) {
            let watch = try inotify.watch(directory, role == .sources ? .sources : .artifacts)
            listing.result.watches.append((watch, path, role))
        } catch {
            listing.result.unwatched.append((path, error))
        }
    }

    // MARK: .gitignore

    private func rules(in directory: BytePath) -> IgnoreRules {
        guard scope.honoursGitignore else { return IgnoreRules(contents: [], directory: directory) }
        return Self.rules(in: rootPath.appending(directory), file: ".gitignore")
    }

    private static func rules(in directory: BytePath, file: String) -> IgnoreRules {
        IgnoreRules(contents: Host.contents(directory.appending(file)) ?? [], directory: directory)
    }

    /// The rules that apply to a directory apart from its own `.gitignore`: the user's, the repository's
    /// `info/exclude`, and each `.gitignore` from the top of the work tree down.
    private func ignoresAbove(_ directory: BytePath) -> IgnoreStack {
        let place = rootPath.appending(directory)
        var upwards: [BytePath] = []
        var current = place
        var top: BytePath?
        while true {
            if let status = try? Host.status(current.appending(".git")), status.kind != .other {
                top = current
                break
            }
            if current.components.isEmpty { break }
            current = current.parent
            upwards.append(current)
        }
        guard let top else { return IgnoreStack() }
        var stack = IgnoreStack()
        let home = Host.environment("XDG_CONFIG_HOME") ?? Host.environment("HOME")?.appending(".config")
        if let contents = home.flatMap({ Host.contents($0.appending("git/ignore")) }) {
            stack = stack.adding(IgnoreRules(contents: contents, directory: top))
        }
        if let contents = Host.contents(top.appending(".git/info/exclude")) {
            stack = stack.adding(IgnoreRules(contents: contents, directory: top))
        }
        for above in upwards.reversed() where above.isWithin(top) && above != place {
            stack = stack.adding(Self.rules(in: above, file: ".gitignore"))
        }
        return stack
    }
}
