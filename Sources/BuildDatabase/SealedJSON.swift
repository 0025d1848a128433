// A JSON file that ends with a checksum of its contents.

import BasicTypes

/// One object, whose last key is the checksum of all bytes before that key.
enum SealedJSON {
    /// A fixed key: the checksum protects against accidents, not against forgery.
    private static let key: (UInt64, UInt64) = (0x6672_6573_6870_7963, 0x7374_6174_652e_6a73)

    /// The bytes from `"checksum"` to the end.
    private static let trailerLength = #""checksum":"0123456789abcdef"}"#.utf8.count + 1

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 { SipHash.hash13(bytes, key: key) }

    /// Adds the checksum and closes the outermost object.
    static func seal(_ writer: inout JSONLineWriter) -> [UInt8] {
        writer.newline()
        let sum = writer.bytes.withUnsafeBytes(checksum)
        writer.key("checksum")
        writer.hexadecimal(sum)
        writer.close("}")
        writer.lastNewline()
        return writer.bytes
    }

    /// Verifies the checksum, and returns the offset at which the bytes that it covers end.
    ///
    /// - Throws: if the checksum is missing or wrong.
    static func end(of buffer: UnsafeRawBufferPointer) throws(MalformedState) -> Int {
        guard buffer.count > trailerLength else { throw MalformedState(offset: buffer.count) }
        let end = buffer.count - trailerLength
        var trailer = JSONLineReader(buffer, from: end)
        try trailer.expect("\"checksum\":\"")
        let sum = try trailer.hexadecimal()
        try trailer.expect("\"}\n")
        guard sum == checksum(UnsafeRawBufferPointer(rebasing: buffer[..<end])) else {
            throw MalformedState(offset: end)
        }
        return end
    }
}
