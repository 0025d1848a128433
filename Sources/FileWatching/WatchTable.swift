// Maps watches to directories and back, and events to hints. Makes no system calls: it returns the watches to be
// removed.

import BasicTypes
import BuildModel

/// Something that may have changed. A hint is never a fact, only a reason to look.
package enum TreeHint: Hashable, Sendable {
    /// A name that ends in `.py`: examine it now.
    case source(BytePath)
    /// The same, but a process has it open for writing: expect an event when it is closed.
    case sourceBeingWritten(BytePath)
    /// The same, deleted: its whole directory may be in the process of being deleted.
    case sourceDeleted(BytePath)
    /// An importable file other than a source was added, removed or replaced: a stub, an extension module.
    case importable(BytePath)
    /// A file in the `__pycache__` of this directory.
    case artifact(directory: BytePath, name: [UInt8])
    /// A new directory: scan it.
    case directoryAppeared(BytePath)
    /// A directory was removed with everything in it.
    case directoryGone(BytePath)
    /// A file was created in the database's directory: all earlier events have been delivered.
    case cookie([UInt8])
    /// Ignore rules changed.
    case rulesChanged
    /// Any other file was written, replaced or removed. Only if the table is told to report these.
    case data(BytePath)
    /// A configuration file in the root was written, replaced or removed.
    case configurationTouched
    /// Events were lost: examine everything.
    case eventsLost
    /// The root itself was moved or unmounted.
    case rootGone
}

