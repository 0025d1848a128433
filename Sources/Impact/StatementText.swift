// The text of an import statement: where in it a name is. Places of names are not stored in the graph, because only findings
// need them.

import BasicTypes

/// One statement of a source, which may have several lines.
struct StatementText {
    private let source: ArraySlice<UInt8>
    private let start: Int
    private let line: Int

    /// - Parameters:
    ///   - line: the statement's first line, counted from 1.
    ///   - column: counted from 1.
    /// - Returns: `nil` if the source has no such place.
    init?(_ source: [UInt8], line: Int, column: Int) {
        var start = source.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        for _ in 1..<max(1, line) {
            guard let end = source[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            start = end + 1
        }
        start += max(0, column - 1)
        guard line > 0, start < source.count else { return nil }
        self.source = source[...]
        self.start = start
        self.line = line
    }

    /// The place of a name: the line, and the column in bytes, both counted from 1.
    ///
    /// - Parameter isImported: whether to look behind the word `import` only, where the imported names are.
    func place(of name: String, isImported: Bool) -> (line: Int, column: Int)? {
        let wanted = Array(name.utf8)
        var position = start
        var line = self.line
        var depth = 0
        var isBehindImport = !isImported
        var isAlias = false
        while position < source.endIndex {
            let byte = source[position]
            if PythonName.has(byte) {
                let end = source[position...].firstIndex { !PythonName.has($0) } ?? source.endIndex
                let word = source[position..<end]
                if isBehindImport, !isAlias, word.elementsEqual(wanted) {
                    let lineStart = source[..<position].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
                    let mark = lineStart == 0 && source.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
                    return (line, position - lineStart - mark + 1)
                }
                isAlias = word.elementsEqual("as".utf8)
                if word.elementsEqual("import".utf8) { isBehindImport = true }
                position = end
                continue
            }
            switch byte {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "#"):
                position = source[position...].firstIndex(of: UInt8(ascii: "\n")) ?? source.endIndex
                continue
            case UInt8(ascii: "\n"):
                let isJoined = position > start && source[position - 1] == UInt8(ascii: "\\")
                if depth <= 0, !isJoined { return nil }
                line += 1
            case UInt8(ascii: ";") where depth <= 0: return nil
            default: break
            }
            position += 1
        }
        return nil
    }
}
