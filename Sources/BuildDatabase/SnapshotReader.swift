// Decodes the file that `Snapshot` encodes.
//
// The file of a million modules has 380 MB. It is read in slices, by all processors, each into a small buffer: neither the
// file nor an object for each record is ever in memory. The checksum is computed meanwhile, so nothing that was decoded may
// be used before it is known. The file is not mapped, because a file that somebody truncates would end the process.

import BasicTypes
import BuildModel
import LinuxSystem

/// The result of decoding a snapshot.
package enum SnapshotReading: Sendable {
    case contents(DatabaseContents)
    /// Written by a newer freshpyc.
    case newer(schema: Int)
    /// Written by an older freshpyc, in a format that is no longer read.
    case older(schema: Int)
    case broken(offset: Int)
}

/// The bytes of a snapshot, in a file or in memory.
package struct SnapshotSource: Sendable {
    let count: Int
    /// Reads bytes at an offset into the whole buffer, or up to the end of the file, and returns how many.
    let read: @Sendable (UnsafeMutableRawBufferPointer, Int) throws(SystemError) -> Int

    /// A file, of the size that `fstat` reported.
    package init(_ file: OwnedDescriptor, count: Int) {
        self.count = count
        read = { buffer, offset throws(SystemError) in
            var filled = 0
            while filled < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                let count = try file.read(into: rest, at: Int64(offset + filled))
                if count == 0 { break }
                filled += count
            }
            return filled
        }
    }

    package init(_ bytes: [UInt8]) {
        count = bytes.count
        read = { buffer, offset in
            let end = min(bytes.count, offset + buffer.count)
            bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<end])) }
            return end - offset
        }
    }
}

