// A JSON file that ends with a checksum of its contents.

import BasicTypes

/// One object, whose last key is the checksum of all bytes before that key.
enum SealedJSON {
    /// A fixed key: the checksum protects against accidents, not against forgery.
    private static let key: (UInt64, UInt64) = (0x6672_6573_6870_7963, 0x7374_6174_652e_6a73)

    /// The bytes from `"checksum"` to the end.
    static let trailerLength = #""checksum":"0123456789abcdef"}"#.utf8.count + 1

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 { SipHash.hash13(bytes, key: key) }

    /// The checksum of pieces that are added one after the other.
    static func checksumOfPieces() -> SipHash.Stream13 { SipHash.Stream13(key: key) }

    /// Adds the checksum and closes the outermost object.
    static func seal(_ writer: inout JSONLineWriter) -> [UInt8] {
        writer.newline()
        seal(&writer, writer.bytes.withUnsafeBytes(checksum))
        return writer.bytes
    }

    /// The same with the checksum of everything before.
    static func seal(_ writer: inout JSONLineWriter, _ checksum: UInt64) {
        writer.key("checksum")
        writer.hexadecimal(checksum)
        writer.close("}")
        writer.lastNewline()
    }

    /// The checksum in the last bytes.
    static func storedChecksum(in trailer: UnsafeRawBufferPointer) throws(MalformedState) -> UInt64 {
        var reader = JSONLineReader(trailer)
        try reader.expect("\"checksum\":\"")
        let sum = try reader.hexadecimal()
        try reader.expect("\"}\n")
        return sum
    }

    /// Verifies the checksum, and returns the offset at which the bytes that it covers end.
    ///
    /// - Throws: if the checksum is missing or wrong.
    static func end(of buffer: UnsafeRawBufferPointer) throws(MalformedState) -> Int {
        guard buffer.count > trailerLength else { throw MalformedState(offset: buffer.count) }
        let end = buffer.count - trailerLength
        let sum = try storedChecksum(in: UnsafeRawBufferPointer(rebasing: buffer[end...]))
        guard sum == checksum(UnsafeRawBufferPointer(rebasing: buffer[..<end])) else {
            throw MalformedState(offset: end)
        }
        return end
    }
}
