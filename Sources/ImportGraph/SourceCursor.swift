// Moves through a Python source, statement by statement, skipping comments, brackets and strings.

/// Walks over a source without producing tokens, by the rules of CPython's tokenizer (Parser/lexer/lexer.c).
///
/// Accepts any bytes: what is not Python ends at the next newline at the latest, or, in brackets that are never closed,
/// at the first line that cannot be in brackets. Only replacement fields are kept on a stack, so nesting cannot be too
/// deep.
struct SourceCursor {
    /// Why the cursor stopped. The cursor is past it, except for a call, where it is at the parenthesis.
    enum Stop {
        case newline, semicolon, colon, call, end
    }

    let base: UnsafePointer<UInt8>
    let end: Int
    let classes: UnsafePointer<UInt8>
    var position = 0
    /// Whether to stop at every call, not only where the name ends like `import_module` or `__import__`.
    var stopsAtEveryCall = false
    /// Number of open brackets, within the innermost replacement field if there is one.
    var depth = 0
    var fields: [ReplacementField] = []
    /// Number of `lambda`s whose colon has not come yet.
    private var lambdas = 0

    /// - Parameters:
    ///   - source: must outlive the cursor.
    ///   - classes: ``ByteClass/table``; must outlive the cursor.
    init?(source: UnsafeRawBufferPointer, classes: UnsafeBufferPointer<UInt8>) {
        guard let base = source.baseAddress, let classes = classes.baseAddress else { return nil }
        self.base = base.assumingMemoryBound(to: UInt8.self)
        self.classes = classes
        end = source.count
        // Skip the byte order mark.
        if end >= 3, self.base[0] == 0xEF, self.base[1] == 0xBB, self.base[2] == 0xBF { position = 3 }
    }

    @inline(__always)
    func has(_ flags: UInt8, at index: Int) -> Bool { classes[Int(base[index])] & flags != 0 }

    @inline(__always)
    func isByte(_ byte: UInt8, at index: Int) -> Bool { index < end && base[index] == byte }

    func isNewline(at index: Int) -> Bool {
        isByte(UInt8(ascii: "\n"), at: index) || isByte(UInt8(ascii: "\r"), at: index)
    }

    /// The index past the line end at `index`; CRLF is one.
    @inline(__always)
    func past(newlineAt index: Int) -> Int {
        base[index] == UInt8(ascii: "\r") && isByte(UInt8(ascii: "\n"), at: index + 1) ? index + 2 : index + 1
    }

    /// The index past the backslash at `index` and the character after it.
    func past(escapeAt index: Int) -> Int {
        guard index + 1 < end else { return end }
        return isNewline(at: index + 1) ? past(newlineAt: index + 1) : index + 2
    }

    // MARK: Lines

    /// Moves to the first word of the next logical line and returns its indentation; `nil` at the end.
    ///
    /// Tabs go to the next multiple of eight, and a form feed resets the column (Lexical analysis, 2.1.8).
    mutating func enterLine() -> Int? {
        var index = position
        var column = 0
        // If backslashes join lines before the first word, the indentation of the first line counts.
        var joined = 0
        while index < end {
            switch base[index] {
            case UInt8(ascii: " "): column &+= 1
            case UInt8(ascii: "\t"): column = (column | 7) &+ 1
            case 0x0C: column = 0
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                column = 0
                joined = 0
            case UInt8(ascii: "#"):
                index = endOfLine(from: index)
                continue
            case UInt8(ascii: "\\") where isNewline(at: index + 1):
                if joined == 0 { joined = column }
                index = past(newlineAt: index + 1)
                continue
            default:
                position = index
                return joined > 0 ? joined : column
            }
            index &+= 1
        }
        position = end
        return nil
    }

