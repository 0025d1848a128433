// The changes since the snapshot, one line per wave.

import BasicTypes
import BuildModel

/// The changes that one wave made to the database.
package struct WaveChange: Sendable, Equatable {
    package var clock: UInt64
    /// The whole list, if it has changed.
    package var interpreters: [Interpreter]?
    package var removed: [BytePath] = []
    /// Whole records. Each replaces the record with the same path.
    package var modules: [ModuleRecord] = []

    package init(clock: UInt64) {
        self.clock = clock
    }

    package var isEmpty: Bool { interpreters == nil && removed.isEmpty && modules.isEmpty }
}

/// The result of decoding a journal.
package enum JournalReading: Sendable {
    /// All waves, in order, and the number of bytes that they occupy. Any bytes after them are an incomplete line.
    case waves([WaveChange], validLength: Int)
    case broken(offset: Int)
}

package enum Journal {
    /// One line, including its newline.
    package static func encode(_ wave: WaveChange) -> [UInt8] {
        var writer = JSONLineWriter(capacity: 256 + wave.modules.count * 420)
        writer.open("{")
        writer.key("clock")
        writer.value(wave.clock)
        if let interpreters = wave.interpreters {
            writer.key("interpreters")
            writer.open("[")
            for interpreter in interpreters { writer.value(interpreter) }
            writer.close("]")
        }
        writer.key("removed")
        writer.open("[")
        for path in wave.removed { writer.value(path) }
        writer.close("]")
        writer.key("modules")
        writer.open("[")
        for record in wave.modules { writer.value(record) }
        writer.close("]")
        let sum = writer.bytes.withUnsafeBytes(SealedJSON.checksum)
        writer.key("checksum")
        writer.hexadecimal(sum)
        writer.close("}")
        writer.lastNewline()
        return writer.bytes
    }

    private static let trailerLength = #","checksum":"0123456789abcdef"}"#.utf8.count

    /// An incomplete last line was being written when the process died; the waves before it are valid. If a damaged line
    /// is followed by another one, the whole file cannot be trusted.
    package static func decode(_ bytes: [UInt8]) -> JournalReading {
        bytes.withUnsafeBytes { buffer in
            var waves: [WaveChange] = []
            var start = 0
            while start < buffer.count {
                guard let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) else { break }
                do throws(MalformedState) {
                    let wave = try line(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
                    guard waves.last.map({ $0.clock < wave.clock }) ?? true else {
                        return .broken(offset: start)
                    }
                    waves.append(wave)
                } catch {
                    return end + 1 < buffer.count
                        ? .broken(offset: start + error.offset) : .waves(waves, validLength: start)
                }
                start = end + 1
            }
            return .waves(waves, validLength: start)
        }
    }

    private static func line(_ bytes: UnsafeRawBufferPointer) throws(MalformedState) -> WaveChange {
        let end = bytes.count - trailerLength
        guard end > 0 else { throw MalformedState(offset: 0) }
        var trailer = JSONLineReader(bytes, from: end)
        try trailer.expect(",\"checksum\":\"")
        let sum = try trailer.hexadecimal()
        try trailer.expect("\"}")
        guard sum == SealedJSON.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<end])) else {
            throw MalformedState(offset: end)
        }
        var reader = JSONLineReader(bytes, to: end)
        try reader.expect("{\"clock\":")
        var wave = WaveChange(clock: try reader.clock())
        if reader.take(",\"interpreters\":[") {
            var interpreters: [Interpreter] = []
            try reader.list(closedBy: "]") { reader throws(MalformedState) in
                interpreters.append(try reader.interpreter())
            }
            wave.interpreters = interpreters
        }
        try reader.expect(",\"removed\":[")
        try reader.list(closedBy: "]") { reader throws(MalformedState) in wave.removed.append(try reader.path()) }
        try reader.expect(",\"modules\":[")
        try reader.list(closedBy: "]") { reader throws(MalformedState) in
            wave.modules.append(try reader.moduleRecord())
        }
        guard reader.isAtEnd else { throw MalformedState(offset: reader.position) }
        return wave
    }
}
