// Maps the instructions of a code object to source lines, in the four encodings that CPython has used.

/// Iterates over the ranges of a line table, in instruction order.
///
/// Accepts any bytes: a malformed entry ends the table. Each byte is read once, and nothing is stored.
package struct LineTable: Sequence, IteratorProtocol {
    package enum Format: Hashable, Sendable {
        /// `co_linetable` since 3.11: entries that begin with a byte above 0x7F (Objects/locations.md, PEP 657).
        case locations
        /// `co_linetable` of 3.10: pairs of a length and a signed step, -128 for no line (Objects/lnotab_notes.txt, PEP 626).
        case ranges
        /// `co_lnotab` of 3.6 to 3.9: pairs of a length and a signed line step that applies after it.
        case signedSteps
        /// `co_lnotab` before 3.6: as `signedSteps`, but steps are never negative.
        case unsignedSteps
    }

    /// A range of instructions that come from one line.
    package struct Entry: Hashable, Sendable {
        /// Byte offset of the first instruction; `end` is the offset after the last.
        package let start: Int
        package let end: Int
        /// Counted from 1, but a module's first instruction is at line 0 since 3.11. `nil` for instructions that the
        /// compiler added.
        package let line: Int?
        /// The last line of the source of these instructions; same as `line` if the format does not record it.
        package let lastLine: Int?
    }

    private let bytes: UnsafeRawBufferPointer
    private let format: Format
    private let codeLength: Int
    private var position = 0
    private var offset = 0
    private var line: Int
    private var isOver = false

    /// - Parameters:
    ///   - firstLine: `co_firstlineno`.
    ///   - codeLength: length of the instructions in bytes: steps do not record where the last line ends.
    package init(_ bytes: UnsafeRawBufferPointer, format: Format, firstLine: Int32, codeLength: Int) {
        self.bytes = bytes
        self.format = format
        self.codeLength = codeLength
        line = Int(firstLine)
    }

    package mutating func next() -> Entry? {
        guard !isOver else { return nil }
        switch format {
        case .locations: return nextLocation()
        case .ranges: return nextRange()
        case .signedSteps, .unsignedSteps: return nextStep()
        }
    }

    /// The first and last line of the code's source, including `firstLine`.
    ///
    /// - Returns: `nil` if no line is above 0.
    package static func span(
        _ bytes: UnsafeRawBufferPointer, format: Format, firstLine: Int32, codeLength: Int
    ) -> ClosedRange<Int>? {
        var first = firstLine > 0 ? Int(firstLine) : Int.max
        var last = firstLine > 0 ? Int(firstLine) : 0
        for entry in LineTable(bytes, format: format, firstLine: firstLine, codeLength: codeLength) {
            guard let line = entry.line, line > 0 else { continue }
            first = Swift.min(first, line)
            last = Swift.max(last, line, entry.lastLine ?? line)
        }
        return last > 0 ? first...last : nil
    }

    // MARK: 3.11 and later

    /// Bits 3 to 6 of the first byte give the kind of entry; bits 0 to 2 its length in two-byte code units, minus one.
    private mutating func nextLocation() -> Entry? {
        guard position < bytes.count else { return nil }
        let first = bytes[position]
        position += 1
        let start = offset
        offset += (Int(first & 7) + 1) * 2
        var lines: Int? = 0
        var further = 0
        switch (first >> 3) & 15 {
        case 15:
            lines = nil
        case 14:
            guard let step = signedNumber(), let more = number() else { return end() }
            lines = step
            further = more
        case 13:
            guard let step = signedNumber() else { return end() }
            lines = step
        case 10, 11, 12:
            lines = Int((first >> 3) & 15) - 10
        default:
            break
        }
        // Skip columns and anything else before the next entry.
        while position < bytes.count, bytes[position] < 0x80 { position += 1 }
        guard let lines else { return Entry(start: start, end: offset, line: nil, lastLine: nil) }
        guard moveLine(by: lines), let last = Self.line(line, plus: further) else { return end() }
        return Entry(start: start, end: offset, line: line, lastLine: last)
    }

    /// Six bits per byte, least significant first; the seventh bit is set if more bytes follow.
    private mutating func number() -> Int? {
        var value = 0
        var shift = 0
        while position < bytes.count {
            let byte = bytes[position]
            // A byte that begins an entry cannot be part of a number, and no line number has more than 36 bits.
            guard byte < 0x80, shift < 36 else { return nil }
            position += 1
            value |= Int(byte & 0x3F) << shift
            if byte & 0x40 == 0 { return value }
            shift += 6
        }
        return nil
    }

    /// The lowest bit is the sign.
    private mutating func signedNumber() -> Int? {
        number().map { $0 & 1 == 0 ? $0 >> 1 : -($0 >> 1) }
    }

    // MARK: 3.10

    private mutating func nextRange() -> Entry? {
        while bytes.count - position >= 2 {
            let start = offset
            offset += Int(bytes[position])
            let step = Int8(bitPattern: bytes[position + 1])
            position += 2
            if step != -128, !moveLine(by: Int(step)) { return end() }
            // An empty range only moves the line.
            if offset == start { continue }
            let known = step == -128 ? nil : line
            return Entry(start: start, end: offset, line: known, lastLine: known)
        }
        return nil
    }

    // MARK: Before 3.10

    private mutating func nextStep() -> Entry? {
        while bytes.count - position >= 2 {
            let start = offset
            let current = line
            offset += Int(bytes[position])
            let step = bytes[position + 1]
            position += 2
            guard moveLine(by: format == .signedSteps ? Int(Int8(bitPattern: step)) : Int(step)) else { return end() }
            // The rest describes instructions that the optimizer removed (dis.findlinestarts).
            if offset >= codeLength { position = bytes.count }
            if offset > start {
                return Entry(start: start, end: Swift.min(offset, codeLength), line: current, lastLine: current)
            }
        }
        isOver = true
        return offset < codeLength ? Entry(start: offset, end: codeLength, line: line, lastLine: line) : nil
    }

    // MARK: Lines

    private mutating func end() -> Entry? {
        isOver = true
        return nil
    }

    /// - Returns: `false` if CPython cannot represent the line: it uses 32 signed bits.
    private mutating func moveLine(by step: Int) -> Bool {
        guard let moved = Self.line(line, plus: step) else { return false }
        line = moved
        return true
    }

    private static func line(_ line: Int, plus step: Int) -> Int? {
        let (sum, overflow) = line.addingReportingOverflow(step)
        return overflow ? nil : Int32(exactly: sum).map { Int($0) }
    }
}

extension LineTable.Format {
    /// The encoding of a file's line tables.
    ///
    /// Where the layout leaves it open, the magic number decides: 3.10 has 3430 to 3439, and signed steps came with
    /// 3361, in 3.6 (the list in CPython's Lib/importlib/_bootstrap_external.py, which only grows at its end). PyPy has
    /// lower numbers than Python 3, and uses signed steps.
    package init(_ layout: CodeLayout, magicNumber: UInt16) {
        switch layout {
        case .localsPlus: self = .locations
        case .positionalOnly: self = (3430..<3490).contains(magicNumber) ? .ranges : .signedSteps
        case .keywordOnly: self = (3000..<3361).contains(magicNumber) ? .unsignedSteps : .signedSteps
        case .python2: self = .unsignedSteps
        }
    }
}
