// Reads the JSON of a configuration file and says where it is wrong.
//
// FoundationEssentials' decoder gives no line or column, and accepts trailing commas and the same key twice.

import BasicTypes

/// Any JSON value.
enum JSONValue: Equatable {
    case null
    case truth(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case table([String: JSONValue])
}

/// A mistake in JSON text, with its place.
struct JSONSyntaxError: Error {
    /// From 1.
    let line: Int
    /// In bytes, from 1.
    let column: Int
    let message: String
}

/// Reads one JSON text (RFC 8259), strictly.
struct JSONValueReader {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    /// Deeper texts would use up the stack. No configuration comes near.
    private static let deepest = 64

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func read(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
        var reader = JSONValueReader(bytes)
        reader.skipSpace()
        let value = try reader.value()
        reader.skipSpace()
        if reader.position < bytes.count { throw reader.error("unexpected text after the value") }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        guard let byte = character.asciiValue, next == byte else { return false }
        position += 1
        return true
    }

    private func error(_ message: String, at place: Int? = nil) -> JSONSyntaxError {
        let before = bytes[..<min(place ?? position, bytes.count)]
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONSyntaxError(
            line: before.count { $0 == 0x0A } + 1, column: before.endIndex - start + 1, message: message)
    }

    private mutating func value() throws(JSONSyntaxError) -> JSONValue {
        switch next {
        case nil: throw error("the text ends where a value is expected")
        case UInt8(ascii: "{"): return .table(try nested { reader throws(JSONSyntaxError) in try reader.table() })
        case UInt8(ascii: "["): return .list(try nested { reader throws(JSONSyntaxError) in try reader.list() })
        case UInt8(ascii: "\""): return .text(try text())
        default: return try word()
        }
    }

    private mutating func nested<Value>(
        _ read: (inout JSONValueReader) throws(JSONSyntaxError) -> Value
    ) throws(JSONSyntaxError) -> Value {
        depth += 1
        if depth > Self.deepest { throw error("nested more than \(Self.deepest) deep") }
        defer { depth -= 1 }
        position += 1
        skipSpace()
        return try read(&self)
    }

    private mutating func table() throws(JSONSyntaxError) -> [String: JSONValue] {
        var table: [String: JSONValue] = [:]
        if take("}") { return table }
        while true {
            let place = position
            guard next == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
            let key = try text()
            skipSpace()
            guard take(":") else { throw error("expected ':' after the key '\(key)'") }
            skipSpace()
            let value = try value()
            guard table.updateValue(value, forKey: key) == nil else {
                throw error("the key '\(key)' is there twice", at: place)
            }
            skipSpace()
            if take("}") { return table }
            guard take(",") else { throw error("expected ',' or '}'") }
            skipSpace()
        }
    }

    private mutating func list() throws(JSONSyntaxError) -> [JSONValue] {
        var list: [JSONValue] = []
        if take("]") { return list }
        while true {
            list.append(try value())
            skipSpace()
            if take("]") { return list }
            guard take(",") else { throw error("expected ',' or ']'") }
            skipSpace()
        }
    }

    /// `true`, `false`, `null` or a number.
    private mutating func word() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        while let byte = next, UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || "+-.E0123456789".utf8.contains(byte) {
            position += 1
        }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        switch word {
        case "true": return .truth(true)
        case "false": return .truth(false)
        case "null": return .null
        default:
            // Swift reads more than JSON allows: `nan`, `inf`, `+1`, `01`, `.5` and hexadecimal numbers.
            let digits = word.drop { $0 == "-" }
            let isNumber =
                digits.first?.isNumber == true && digits.allSatisfy { $0.isNumber || "eE+-.".contains($0) }
                && !(digits.hasPrefix("0") && digits.dropFirst().first?.isNumber == true) && digits.last != "."
            guard isNumber, let number = Double(word) else {
                throw error(word.isEmpty ? "expected a value" : "'\(word)' is not a JSON value", at: start)
            }
            return .number(number)
        }
    }

    private mutating func text() throws(JSONSyntaxError) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let text = String(validating: text, as: UTF8.self) else {
                    throw error("not UTF-8", at: start)
                }
                return text
            case UInt8(ascii: "\\"):
                text += try escape()
            case ..<0x20: throw error("a control character in a string; write it as an escape")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw error("the string does not end", at: start)
    }

    private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
        let start = position
        position += 1
        guard let byte = next else { throw error("the string does not end", at: start) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try codeUnit(start)
            if 0xD800...0xDBFF ~= code, take("\\"), take("u") {
                let low = try codeUnit(start)
                guard 0xDC00...0xDFFF ~= low else { throw error("half of a surrogate pair", at: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair", at: start) }
            return Array(String(Character(scalar)).utf8)
        default: throw error("not an escape that JSON has", at: start)
        }
    }

    private mutating func codeUnit(_ start: Int) throws(JSONSyntaxError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-")
        else { throw error("expected four hexadecimal digits", at: start) }
        position += 4
        return code
    }
}
