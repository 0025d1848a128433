// The grammar of `import` and `from` statements.

extension ImportScanner {
    /// `import a.b as c, d`, with the cursor after `import`. Records nothing if it is malformed.
    mutating func importStatement(at start: Int, traits: ImportTraits) -> SourceCursor.Stop {
        let clause = cursor.position
        var names: [ImportedName] = []
        repeat {
            guard let name = dottedName(), let alias = alias(inParentheses: false) else { return giveUp(at: clause) }
            names.append(ImportedName(name: name, alias: alias.name))
        } while take(UInt8(ascii: ","))
        guard isAtEndOfStatement else { return giveUp(at: clause) }
        record(.modules, at: start, names: names, traits: traits)
        return rest()
    }

    /// `from ..a import (b as c, d,)`, with the cursor after `from`.
    mutating func fromStatement(at start: Int, traits: ImportTraits) -> SourceCursor.Stop {
        var clause = cursor.position
        var level = 0
        while take(UInt8(ascii: ".")) { level += 1 }
        let module = dottedName()
        guard level > 0 || module != nil, takeImport() else { return giveUp(at: clause) }
        clause = cursor.position

        var names: [ImportedName] = []
        if take(UInt8(ascii: "*")) {
            names.append(ImportedName(name: ModuleName([UInt8(ascii: "*")])))
        } else {
            let isParenthesized = take(UInt8(ascii: "("))
            repeat {
                cursor.skipBlanks(inParentheses: isParenthesized)
                // A trailing comma is only allowed in parentheses.
                if isParenthesized, !names.isEmpty, cursor.isByte(UInt8(ascii: ")"), at: cursor.position) { break }
                guard let name = name(), let alias = alias(inParentheses: isParenthesized) else {
                    return giveUp(at: clause)
                }
                names.append(ImportedName(name: ModuleName(cursor.bytes(name)), alias: alias.name))
                cursor.skipBlanks(inParentheses: isParenthesized)
            } while take(UInt8(ascii: ","))
            if isParenthesized, !take(UInt8(ascii: ")")) { return giveUp(at: clause) }
        }
        guard isAtEndOfStatement else { return giveUp(at: clause) }
        record(.names, at: start, level: level, module: module ?? .empty, names: names, traits: traits)
        return rest()
    }

    /// Skips something that is not an import after all, as if it were an expression, to find its end.
    private mutating func giveUp(at clause: Int) -> SourceCursor.Stop {
        cursor.position = clause
        return rest()
    }

    private var isAtEndOfStatement: Bool {
        mutating get {
            cursor.skipBlanks()
            let position = cursor.position
            return position >= cursor.end || cursor.isNewline(at: position)
                || cursor.isByte(UInt8(ascii: ";"), at: position) || cursor.isByte(UInt8(ascii: "#"), at: position)
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        cursor.skipBlanks()
        guard cursor.isByte(byte, at: cursor.position) else { return false }
        cursor.position += 1
        return true
    }

    private mutating func takeImport() -> Bool {
        cursor.skipBlanks()
        let (keyword, end) = cursor.word(at: cursor.position)
        guard keyword == .import else { return false }
        cursor.position = end
        return true
    }

    /// A name; `nil` for a misplaced keyword.
    private mutating func name() -> Range<Int>? {
        let start = cursor.position
        guard start < cursor.end, cursor.has(ByteClass.isName, at: start), !cursor.has(ByteClass.isDigit, at: start)
        else { return nil }
        let (keyword, end) = cursor.word(at: start)
        switch keyword {
        case .import, .from, .as, .def, .class, .if, .try: return nil
        default: break
        }
        cursor.position = end
        return start..<end
    }

    /// `a.b.c`, also with blanks around the dots; `nil` if there is no name, or a dot has none after it.
    private mutating func dottedName() -> ModuleName? {
        cursor.skipBlanks()
        let start = cursor.position
        guard let first = name() else { return nil }
        var end = first.upperBound
        var spaced: [UInt8]?
        while true {
            guard take(UInt8(ascii: ".")) else {
                cursor.position = end
                return ModuleName(spaced ?? cursor.bytes(start..<end))
            }
            cursor.skipBlanks()
            guard let next = name() else {
                // Back to the dot, where no statement can continue.
                cursor.position = end
                return nil
            }
            if spaced != nil || next.lowerBound != end + 1 {
                var bytes = spaced ?? cursor.bytes(start..<end)
                spaced = nil
                bytes.append(UInt8(ascii: "."))
                bytes.append(contentsOf: cursor.bytes(next))
                spaced = bytes
            }
            end = next.upperBound
        }
    }

    /// `as c`, or nothing; `nil` if no name follows `as`.
    private mutating func alias(inParentheses: Bool) -> (name: [UInt8]?, Void)? {
        let end = cursor.position
        cursor.skipBlanks(inParentheses: inParentheses)
        let (keyword, wordEnd) = cursor.word(at: cursor.position)
        guard keyword == .as else {
            cursor.position = end
            return (nil, ())
        }
        cursor.position = wordEnd
        cursor.skipBlanks(inParentheses: inParentheses)
        return name().map { (cursor.bytes($0), ()) }
    }
}