    /// Skips blanks and joined lines; in parentheses also newlines and comments.
    mutating func skipBlanks(inParentheses: Bool = false) {
        while position < end {
            switch base[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), 0x0C: position &+= 1
            case UInt8(ascii: "\\") where isNewline(at: position + 1): position = past(newlineAt: position + 1)
            case UInt8(ascii: "\n") where inParentheses, UInt8(ascii: "\r") where inParentheses: position &+= 1
            case UInt8(ascii: "#") where inParentheses: position = endOfLine(from: position)
            default: return
            }
        }
    }

    func endOfLine(from start: Int) -> Int {
        firstIndex(of: UInt8(ascii: "\n"), or: UInt8(ascii: "\r"), from: start)
    }

    /// Searches eight bytes at a time: comments and docstrings are a third of most sources.
    func firstIndex(of one: UInt8, or other: UInt8, from start: Int) -> Int {
        let low: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones = low &* UInt64(one)
        let others = low &* UInt64(other)
        let bytes = UnsafeRawPointer(base)
        var index = start
        while index &+ 8 <= end {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            // A matching byte becomes zero. The lowest bit found always belongs to a true zero.
            let left = word ^ ones
            let right = word ^ others
            let found = (((left &- low) & ~left) | ((right &- low) & ~right)) & high
            if found != 0 { return index &+ found.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end, base[index] != one, base[index] != other { index &+= 1 }
        return index
    }

    // MARK: Words

    /// The end of the name at `index`, and its keyword if it is one.
    @inline(__always)
    func word(at index: Int) -> (keyword: Keyword?, end: Int) {
        var packed: UInt64 = 0
        var index = index
        let start = index
        while index < end, has(ByteClass.isName, at: index) {
            if index &- start < 8 { packed |= UInt64(base[index]) &<< UInt64((index &- start) &* 8) }
            index &+= 1
        }
        return (index &- start <= 8 ? Keyword(rawValue: packed) : nil, index)
    }

    private static let ends: [StaticString] = [
        "raise ", "raise\n", "sys.exit(", "exit(", "quit(", "os._exit(", "pytest.skip(",
    ]

    /// Whether a statement begins here that ends the module when it runs: it raises, exits, or skips a module of tests.
    func endsModule(at start: Int) -> Bool {
        guard start < end, "rseqop".utf8.contains(base[start]) else { return false }
        return Self.ends.contains { text in
            let count = text.utf8CodeUnitCount
            return start + count <= end && matches(text, in: start..<start + count)
        }
    }

    func matches(_ text: StaticString, in range: Range<Int>) -> Bool {
        UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
            .elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func bytes(_ range: Range<Int>) -> [UInt8] {
        Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    // MARK: Code

    /// Call before the header of a compound statement.
    mutating func beginHeader() { lambdas = 0 }

    /// Enters the parentheses of a call, after ``Stop/call``.
    mutating func enterCall() {
        depth &+= 1
        position &+= 1
    }

    /// Skips to the end of the simple statement, or of the header of a compound one.
    ///
    /// - Parameter toColon: whether a colon ends the code, unless it is in brackets or belongs to a `lambda` or `:=`.
    mutating func skip(toColon: Bool) -> Stop {
        var index = position
        while true {
            let stops = toColon || !fields.isEmpty ? ByteClass.stopsHeader : ByteClass.stopsCode
            while index < end, !has(stops, at: index) { index &+= 1 }
            guard index < end else {
                position = end
                return .end
            }
            switch base[index] {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                index = past(newlineAt: index)
                if depth == 0, fields.isEmpty {
                    position = index
                    return .newline
                }
                if provesOpenBracket(lineAt: index) {
                    depth = 0
                    fields.removeAll(keepingCapacity: true)
                    position = index
                    return .newline
                }
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                index = past(stringAt: index)
            case UInt8(ascii: "#"):
                index = endOfLine(from: index)
            case UInt8(ascii: "("):
                if mayCallImport(at: index) {
                    position = index
                    return .call
                }
                depth &+= 1
                index &+= 1
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth &+= 1
                index &+= 1
            case UInt8(ascii: "}") where depth == 0 && !fields.isEmpty:
                index = closeField(at: index)
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                if depth > 0 { depth &-= 1 }
                index &+= 1
            case UInt8(ascii: "\\"):
                index = isNewline(at: index + 1) ? past(newlineAt: index + 1) : index &+ 1
            case UInt8(ascii: ";"):
                index &+= 1
                if depth == 0, fields.isEmpty {
                    position = index
                    return .semicolon
                }
            case UInt8(ascii: ":"):
                index &+= 1
                guard depth == 0 else { break }
                if let field = fields.last {
                    index = past(formatted: field.string, from: index, inSpecifier: true)
                } else if isByte(UInt8(ascii: "="), at: index) {
                    index &+= 1
                } else if lambdas > 0 {
                    lambdas &-= 1
                } else {
                    position = index
                    return .colon
                }
            default:
                // An `l`, which may begin `lambda`.
                let start = index
                guard start == 0 || !has(ByteClass.isName, at: start - 1) else {
                    index &+= 1
                    break
                }
                index = word(at: start).end
                if depth == 0, fields.isEmpty, matches("lambda", in: start..<index) { lambdas &+= 1 }
            }
        }
    }

    /// Whether a line within brackets begins like a statement that no expression can contain.
    private func provesOpenBracket(lineAt start: Int) -> Bool {
        var index = start
        while index < end, base[index] == UInt8(ascii: " ") || base[index] == UInt8(ascii: "\t") { index &+= 1 }
        guard index < end, base[index] >= UInt8(ascii: "a"), base[index] <= UInt8(ascii: "w") else { return false }
        let first = word(at: index)
        guard let keyword = first.keyword else { return false }
        // `from` occurs after `yield`, but never together with `import`; `async` occurs before `for`.
        if keyword == .from || keyword == .async {
            var next = SourceCursor(self, at: first.end)
            next.skipBlanks()
            if keyword == .async {
                let second = next.word(at: next.position).keyword
                return second == .def || second == .with
            }
            while next.position < end, next.has(ByteClass.isName, at: next.position) || base[next.position] == 0x2E {
                let (second, wordEnd) = next.word(at: next.position)
                if second == .import { return true }
                next.position = max(wordEnd, next.position + 1)
            }
            next.skipBlanks()
            return next.position < end && next.word(at: next.position).keyword == .import
        }
        return keyword.neverOccursInBrackets
    }

    private init(_ other: SourceCursor, at position: Int) {
        base = other.base
        end = other.end
        classes = other.classes
        self.position = position
    }

    /// Whether the name before the parenthesis may be an import function.
    @inline(__always)
    private func mayCallImport(at parenthesis: Int) -> Bool {
        var index = parenthesis
        while index > 0, base[index &- 1] == UInt8(ascii: " ") { index &-= 1 }
        guard index > 0 else { return false }
        if stopsAtEveryCall, has(ByteClass.isName, at: index &- 1) { return true }
        guard index >= 10 else { return false }
        switch base[index &- 1] {
        case UInt8(ascii: "e"):
            // "import_module"
            return base[index &- 7] == UInt8(ascii: "_") && base[index &- 2] == UInt8(ascii: "l")
        case UInt8(ascii: "_"):
            // "__import__"
            return base[index &- 3] == UInt8(ascii: "t") && base[index &- 10] == UInt8(ascii: "_")
        case UInt8(ascii: "s"):
            // "iter_modules(", "walk_packages("
            return base[index &- 2] == UInt8(ascii: "e")
                && (base[index &- 8] == UInt8(ascii: "_") || base[index &- 9] == UInt8(ascii: "_"))
        default:
            return false
        }
    }
}
