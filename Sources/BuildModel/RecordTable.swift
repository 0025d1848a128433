// The records of many sources, in little memory.
//
// A tree can have a million modules. As structures with a path and an array of traces each, records take 500 bytes; here the
// usual record is a row of 152, with each part of its path stored once, and reading a database makes no object for each of them.

import BasicTypes

/// Records by path.
///
/// A record keeps its position until it is removed. The usual record, of code that was published for one target without any
/// diagnostic, is one row; the traces of all others are kept beside.
package struct RecordTable: Sendable {
    private var rows: [RecordRow] = []
    private var free: [UInt32] = []
    private var others: [UInt32: [Trace]] = [:]
    private var paths = PathPool()
    private var devices = DevicePool()
    private var index = PositionIndex()

    package init() {}

    package init(_ records: some Sequence<ModuleRecord>) {
        for record in records { update(record) }
    }

    /// All positions are less than this.
    package var positionLimit: Int { rows.count }
    /// The number of records.
    package var count: Int { rows.count - free.count }
    package var isEmpty: Bool { count == 0 }

    /// The positions of all records, in the order in which they were added, if none was ever removed.
    package var positions: some Sequence<Int> { rows.indices.lazy.filter { [rows] in !rows[$0].isVacant } }

    /// The interpreters of all traces.
    package var interpreters: Set<InterpreterID> {
        var found: Set<InterpreterID> = []
        for row in rows where row.isPlain { found.insert(row.interpreterID) }
        for traces in others.values { for trace in traces { found.insert(trace.key.interpreter) } }
        return found
    }

    /// The positions of records with other traces than a published one without diagnostics.
    package var unusualPositions: [Int] { others.keys.map { Int($0) } }

    package subscript(path: BytePath) -> ModuleRecord? {
        position(of: path).map { self[position: $0, path: path] }
    }

    /// The record at a position that `position` returned.
    package subscript(position position: Int) -> ModuleRecord { self[position: position, path: path(at: position)] }

    /// The same with a path that is known, or not needed.
    package subscript(position position: Int, path path: BytePath) -> ModuleRecord {
        let row = rows[position]
        let state = row.state(devices)
        let traces = row.isPlain ? [row.trace(state.fingerprint, devices)] : others[UInt32(position)] ?? []
        return ModuleRecord(path: path, source: state, traces: traces)
    }

    package func path(at position: Int) -> BytePath { paths.path(rows[position].place) }

    /// The inode of the source at a position, when it was recorded.
    package func inode(at position: Int) -> UInt64 { rows[position].source.inode }

    /// Identifies the directory of the record at a position.
    package func directory(at position: Int) -> UInt32 { rows[position].place.directory }

    // MARK: Finding

    package func position(of path: BytePath) -> Int? {
        directory(path.parent).flatMap { position(of: path.lastComponent, in: $0) }
    }

    /// The directory of records; `nil` if it never had any.
    package func directory(_ path: BytePath) -> UInt32? { paths.directory(path) }

    /// The position of the record of a name in a directory.
    package func position(of name: ArraySlice<UInt8>, in directory: UInt32) -> Int? {
        name.withUnsafeBytes { name in
            index.find(PathPool.hash(name, in: directory)) { position in
                paths.isEqual(rows[Int(position)].place, name, in: directory)
            }.map { Int($0) }
        }
    }

    // MARK: Changing

    /// Adds a record, or replaces the one with its path.
    ///
    /// - Returns: the position of the record, and whether it is new.
    @discardableResult
    package mutating func update(_ record: ModuleRecord) -> (position: Int, isNew: Bool) {
        if let position = position(of: record.path) {
            set(UInt32(position), record, at: rows[position].place)
            return (position, false)
        }
        compactIfNeeded()
        let position: UInt32
        let place = paths.add(record.path)
        if let known = free.popLast() {
            position = known
            set(position, record, at: place)
        } else {
            position = append(record, at: place)
        }
        addToIndex(position)
        return (Int(position), true)
    }

    /// Removes a record; returns its position, or `nil` if there was none.
    @discardableResult
    package mutating func remove(_ path: BytePath) -> Int? {
        guard let position = position(of: path) else { return nil }
        let number = UInt32(position)
        index.remove(paths.hash(rows[position].place), number)
        others[number] = nil
        paths.forget(rows[position].place)
        rows[position] = .vacant
        free.append(number)
        return position
    }

    private mutating func set(_ position: UInt32, _ record: ModuleRecord, at place: PathPool.Place) {
        if let row = RecordRow(record, at: place, &devices) {
            rows[Int(position)] = row
            if !others.isEmpty { others[position] = nil }
        } else {
            rows[Int(position)] = RecordRow(record.source, at: place, &devices)
            others[position] = record.traces
        }
    }

    private mutating func append(_ record: ModuleRecord, at place: PathPool.Place) -> UInt32 {
        let position = UInt32(truncatingIfNeeded: rows.count)
        rows.append(.vacant)
        set(position, record, at: place)
        return position
    }

    private mutating func addToIndex(_ position: UInt32) {
        index.insert(paths.hash(rows[Int(position)].place), position, count: count) { [rows, paths] position in
            paths.hash(rows[Int(position)].place)
        }
    }

    /// Names of removed records stay in the pool. It is made again once most of it is not needed any more.
    private mutating func compactIfNeeded() {
        guard paths.isMostlyForgotten else { return }
        var fresh = PathPool()
        for position in rows.indices where !rows[position].isVacant {
            rows[position].place = fresh.add(path(at: position))
        }
        paths = fresh
        reindex()
    }

    // MARK: Building

    /// Adds a record that is not looked up until `reindex`. Its path must be new.
    package mutating func appendUnindexed(_ record: ModuleRecord) {
        _ = append(record, at: paths.add(record.path))
    }

    /// Adds all records of another table, unindexed. Their paths must be new, and none of them may have been removed.
    package mutating func appendUnindexed(contentsOf table: RecordTable) {
        let first = UInt32(truncatingIfNeeded: rows.count)
        let renamed = paths.append(table.paths)
        let renumbered = devices.append(table.devices)
        for row in table.rows { rows.append(row.moved(renamed, renumbered)) }
        for (position, traces) in table.others { others[first + position] = traces }
    }

    package mutating func reserveCapacity(_ count: Int) { rows.reserveCapacity(count) }

    /// Makes all records findable.
    ///
    /// - Returns: whether all paths are different. If not, the table cannot be used.
    @discardableResult
    package mutating func reindex() -> Bool {
        index = PositionIndex(capacity: count)
        for position in rows.indices where !rows[position].isVacant {
            let place = rows[position].place
            let hash = paths.hash(place)
            if index.find(hash, where: { paths.areEqual(rows[Int($0)].place, place) }) != nil { return false }
            index.insert(hash, UInt32(truncatingIfNeeded: position), count: count) { [rows, paths] other in
                paths.hash(rows[Int(other)].place)
            }
        }
        return true
    }

    /// Whether the records are sorted by path.
    package var isSorted: Bool {
        var last: BytePath?
        for position in positions {
            let path = path(at: position)
            if let last, !(last < path) { return false }
            last = path
        }
        return true
    }
}

extension RecordTable: Sequence {
    package func makeIterator() -> some IteratorProtocol<ModuleRecord> {
        positions.lazy.map { self[position: $0] }.makeIterator()
    }
}
