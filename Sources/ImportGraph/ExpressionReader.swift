// Tokenizes short pieces of Python: a test, the exception types of a handler, the arguments of a call.

import BasicTypes

/// Reads one token at a time, without allocating.
struct ExpressionReader {
    enum Token: Equatable {
        case name(Range<Int>)
        /// `nil` if it is not a decimal, hexadecimal, octal or binary integer.
        case number(Int?)
        /// The text between the quotes; `nil` if it is not plain characters: escapes, or an `f`, `t` or `b` prefix.
        case string(Range<Int>?)
        /// An operator of one byte (the second is 0) or two.
        case symbol(UInt8, UInt8)
        case end

        static func symbol(_ byte: Unicode.Scalar) -> Token { .symbol(UInt8(ascii: byte), 0) }
    }

    let source: UnsafeBufferPointer<UInt8>
    let end: Int
    private(set) var position: Int

    init(_ source: UnsafeBufferPointer<UInt8>, from start: Int = 0, to end: Int? = nil) {
        self.source = source
        self.end = min(end ?? source.count, source.count)
        position = start
    }

    func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount
            && source[range].elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func bytes(_ range: Range<Int>) -> [UInt8] { Array(source[range]) }

    /// The rest of the text, without surrounding whitespace.
    var trimmedText: [UInt8] {
        var text = source[min(position, end)..<end]
        let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        while let first = text.first, isBlank(first) { text.removeFirst() }
        while let last = text.last, isBlank(last) { text.removeLast() }
        return Array(text)
    }

    /// The next token, without consuming it.
    var upcoming: Token {
        var copy = self
        return copy.next()
    }

    mutating func next() -> Token {
        skipBlanks()
        guard position < end else { return .end }
        let byte = source[position]
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return string(isPlain: true)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
        case _ where PythonName.has(byte): return name()
        default: return symbol()
        }
    }

    /// Consumes an f-string, if one is next.
    ///
    /// - Returns: its text up to the first replacement field; `nil` if no f-string is next.
    mutating func formattedPrefix() -> Range<Int>? {
        skipBlanks()
        var start = position
        var isFormatted = false
        while start < end, start < position + 2, "fFrR".utf8.contains(source[start]) {
            if source[start] | 0x20 == UInt8(ascii: "f") { isFormatted = true }
            start += 1
        }
        guard isFormatted, start < end, source[start] == UInt8(ascii: "\"") || source[start] == UInt8(ascii: "'") else {
            return nil
        }
        let quote = source[start]
        var stop = start + 1
        while stop < end, PythonName.has(source[stop]) || source[stop] == UInt8(ascii: ".") { stop += 1 }
        guard stop < end, source[stop] == UInt8(ascii: "{") || source[stop] == quote else { return nil }
        _ = next()
        return start + 1..<stop
    }

    /// Newlines count as blanks: the text ends at a colon or a parenthesis, not at a line end.
    private mutating func skipBlanks() {
        while position < end {
            switch source[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0C,
                UInt8(ascii: "\\"):
                position += 1
            case UInt8(ascii: "#"):
                while position < end, source[position] != UInt8(ascii: "\n"), source[position] != UInt8(ascii: "\r") {
                    position += 1
                }
            default: return
            }
        }
    }

    private mutating func takeName() -> Range<Int> {
        let start = position
        while position < end, PythonName.has(source[position]) { position += 1 }
        return start..<position
    }

    private mutating func name() -> Token {
        let name = takeName()
        guard name.count <= 2, position < end,
            source[position] == UInt8(ascii: "'") || source[position] == UInt8(ascii: "\"")
        else { return .name(name) }
        // A string prefix, unless it is a word such as `in` or `or`.
        var isPlain = true
        for byte in source[name] {
            switch byte | 0x20 {
            case UInt8(ascii: "u"), UInt8(ascii: "r"): break
            case UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "t"): isPlain = false
            default: return .name(name)
            }
        }
        return string(isPlain: isPlain)
    }

    private mutating func number() -> Token {
        let text = takeName()
        // `1.5` and `1.` are single numbers.
        if position < end, source[position] == UInt8(ascii: ".") {
            position += 1
            _ = takeName()
            return .number(nil)
        }
        let digits = String(decoding: source[text].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        switch digits.prefix(2).lowercased() {
        case "0x": return .number(Int(digits.dropFirst(2), radix: 16))
        case "0o": return .number(Int(digits.dropFirst(2), radix: 8))
        case "0b": return .number(Int(digits.dropFirst(2), radix: 2))
        default: return .number(Int(digits))
        }
    }

    private mutating func string(isPlain: Bool) -> Token {
        let quote = source[position]
        let isTriple = position + 2 < end && source[position + 1] == quote && source[position + 2] == quote
        position += isTriple ? 3 : 1
        let start = position
        var isPlain = isPlain
        while position < end {
            if source[position] == UInt8(ascii: "\\") {
                isPlain = false
                position = min(position + 2, end)
            } else if source[position] != quote {
                position += 1
            } else if !isTriple {
                position += 1
                return .string(isPlain ? start..<(position - 1) : nil)
            } else if position + 2 < end, source[position + 1] == quote, source[position + 2] == quote {
                position += 3
                return .string(isPlain ? start..<(position - 3) : nil)
            } else {
                position += 1
            }
        }
        return .end
    }

    private mutating func symbol() -> Token {
        let first = source[position]
        position += 1
        guard position < end else { return .symbol(first, 0) }
        let second = source[position]
        switch (first, second) {
        case (UInt8(ascii: "="), UInt8(ascii: "=")), (UInt8(ascii: "!"), UInt8(ascii: "=")),
            (UInt8(ascii: "<"), UInt8(ascii: "=")), (UInt8(ascii: ">"), UInt8(ascii: "=")),
            (UInt8(ascii: "<"), UInt8(ascii: ">")), (UInt8(ascii: ":"), UInt8(ascii: "=")),
            (UInt8(ascii: "<"), UInt8(ascii: "<")), (UInt8(ascii: ">"), UInt8(ascii: ">")),
            (UInt8(ascii: "*"), UInt8(ascii: "*")), (UInt8(ascii: "/"), UInt8(ascii: "/")):
            position += 1
            return .symbol(first, second)
        default:
            return .symbol(first, 0)
        }
    }
}
