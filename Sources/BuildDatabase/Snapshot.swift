// Encodes the whole database as one file, and decodes it. FORMAT.md describes the format.

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
    package var modules: [ModuleRecord] = []

    package init(root: BytePath) {
        self.root = root
    }
}

/// The result of decoding a snapshot.
package enum SnapshotReading: Sendable {
    case contents(DatabaseContents)
    /// Written by a newer freshpyc.
    case newer(schema: Int)
    /// Written by an older freshpyc, in a format that is no longer read.
    case older(schema: Int)
    case broken(offset: Int)
}

package enum Snapshot {
    /// Raised whenever an older freshpyc could misread what a newer one writes.
    package static let schema = 2

    /// The bytes of the file: one module per line, sorted by path.
    package static func encode(_ contents: DatabaseContents) -> [UInt8] {
        var writer = JSONLineWriter(capacity: 512 + contents.modules.count * 420)
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
        for record in contents.modules.sorted(by: { $0.path < $1.path }) {
            writer.newline()
            writer.value(record)
        }
        writer.lastNewline()
        writer.close("]")
        return SealedJSON.seal(&writer)
    }

    package static func decode(_ bytes: [UInt8]) -> SnapshotReading {
        bytes.withUnsafeBytes { buffer in
            do throws(MalformedState) {
                var reader = JSONLineReader(buffer)
                try reader.expect("{\"schema\":")
                let found: Int = try reader.integer()
                // The rest of a newer snapshot may have any format.
                if found > schema { return .newer(schema: found) }
                if found > 0, found < schema { return .older(schema: found) }
                guard found == schema else { return .broken(offset: reader.position) }
                let end = try SealedJSON.end(of: buffer)
                try reader.expect(",\"root\":")
                var contents = DatabaseContents(root: try reader.path())
                try reader.expect(",\"clock\":")
                contents.clock = try reader.clock()
                try reader.expect(",\"interpreters\":[\n")
                while !reader.take("]") {
                    contents.interpreters.append(try reader.interpreter())
                    _ = reader.take(",")
                    try reader.expect("\n")
                }
                try reader.expect(",\"modules\":[\n")
                contents.modules = try modules(buffer, from: reader.position, to: end - "],\n".utf8.count)
                return .contents(contents)
            } catch {
                return .broken(offset: error.offset)
            }
        }
    }

    /// Reads the lines of the modules, in slices that are read in parallel.
    private static func modules(
        _ buffer: UnsafeRawBufferPointer, from start: Int, to end: Int
    ) throws(MalformedState) -> [ModuleRecord] {
        guard start <= end else { throw MalformedState(offset: start) }
        let sliceLength = 128 * 1024
        var slices: [Range<Int>] = []
        var begin = start
        while begin < end {
            var stop = min(begin + sliceLength, end)
            while stop < end, buffer[stop - 1] != UInt8(ascii: "\n") { stop += 1 }
            slices.append(begin..<stop)
            begin = stop
        }
        let source = Borrowed(buffer: buffer)
        let parsed = ParallelSlices.map(slices, sliceSize: 1, scratch: {}) { range, _ in
            Result { () throws(MalformedState) in
                var records: [ModuleRecord] = []
                records.reserveCapacity(range.count / 300)
                var reader = JSONLineReader(source.buffer, from: range.lowerBound, to: range.upperBound)
                while !reader.isAtEnd {
                    records.append(try reader.moduleRecord())
                    _ = reader.take(",")
                    try reader.expect("\n")
                }
                return records
            }
        }
        var modules: [ModuleRecord] = []
        modules.reserveCapacity((end - start) / 300)
        for slice in parsed { modules += try slice.get() }
        return modules
    }

    /// `@unchecked Sendable` because the bytes are only read, and outlive the calls that read them: `decode` holds them
    /// for as long as it runs.
    private struct Borrowed: @unchecked Sendable {
        let buffer: UnsafeRawBufferPointer
    }
}
