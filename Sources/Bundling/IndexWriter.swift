// Writes the index of a bundle as a marshalled value: Python loads it in one call, and has dictionaries.
//
// Marshal's own text types, in their oldest form, which every Python 3 and PyPy reads (marshal.c).

/// Builds one marshalled value.
struct IndexWriter {
    private(set) var bytes: [UInt8] = []

    mutating func tuple(count: Int) {
        bytes.append(UInt8(ascii: "("))
        append(count)
    }

    mutating func text(_ text: String) {
        bytes.append(UInt8(ascii: "u"))
        append(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    /// A number that is not negative.
    mutating func number(_ value: Int) {
        guard value > Int(Int32.max) else {
            bytes.append(UInt8(ascii: "i"))
            append(value)
            return
        }
        // Digits of 15 bits.
        bytes.append(UInt8(ascii: "l"))
        var digits: [Int] = []
        var rest = value
        while rest > 0 {
            digits.append(rest & 0x7FFF)
            rest >>= 15
        }
        append(digits.count)
        for digit in digits {
            bytes.append(UInt8(digit & 0xFF))
            bytes.append(UInt8(digit >> 8))
        }
    }

    /// Keys and values follow, then `endDictionary`.
    mutating func beginDictionary() { bytes.append(UInt8(ascii: "{")) }
    mutating func endDictionary() { bytes.append(UInt8(ascii: "0")) }

    private mutating func append(_ value: Int) {
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
