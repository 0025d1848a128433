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

    /// - Parameter continues: whether a value comes before, which another writer wrote.
    package init(capacity: Int = 0, continues: Bool = false) {
        bytes.reserveCapacity(capacity)
        needsComma = continues
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

    // One function per integer type, for the reason that `JSONLineReader` gives.

    package mutating func value(_ number: Int64) { value(number.magnitude, isNegative: number < 0) }
    package mutating func value(_ number: Int) { value(Int64(number)) }
    package mutating func value(_ number: UInt64) { value(number, isNegative: false) }
    package mutating func value(_ number: UInt32) { value(UInt64(number), isNegative: false) }
    package mutating func value(_ number: UInt8) { value(UInt64(number), isNegative: false) }

    /// A number of up to 128 bits.
    package mutating func wideValue(_ number: Int128) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    private mutating func value(_ magnitude: UInt64, isNegative: Bool) {
        separate()
        // A 64-bit number has at most 20 digits and a sign.
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var index = buffer.count
            var rest = magnitude
            repeat {
                index &-= 1
                let quotient = rest / 10
                buffer[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10)
                rest = quotient
            } while rest != 0
            if isNegative {
                index &-= 1
                buffer[index] = UInt8(ascii: "-")
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[index...]))
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
            withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { digits in
                for index in 0..<16 {
                    digits[index] = Hexadecimal.digit(UInt8(truncatingIfNeeded: word &>> UInt64(60 &- 4 &* index)) & 15)
                }
                bytes.append(contentsOf: UnsafeRawBufferPointer(digits))
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A path as a string, or as `{"bytes":"hexadecimal"}` if it is not UTF-8, so that nothing is lost.
    package mutating func value(_ path: BytePath) {
        // Nearly all paths are ASCII without escapes and need no validation.
        if path.withBytes({ $0.allSatisfy(Self.isPlain) }) {
            separate()
            bytes.append(UInt8(ascii: "\""))
            path.withBytes { bytes.append(contentsOf: $0) }
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

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
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
