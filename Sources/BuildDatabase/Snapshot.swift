// Encodes the whole database as one file. FORMAT.md describes the format; SnapshotReader.swift decodes it.

import BasicTypes
import BuildModel
import LinuxSystem

/// Everything that the database remembers.
package struct DatabaseContents: Sendable {
    /// The root that paths are relative to; embedded in bytecode, so another root means another database.
    package var root: BytePath
    /// The number of the last wave.
    package var clock: UInt64 = 0
    package var interpreters: [Interpreter] = []
    package var modules = RecordTable()

    package init(root: BytePath) {
        self.root = root
    }
}

package enum Snapshot {
    /// Raised whenever an older freshpyc could misread what a newer one writes.
    package static let schema = 2

    /// Modules in each slice that is encoded at once, and slices that are in memory at the same time.
    private static let sliceCount = 256
    private static let slicesInMemory = 64

    /// The bytes of the file.
    package static func encode(_ contents: DatabaseContents) -> [UInt8] {
        var bytes: [UInt8] = []
        write(contents) { piece in bytes += piece }
        return bytes
    }

    /// Passes on the bytes of the file piece by piece: one module per line, sorted by path.
    ///
    /// Slices are encoded in parallel, because the end of every large build waits for this. A large database is never in
    /// memory as a whole.
    static func write<Failure: Error>(
        _ contents: DatabaseContents, to sink: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        var checksum = SealedJSON.checksumOfPieces()
        var writer = JSONLineWriter(capacity: 4096)
        writer.open("{")
        writer.key("schema")
        writer.value(schema)
        writer.key("root")
        writer.value(contents.root)
        writer.key("clock")
        writer.value(contents.clock)
        writer.key("interpreters")
        writer.open("[")
        for interpreter in contents.interpreters {
            writer.newline()
            writer.value(interpreter)
        }
        writer.lastNewline()
        writer.close("]")
        writer.key("modules")
        writer.open("[")
        checksum.add(writer.bytes)
        try sink(writer.bytes)
        let modules = contents.modules
        let positions = sorted(modules)
        let starts = Array(stride(from: 0, to: positions.count, by: sliceCount))
        for first in stride(from: 0, to: starts.count, by: slicesInMemory) {
            let pieces = ParallelSlices.map(Array(starts[first...].prefix(slicesInMemory)), sliceSize: 1, scratch: {}) {
                start, _ in
                lines(modules, positions[start...].prefix(sliceCount), isFirst: start == 0)
            }
            for piece in pieces {
                checksum.add(piece)
                try sink(piece)
            }
        }
        var end = JSONLineWriter()
        end.lastNewline()
        end.close("]")
        end.newline()
        checksum.add(end.bytes)
        SealedJSON.seal(&end, checksum.finished())
        try sink(end.bytes)
    }

    private static func lines(_ modules: RecordTable, _ positions: ArraySlice<Int>, isFirst: Bool) -> [UInt8] {
        var writer = JSONLineWriter(capacity: positions.count * 420, continues: !isFirst)
        for position in positions {
            writer.newline()
            writer.value(modules[position: position])
        }
        return writer.bytes
    }

    private static func sorted(_ modules: RecordTable) -> [Int] {
        let positions = Array(modules.positions)
        if modules.isSorted { return positions }
        return positions.map { (path: modules.path(at: $0), position: $0) }.sorted { $0.path < $1.path }.map(\.position)
    }
}
