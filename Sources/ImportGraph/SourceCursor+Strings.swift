// Finds the end of a string with any prefix: quotes, escapes, replacement fields (PEP 701, PEP 750).

/// What is needed to find the end of a formatted string.
struct FormattedString {
    let quote: UInt8
    let isTriple: Bool
    let isRaw: Bool
}

/// An open replacement field: `{` in an f-string or t-string.
struct ReplacementField {
    /// The string that contains the field.
    let string: FormattedString
    /// Whether the field is in the format specifier of another field of the same string.
    let isInSpecifier: Bool
    /// Number of open brackets around the string.
    let outerDepth: Int
}

extension SourceCursor {
    /// The index past the string whose quote is at `index`. For a formatted string with a replacement field, the index
    /// past the opening brace; the field is then scanned as code.
    mutating func past(stringAt index: Int) -> Int {
        let quote = base[index]
        let isTriple = isByte(quote, at: index + 1) && isByte(quote, at: index + 2)
        let first = isTriple ? index + 3 : index + 1
        if let isRaw = formattedPrefix(before: index) {
            let string = FormattedString(quote: quote, isTriple: isTriple, isRaw: isRaw)
            return past(formatted: string, from: first, inSpecifier: false)
        }
        return isTriple ? past(tripleQuoted: quote, from: first) : past(quoted: quote, from: first)
    }

    /// A backslash escapes the quote after it even in raw strings. An unterminated string ends before the newline.
    private func past(quoted quote: UInt8, from start: Int) -> Int {
        var index = start
        while true {
            while index < end, !has(ByteClass.stopsString, at: index) { index &+= 1 }
            guard index < end else { return end }
            switch base[index] {
            case quote: return index &+ 1
            case UInt8(ascii: "\\"): index = past(escapeAt: index)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return index
            default: index &+= 1
            }
        }
    }

    private func past(tripleQuoted quote: UInt8, from start: Int) -> Int {
        var index = start
        while true {
            index = firstIndex(of: quote, or: UInt8(ascii: "\\"), from: index)
            guard index < end else { return end }
            if base[index] != quote {
                index = past(escapeAt: index)
            } else if isByte(quote, at: index + 1), isByte(quote, at: index + 2) {
                return index &+ 3
            } else {
                index &+= 1
            }
        }
    }

    /// If the prefix before the quote has an `f` or `t` (in any case), whether it also has an `r`; otherwise `nil`.
    private func formattedPrefix(before quote: Int) -> Bool? {
        var start = quote
        while start > 0, quote &- start < 3, has(ByteClass.isName, at: start &- 1) { start &-= 1 }
        let isFormatted = { (byte: UInt8) in byte | 0x20 == UInt8(ascii: "f") || byte | 0x20 == UInt8(ascii: "t") }
        let isRaw = { (byte: UInt8) in byte | 0x20 == UInt8(ascii: "r") }
        switch quote &- start {
        case 1: return isFormatted(base[start]) ? false : nil
        case 2:
            let (first, second) = (base[start], base[start &+ 1])
            return isFormatted(first) && isRaw(second) || isRaw(first) && isFormatted(second) ? true : nil
        default: return nil
        }
    }

    /// Continues in the text of a formatted string, to its end or into a field.
    ///
    /// - Parameter inSpecifier: whether the text is the format specifier of the innermost field.
    mutating func past(formatted string: FormattedString, from start: Int, inSpecifier: Bool) -> Int {
        var index = start
        var inSpecifier = inSpecifier
        while true {
            while index < end, !has(ByteClass.stopsFormatted, at: index) { index &+= 1 }
            guard index < end else { return end }
            switch base[index] {
            case string.quote:
                if string.isTriple {
                    guard isByte(string.quote, at: index + 1), isByte(string.quote, at: index + 2) else {
                        index &+= 1
                        break
                    }
                    index &+= 2
                }
                if inSpecifier { abandonFields() }
                return index &+ 1
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                // A triple-quoted string continues in the next line; any other is unterminated.
                guard string.isTriple else { return index }
                index &+= 1
            case UInt8(ascii: "\\"):
                if isByte(UInt8(ascii: "{"), at: index + 1) || isByte(UInt8(ascii: "}"), at: index + 1) {
                    index &+= 1
                } else if !string.isRaw, isByte(UInt8(ascii: "N"), at: index + 1),
                    isByte(UInt8(ascii: "{"), at: index + 2)
                {
                    index = past(characterNameAt: index &+ 3)
                } else {
                    index = past(escapeAt: index)
                }
            case UInt8(ascii: "{"):
                // In a specifier two braces open two fields instead of being an escaped brace.
                if !inSpecifier, isByte(UInt8(ascii: "{"), at: index + 1) {
                    index &+= 2
                    break
                }
                fields.append(ReplacementField(string: string, isInSpecifier: inSpecifier, outerDepth: depth))
                depth = 0
                return index &+ 1
            case UInt8(ascii: "}"):
                if inSpecifier, let field = fields.popLast() {
                    depth = field.outerDepth
                    inSpecifier = field.isInSpecifier
                }
                index &+= 1
            default:
                index &+= 1
            }
        }
    }

    /// Skips the name in `\N{BULLET}`: letters, digits, blanks and hyphens.
    private func past(characterNameAt start: Int) -> Int {
        var index = start
        while index < end, !has(ByteClass.stopsFormatted, at: index) { index &+= 1 }
        return isByte(UInt8(ascii: "}"), at: index) ? index &+ 1 : index
    }

    /// Closes the innermost field at its brace, and continues in the text around it.
    mutating func closeField(at brace: Int) -> Int {
        guard let field = fields.popLast() else { return brace + 1 }
        depth = field.outerDepth
        return past(formatted: field.string, from: brace + 1, inSpecifier: field.isInSpecifier)
    }

    /// Drops the fields of a string that ended inside one.
    private mutating func abandonFields() {
        while let field = fields.popLast() {
            depth = field.outerDepth
            if !field.isInSpecifier { return }
        }
    }
}