package struct SnapshotReader {
    /// How much a task reads at once, in bytes.
    private static let sliceLength = 256 << 10
    private static let checksumLength = 1 << 20
    /// A line that is longer than this is read with a second attempt.
    private static let overlap = 8 << 10
    /// More than what comes before the modules.
    private static let headLength = 1 << 20

    private enum Failure: Error {
        case malformed(offset: Int)
        case system(SystemError)
    }

    private enum Task: Sendable {
        case checksum
        case slice(Range<Int>)
    }

    private enum Finding: Sendable {
        case checksum(UInt64)
        case records(RecordTable)
    }

    private let source: SnapshotSource

    /// - Throws: if the bytes could not be read.
    package static func read(_ source: SnapshotSource) throws(SystemError) -> SnapshotReading {
        do throws(Failure) {
            return try SnapshotReader(source: source).reading()
        } catch {
            switch error {
            case .malformed(let offset): return .broken(offset: offset)
            case .system(let error): throw error
            }
        }
    }

    private func reading() throws(Failure) -> SnapshotReading {
        let buffer = SliceBuffer()
        let head = try buffer.read(source, 0..<min(source.count, Self.headLength))
        var reader = JSONLineReader(head)
        var contents: DatabaseContents
        do throws(MalformedState) {
            try reader.expect("{\"schema\":")
            let found: Int = try reader.integer()
            // The rest of a newer snapshot may have any format.
            if found > Snapshot.schema { return .newer(schema: found) }
            if found > 0, found < Snapshot.schema { return .older(schema: found) }
            guard found == Snapshot.schema else { return .broken(offset: reader.position) }
            try reader.expect(",\"root\":")
            contents = DatabaseContents(root: try reader.path())
            try reader.expect(",\"clock\":")
            contents.clock = try reader.clock()
            try reader.expect(",\"interpreters\":[\n")
            while !reader.take("]") {
                contents.interpreters.append(try reader.interpreter())
                _ = reader.take(",")
                try reader.expect("\n")
            }
            try reader.expect(",\"modules\":[\n")
        } catch {
            throw .malformed(offset: error.offset)
        }
        let start = reader.position
        let end = source.count - SealedJSON.trailerLength
        guard end >= start else { throw .malformed(offset: source.count) }
        let checksum: UInt64
        let trailer = try buffer.read(source, end..<source.count)
        do throws(MalformedState) {
            checksum = try SealedJSON.storedChecksum(in: trailer)
        } catch {
            throw .malformed(offset: end + error.offset)
        }
        contents.modules = try modules(from: start, to: end - "],\n".utf8.count, sealedEnd: end, checksum)
        return .contents(contents)
    }

    /// Reads the lines of the modules, in slices that are read in parallel.
    private func modules(
        from start: Int, to end: Int, sealedEnd: Int, _ checksum: UInt64
    ) throws(Failure) -> RecordTable {
        guard start <= end else { throw .malformed(offset: start) }
        let slices = stride(from: start, to: end, by: Self.sliceLength).map {
            Task.slice($0..<min($0 + Self.sliceLength, end))
        }
        let tasks = [Task.checksum] + slices
        let findings = ParallelSlices.map(tasks, sliceSize: 1, scratch: { SliceBuffer() }) {
            task, buffer -> Result<Finding, Failure> in
            Result { () throws(Failure) in
                switch task {
                case .checksum:
                    return Finding.checksum(try self.checksum(of: sealedEnd, buffer))
                case .slice(let range):
                    return Finding.records(try self.records(beginningIn: range, start: start, end: end, buffer))
                }
            }
        }
        var modules = RecordTable()
        modules.reserveCapacity((end - start) / 300)
        for finding in findings {
            switch try finding.get() {
            case .checksum(let found): if found != checksum { throw .malformed(offset: sealedEnd) }
            case .records(let records): modules.appendUnindexed(contentsOf: records)
            }
        }
        // Two records of one path: freshpyc did not write this.
        guard modules.reindex() else { throw .malformed(offset: start) }
        return modules
    }

    private func checksum(of count: Int, _ buffer: SliceBuffer) throws(Failure) -> UInt64 {
        var sum = SealedJSON.checksumOfPieces()
        for start in stride(from: 0, to: count, by: Self.checksumLength) {
            sum.add(try buffer.read(source, start..<min(start + Self.checksumLength, count)))
        }
        return sum.finished()
    }

    /// Reads the lines that begin in a range. The last of them may end after it.
    private func records(
        beginningIn range: Range<Int>, start: Int, end: Int, _ buffer: SliceBuffer
    ) throws(Failure) -> RecordTable {
        // With the byte before, which is a line break if a line begins with the range.
        let first = max(start, range.lowerBound - 1)
        var overlap = Self.overlap
        while true {
            let stop = min(range.upperBound + overlap, end)
            let bytes = try buffer.read(source, first..<stop)
            guard let begin = first == start ? 0 : Self.lineBreak(in: bytes, from: 0).map({ $0 + 1 }),
                first + begin < range.upperBound
            else { return RecordTable() }
            if let last = Self.lineBreak(in: bytes, from: range.upperBound - 1 - first) {
                return try records(bytes, from: begin, to: last + 1, at: first)
            }
            guard stop < end else { throw .malformed(offset: end) }
            overlap *= 4
        }
    }

    private static func lineBreak(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n") { return index }
            index += 1
        }
        return nil
    }

    private func records(
        _ bytes: UnsafeRawBufferPointer, from begin: Int, to end: Int, at offset: Int
    ) throws(Failure) -> RecordTable {
        var records = RecordTable()
        records.reserveCapacity((end - begin) / 300)
        var reader = JSONLineReader(bytes, from: begin, to: end)
        do throws(MalformedState) {
            while !reader.isAtEnd {
                records.appendUnindexed(try reader.moduleRecord())
                _ = reader.take(",")
                try reader.expect("\n")
            }
        } catch {
            throw .malformed(offset: offset + error.offset)
        }
        return records
    }

    /// Memory that one thread reads into.
    private final class SliceBuffer {
        private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 16)

        deinit { memory.deallocate() }

        /// - Returns: bytes that are valid until the next call.
        func read(_ source: SnapshotSource, _ range: Range<Int>) throws(Failure) -> UnsafeRawBufferPointer {
            if memory.count < range.count {
                memory.deallocate()
                memory = .allocate(byteCount: range.count, alignment: 16)
            }
            let wanted = UnsafeMutableRawBufferPointer(rebasing: memory[..<range.count])
            let count: Int
            do throws(SystemError) {
                count = try source.read(wanted, range.lowerBound)
            } catch {
                throw .system(error)
            }
            // Somebody made it shorter meanwhile.
            guard count == range.count else { throw .malformed(offset: range.lowerBound + count) }
            return UnsafeRawBufferPointer(wanted)
        }
    }
}