/// The directories that are watched.
package struct WatchTable: Sendable {
    package enum Role: Hashable, Sendable {
        case sources
        /// The `__pycache__` in the directory of this path.
        case artifacts
        /// The database's directory.
        case cookies
    }

    private struct Entry: Hashable, Sendable {
        let path: BytePath
        let role: Role
    }

    private var byWatch: [Int32: Entry] = [:]
    private var sources: [BytePath: Int32] = [:]
    private var artifacts: [BytePath: Int32] = [:]
    /// For each path, its watches and the subdirectories that are watched or contain a watched one. Deleting a tree
    /// sends an event for each of its directories; with this, the watches below one are found without searching all.
    private var places: [BytePath: Place] = [:]

    private struct Place: Sendable {
        var watches: [Int32] = []
        var children: Set<BytePath> = []
        var isEmpty: Bool { watches.isEmpty && children.isEmpty }
    }

    private let configurationFiles: [[UInt8]]
    private let reportsData: Bool

    /// - Parameters:
    ///   - configurationFiles: names of files in the root whose changes are reported.
    ///   - reportsData: whether changes of files are reported that are neither sources nor importable.
    package init(configurationFiles: [String] = [], reportsData: Bool = false) {
        self.configurationFiles = configurationFiles.map { Array($0.utf8) }
        self.reportsData = reportsData
    }

    /// Number of watched source directories.
    package var directoryCount: Int { sources.count }
    package var watchCount: Int { byWatch.count }

    package func isWatched(_ directory: BytePath) -> Bool { sources[directory] != nil }

    /// Records a watch. The kernel has one watch per directory, whatever path it was reached by; the latest path is
    /// kept.
    package mutating func add(_ watch: Int32, path: BytePath, role: Role) {
        if let old = byWatch[watch], old != Entry(path: path, role: role) { forget(old, watch: watch) }
        byWatch[watch] = Entry(path: path, role: role)
        switch role {
        case .sources: sources[path] = watch
        case .artifacts: artifacts[path] = watch
        case .cookies: return
        }
        if !(places[path]?.watches.contains(watch) ?? false) { places[path, default: Place()].watches.append(watch) }
        var child = path
        while !child.isEmpty, places[child.parent, default: Place()].children.insert(child).inserted {
            child = child.parent
        }
    }

    private mutating func forget(_ entry: Entry, watch: Int32) {
        switch entry.role {
        case .sources:
            if sources[entry.path] == watch { sources[entry.path] = nil }
        case .artifacts:
            if artifacts[entry.path] == watch { artifacts[entry.path] = nil }
        case .cookies: break
        }
        byWatch[watch] = nil
        places[entry.path]?.watches.removeAll { $0 == watch }
        var path = entry.path
        while let place = places[path], place.isEmpty {
            places[path] = nil
            if path.isEmpty { break }
            places[path.parent]?.children.remove(path)
            path = path.parent
        }
    }

    /// Forgets all watches at or below a directory.
    ///
    /// - Returns: the watches to be removed.
    package mutating func removeTree(_ directory: BytePath) -> [Int32] {
        var ended: [Int32] = []
        var open = [directory]
        while let path = open.popLast() {
            guard let place = places[path] else { continue }
            ended += place.watches
            open += place.children
        }
        for watch in ended { if let entry = byWatch[watch] { forget(entry, watch: watch) } }
        return ended
    }

    /// Converts an event to hints. Appends watches to be removed to `ended`.
    package mutating func hints(for event: InotifyEvent, ended: inout [Int32]) -> [TreeHint] {
        if event.mask.contains(.overflowed) { return [.eventsLost] }
        guard let entry = byWatch[event.watch] else {
            // The watch was removed while its events were queued.
            return []
        }
        if event.mask.contains(.ignored) {
            forget(entry, watch: event.watch)
            return []
        }
        if !event.mask.isDisjoint(with: [.deletedSelf, .movedSelf, .unmounted]) {
            return entry.path.isEmpty && entry.role == .sources ? [.rootGone] : []
        }
        switch entry.role {
        case .cookies:
            return [.cookie(event.name)]
        case .artifacts:
            return [.artifact(directory: entry.path, name: event.name)]
        case .sources:
            return hints(for: event, in: entry.path, ended: &ended)
        }
    }

    private mutating func hints(
        for event: InotifyEvent, in directory: BytePath, ended: inout [Int32]
    ) -> [TreeHint] {
        let path = directory.appending(event.name)
        if event.name.isEmpty { return [] }
        guard event.mask.contains(.isDirectory) else {
            if event.name.elementsEqual(".gitignore".utf8) { return [.rulesChanged] }
            // A link or a file in the place of the cache.
            if event.name.elementsEqual("__pycache__".utf8) {
                let hasMoved = !event.mask.isDisjoint(with: [.created, .movedTo, .deleted, .movedFrom])
                return hasMoved ? [.artifact(directory: directory, name: [])] : []
            }
            guard Scope.isSource(named: event.name[...]) else {
                if event.name.elementsEqual("pyvenv.cfg".utf8) || event.name.elementsEqual(Scope.bundleMark.utf8) {
                    return [.rulesChanged]
                }
                let settled: InotifyEvent.Mask = [.closedAfterWriting, .movedTo, .movedFrom, .deleted]
                if directory.isEmpty, !event.mask.isDisjoint(with: settled), configurationFiles.contains(event.name) {
                    return [.configurationTouched]
                }
                let data: [TreeHint] =
                    reportsData && !event.mask.isDisjoint(with: settled.union(.created)) ? [.data(path)] : []
                if ImportableName.isLeaf(event.name) { return [.importable(path)] + data }
                // A link to a directory can be imported, and sends the events of a file.
                let isNew = !event.mask.isDisjoint(with: [.created, .movedTo, .deleted, .movedFrom])
                return isNew && PythonName.isName(event.name[...]) ? [.importable(path)] + data : data
            }
            if event.mask.contains(.deleted) { return [.sourceDeleted(path)] }
            if !event.mask.isDisjoint(with: [.closedAfterWriting, .movedTo, .movedFrom, .attributes]) {
                return [.source(path)]
            }
            return [.sourceBeingWritten(path)]
        }
        if event.name.elementsEqual("__pycache__".utf8) {
            if !event.mask.isDisjoint(with: [.deleted, .movedFrom]) {
                if let watch = artifacts[directory] {
                    forget(Entry(path: directory, role: .artifacts), watch: watch)
                    ended.append(watch)
                }
                return [.artifact(directory: directory, name: [])]
            }
            return event.mask.isDisjoint(with: [.created, .movedTo]) ? [] : [.artifact(directory: directory, name: [])]
        }
        let data: [TreeHint] = reportsData ? [.data(path)] : []
        if !event.mask.isDisjoint(with: [.created, .movedTo]) { return [.directoryAppeared(path)] + data }
        if event.mask.contains(.attributes) {
            // It may have become readable.
            return isWatched(path) ? [] : [.directoryAppeared(path)]
        }
        if !event.mask.isDisjoint(with: [.movedFrom, .deleted]) {
            // The watches of a moved directory move with it, so their paths are no longer valid.
            ended += removeTree(path)
            return [.directoryGone(path)] + data
        }
        return []
    }
}
