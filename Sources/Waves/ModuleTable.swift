// The records of all sources, in memory, and what is asked about them.

import BasicTypes
import BuildModel

/// The records, with indexes by path, directory and inode.
package struct ModuleTable {
    private(set) var records: RecordTable
    /// Positions by directory. Created on first use; a one-shot run never needs it.
    private var siblings: [UInt32: Set<UInt32>]?
    /// Positions by the inode of the source: hard links and symbolic links to one file. Created on first use.
    private var aliases: InodePositions?

    /// The artifacts that count: a record may also keep traces of interpreters that are not selected now.
    private let keys: Set<ArtifactKey>

    package init(_ records: RecordTable = RecordTable(), keys: Set<ArtifactKey>) {
        self.keys = keys
        self.records = records
        for position in records.unusualPositions {
            let record = records[position: position]
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

    package var count: Int { records.count }
    /// Sources that the compiler rejects for at least one target.
    package private(set) var failing: Set<BytePath> = []
    /// Sources with diagnostics from a compiler.
    package private(set) var noted: Set<BytePath> = []

    package subscript(path: BytePath) -> ModuleRecord? { records[path] }

    package func contains(_ path: BytePath) -> Bool { records.position(of: path) != nil }
    package func position(of path: BytePath) -> Int? { records.position(of: path) }

    package mutating func update(_ record: ModuleRecord) {
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
        if aliases != nil, let old = records.position(of: record.path) {
            aliases?.remove(UInt32(old), inode: records.inode(at: old))
        }
        let (position, isNew) = records.update(record)
        aliases?.insert(UInt32(position), inode: record.source.stamp.inode)
        if isNew { siblings?[records.directory(at: position), default: []].insert(UInt32(position)) }
    }

    package mutating func remove(_ path: BytePath) {
        guard let position = records.position(of: path) else { return }
        failing.remove(path)
        noted.remove(path)
        aliases?.remove(UInt32(position), inode: records.inode(at: position))
        let directory = records.directory(at: position)
        siblings?[directory]?.remove(UInt32(position))
        if siblings?[directory]?.isEmpty == true { siblings?[directory] = nil }
        records.remove(path)
    }

    /// The paths directly in a directory.
    package mutating func paths(in directory: BytePath) -> [BytePath] {
        if siblings == nil {
            var made: [UInt32: Set<UInt32>] = [:]
            for position in records.positions {
                made[records.directory(at: position), default: []].insert(UInt32(position))
            }
            siblings = made
        }
        return records.directory(directory).flatMap { siblings?[$0] }?.map { records.path(at: Int($0)) } ?? []
    }

    /// The paths whose recorded inode is this one.
    package mutating func paths(inode: UInt64) -> Set<BytePath> {
        if aliases == nil {
            var made = InodePositions()
            for position in records.positions { made.insert(UInt32(position), inode: records.inode(at: position)) }
            aliases = made
        }
        return Set((aliases?[inode] ?? []).map { records.path(at: Int($0)) })
    }

    /// The paths at or below these places. Takes one pass over all paths, and none if every place is a source.
    package func paths(within places: PathSet) -> [BytePath] {
        if !places.coversRoot, places.topmost.allSatisfy(contains) { return places.topmost }
        let paths = records.positions.lazy.map { records.path(at: $0) }
        return places.coversRoot ? Array(paths) : paths.filter { places.covers($0) }
    }

    /// The paths at or below these places, except those at these positions.
    package func paths(except positions: [Int], within places: PathSet) -> [BytePath] {
        var isExcepted = [Bool](repeating: false, count: records.positionLimit)
        for position in positions { isExcepted[position] = true }
        return records.positions.lazy.filter { !isExcepted[$0] }.map { records.path(at: $0) }.filter {
            places.covers($0)
        }
    }

    /// All sources with a guarded artifact.
    package var guarded: [BytePath] { records.lazy.filter(\.isGuarded).map(\.path) }
}

/// Positions by inode. Nearly every inode has one.
private struct InodePositions {
    private var first: [UInt64: UInt32] = [:]
    private var further: [UInt64: Set<UInt32>] = [:]

    subscript(inode: UInt64) -> [UInt32] {
        (first[inode].map { [$0] } ?? []) + (further[inode] ?? [])
    }

    mutating func insert(_ position: UInt32, inode: UInt64) {
        if first[inode] == nil { first[inode] = position } else { further[inode, default: []].insert(position) }
    }

    mutating func remove(_ position: UInt32, inode: UInt64) {
        if first[inode] == position {
            first[inode] = further[inode]?.popFirst()
        } else {
            further[inode]?.remove(position)
        }
        if further[inode]?.isEmpty == true { further[inode] = nil }
    }
}
