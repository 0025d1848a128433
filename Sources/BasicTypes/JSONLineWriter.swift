// Writes JSON without losing paths that are not UTF-8.
//
// A custom format reader and writer (see `JSONLineReader`) for speed: a run that finds nothing to do must load the
// whole state, which is 3 MB for 7,722 modules, and should take no longer than 1.5 times a `find` of the tree, about
// 0.12 s.

/// Appends JSON to a buffer, with commas where needed.
package struct JSONLineWriter {
    package private(set) var bytes: [UInt8] = []
    /// Whether the next value must be separated from the one before by a comma.
    private var needsComma = false

    package init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    package mutating func open(_ bracket: Unicode.Scalar) {
        separate()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    package mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    /// A line break between values, after a comma if needed.
    package mutating func newline() {
        if needsComma {
            bytes.append(UInt8(ascii: ","))
            needsComma = false
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// A line break before a closing bracket.
    package mutating func lastNewline() { bytes.append(UInt8(ascii: "\n")) }

    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func value(_ number: some FixedWidthInteger) {
        separate()
        // A 128-bit number has at most 39 digits and a sign.
        var digits: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var index = buffer.count
            var rest = number.magnitude
            repeat {
                index -= 1
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            } while rest != 0
            if number < 0 {
                index -= 1
                buffer[index] = UInt8(ascii: "-")
            }
            bytes.append(contentsOf: buffer[index...])
        }
    }

    package mutating func value(_ truth: Bool) {
        separate()
        bytes.append(contentsOf: truth ? Array("true".utf8) : Array("false".utf8))
    }

    package mutating func null() {
        separate()
        bytes.append(contentsOf: Array("null".utf8))
    }

    package mutating func value(_ text: String) {
        separate()
        string(text.utf8)
    }

    /// A string of 16 digits per word: many JSON readers are only exact up to 2⁵³.
    package mutating func hexadecimal(_ words: UInt64...) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for word in words {
            for shift in stride(from: 60, through: 0, by: -4) {
                bytes.append(Hexadecimal.digit(UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15))
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A path as a string, or as `{"bytes":"hexadecimal"}` if it is not UTF-8, so that nothing is lost.
    package mutating func value(_ path: BytePath) {
        // Nearly all paths are ASCII without escapes and need no validation.
        if path.bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            separate()
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: path.bytes)
            bytes.append(UInt8(ascii: "\""))
        } else if path.exactText != nil {
            separate()
            string(path.bytes)
        } else {
            open("{")
            key("bytes")
            value(Hexadecimal.text(path.bytes))
            close("}")
        }
    }

    private mutating func string(_ utf8: some Sequence<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case ..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(Hexadecimal.digit(byte >> 4))
                bytes.append(Hexadecimal.digit(byte & 15))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends bytes that are already JSON.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        bytes.append(contentsOf: json)
    }
}
