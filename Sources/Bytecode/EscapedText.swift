// Shows strings of marshalled code as Python's `repr` does, truncated to a limit.

import BasicTypes

/// Builds one line that is never much longer than its limit, however long the input is.
struct EscapedText {
    /// How a string is shown.
    enum Kind {
        /// `'é\n'`
        case text
        /// Like `text`, with everything outside ASCII escaped: `unicode` in Python 2.
        case asciiText
        /// `'\xff'`. The caller adds the `b`.
        case bytes
        /// Without quotes.
        case name
    }

    private(set) var text = ""
    /// Characters that still fit.
    private(set) var remaining: Int

    init(limit: Int) { remaining = limit }

    var isFull: Bool { remaining <= 0 }
    /// Whether the text ends in `…`.
    var hasMark: Bool { text.utf8.suffix(3).elementsEqual("…".utf8) }

    /// Appends text that is never truncated.
    mutating func append(_ plain: String) {
        text += plain
        remaining -= plain.utf8.count
    }

    /// Appends as much of a string as fits, then `…` if it was truncated.
    mutating func append(_ bytes: UnsafeRawBufferPointer, as kind: Kind) {
        let quote = kind == .name ? nil : Self.quote(for: bytes.prefix(remaining + 1))
        let quoteByte = quote?.utf8.first
        if let quote { append(quote) }
        var position = 0
        while position < bytes.count {
            guard !isFull else {
                text += "…"
                break
            }
            let run = Self.plainRun(bytes, position, quote: quoteByte, limit: remaining)
            if run > 0 {
                text += String(
                    decoding: UnsafeRawBufferPointer(rebasing: bytes[position..<position + run]), as: UTF8.self)
                remaining -= run
                position += run
                continue
            }
            switch kind {
            case .bytes:
                append(bytes: bytes[position], quote: quote)
                position += 1
            case .text, .asciiText, .name:
                let (point, length) = Self.codePoint(bytes, position)
                append(point: point, quote: quote, isASCII: kind == .asciiText)
                position += length
            }
        }
        if let quote { text += quote }
    }

    /// Number of bytes from `position` on that need no escape.
    private static func plainRun(
        _ bytes: UnsafeRawBufferPointer, _ position: Int, quote: UInt8?, limit: Int
    ) -> Int {
        let end = Swift.min(bytes.count, position + limit)
        var next = position
        while next < end {
            let byte = bytes[next]
            guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\\"), byte != quote else { break }
            next += 1
        }
        return next - position
    }

    /// Single quotes, unless the string contains single quotes and no double ones.
    private static func quote(for bytes: Slice<UnsafeRawBufferPointer>) -> String {
        var hasSingle = false
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { return "'" }
            if byte == UInt8(ascii: "'") { hasSingle = true }
        }
        return hasSingle ? "\"" : "'"
    }

    private mutating func append(bytes byte: UInt8, quote: String?) {
        if byte < 0x80 {
            append(point: UInt32(byte), quote: quote, isASCII: true)
        } else {
            append("\\x" + Hexadecimal.text(UInt32(byte), digits: 2))
        }
    }

    private mutating func append(point: UInt32, quote: String?, isASCII: Bool) {
        switch point {
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        case 0x5C: append("\\\\")
        case 0x20..<0x7F:
            let character = String(UnicodeScalar(UInt8(truncatingIfNeeded: point)))
            append(character == quote ? "\\" + character : character)
        default:
            if !isASCII, let scalar = UnicodeScalar(point), Self.isPrintable(scalar) {
                text.unicodeScalars.append(scalar)
                remaining -= 1
            } else if point < 0x100 {
                append("\\x" + Hexadecimal.text(point, digits: 2))
            } else if point < 0x10000 {
                append("\\u" + Hexadecimal.text(point, digits: 4))
            } else {
                append("\\U" + Hexadecimal.text(point, digits: 8))
            }
        }
    }

    /// `str.isprintable`: not a control, format, surrogate, private-use or unassigned character, nor a separator other
    /// than the ASCII space.
    private static func isPrintable(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }

    /// The code point at `position`, and its length in bytes. Like CPython's marshal, accepts surrogates in UTF-8
    /// ("surrogatepass"). An invalid byte becomes U+FFFD.
    private static func codePoint(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> (UInt32, Int) {
        let first = UInt32(bytes[position])
        if first < 0x80 { return (first, 1) }
        let length =
            switch first {
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            default: 0
            }
        guard length > 0, bytes.count - position >= length else { return (0xFFFD, 1) }
        var point = first & (0x7F >> UInt32(length))
        for index in position + 1..<position + length {
            guard bytes[index] & 0xC0 == 0x80 else { return (0xFFFD, 1) }
            point = point << 6 | UInt32(bytes[index] & 0x3F)
        }
        let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x1_0000
        return point >= least && point <= 0x10_FFFF ? (point, length) : (0xFFFD, 1)
    }

    /// A name, escaped and truncated.
    static func name(_ bytes: UnsafeRawBufferPointer, limit: Int) -> String {
        var text = EscapedText(limit: limit)
        text.append(bytes, as: .name)
        return text.text
    }
}
