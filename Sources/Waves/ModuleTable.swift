// The records of all sources, in memory.

import BasicTypes
import BuildModel

/// The records in a dense array, with an index by path.
package struct ModuleTable {
    private var records: [ModuleRecord?] = []
    private var index: [BytePath: Int] = [:]
    private var free: [Int] = []
    /// Paths by directory. Created on first use; a one-shot run never needs it.
    private var siblings: [BytePath: Set<BytePath>]?
    /// Paths by the inode of their contents: hard links and symbolic links to one file. Created on first use.
    private var aliases: [UInt64: Set<BytePath>]?

    /// The artifacts that count: a record may also keep traces of interpreters that are not selected now.
    private let keys: Set<ArtifactKey>

    package init(_ modules: [ModuleRecord] = [], keys: Set<ArtifactKey>) {
        self.keys = keys
        records = modules.map { $0 }
        index.reserveCapacity(modules.count)
        for (position, record) in modules.enumerated() {
            index[record.path] = position
            if isFailing(record) { failing.insert(record.path) }
            if isNoted(record) { noted.insert(record.path) }
        }
    }

    private func isFailing(_ record: ModuleRecord) -> Bool {
        record.traces.contains { $0.isFailure && keys.contains($0.key) }
    }

    private func isNoted(_ record: ModuleRecord) -> Bool {
        record.traces.contains { !$0.diagnostics.isEmpty && keys.contains($0.key) }
    }

    package var count: Int { index.count }
    /// Sources that the compiler rejects for at least one target.
    package private(set) var failing: Set<BytePath> = []
    /// Sources with diagnostics from a compiler.
    package private(set) var noted: Set<BytePath> = []
    package var all: [ModuleRecord] { records.compactMap { $0 } }

    package subscript(path: BytePath) -> ModuleRecord? {
        index[path].flatMap { records[$0] }
    }

    package mutating func update(_ record: ModuleRecord) {
        if aliases != nil {
            if let old = self[record.path] { aliases?[old.source.stamp.inode]?.remove(record.path) }
            aliases?[record.source.stamp.inode, default: []].insert(record.path)
        }
        if isFailing(record) {
            failing.insert(record.path)
        } else if !failing.isEmpty {
            failing.remove(record.path)
        }
        if isNoted(record) {
            noted.insert(record.path)
        } else if !noted.isEmpty {
            noted.remove(record.path)
        }
        if let position = index[record.path] {
            records[position] = record
        } else if let position = free.popLast() {
            records[position] = record
            index[record.path] = position
            siblings?[record.path.parent, default: []].insert(record.path)
        } else {
            siblings?[record.path.parent, default: []].insert(record.path)
            index[record.path] = records.count
            records.append(record)
        }
    }

    package mutating func remove(_ path: BytePath) {
        guard let position = index.removeValue(forKey: path) else { return }
        failing.remove(path)
        noted.remove(path)
        if let inode = records[position]?.source.stamp.inode {
            aliases?[inode]?.remove(path)
            if aliases?[inode]?.isEmpty == true { aliases?[inode] = nil }
        }
        records[position] = nil
        siblings?[path.parent]?.remove(path)
        free.append(position)
    }

    /// The paths directly in a directory.
    package mutating func paths(in directory: BytePath) -> [BytePath] {
        if siblings == nil { siblings = Dictionary(grouping: index.keys, by: \.parent).mapValues { Set($0) } }
        return Array(siblings?[directory] ?? [])
    }

    /// The paths whose recorded inode is this one.
    package mutating func paths(inode: UInt64) -> Set<BytePath> {
        if aliases == nil {
            var made: [UInt64: Set<BytePath>] = [:]
            for case .some(let record) in records { made[record.source.stamp.inode, default: []].insert(record.path) }
            aliases = made
        }
        return aliases?[inode] ?? []
    }

    /// The paths at or below these places. Takes one pass over all paths, and none if every place is a source.
    package func paths(within places: PathSet) -> [BytePath] {
        if places.coversRoot { return Array(index.keys) }
        if places.topmost.allSatisfy({ index[$0] != nil }) { return places.topmost }
        return index.keys.filter { places.covers($0) }
    }
}
