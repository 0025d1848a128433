// The bytes that Python names consist of.

/// Recognizes names in the bytes of sources and file names.
package enum PythonName {
    /// Whether a byte can be part of a name. All bytes beyond ASCII count: Python decides later which ones it accepts
    /// (PEP 3131).
    @inlinable
    package static func has(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    /// Whether these bytes are a name.
    package static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else { return false }
        return bytes.allSatisfy(has)
    }
}
