// The line and column of a position.

/// Counts lines only up to positions that are asked for: most of a source needs no line numbers.
struct LineCounter {
    private var line = 1
    private var lineStart = 0
    private var counted = 0

    /// Starts after the byte order mark, which is not in any column.
    mutating func skipMark(to position: Int) {
        lineStart = position
        counted = position
    }

    /// The line, counted from 1, and the offset in it in bytes. Fast if positions only grow.
    mutating func place(of position: Int, in source: UnsafeBufferPointer<UInt8>) -> (line: Int, column: Int) {
        if position > counted {
            let passed = Self.lineEnds(in: source, counted..<position)
            if passed > 0 {
                line += passed
                var start = position
                while start > counted, source[start - 1] != UInt8(ascii: "\n"), source[start - 1] != UInt8(ascii: "\r")
                {
                    start -= 1
                }
                lineStart = start
            }
            counted = position
        }
        return (line, max(0, position - lineStart))
    }

    /// LF, CRLF and CR each end a line, as in CPython's tokenizer. Nothing starts between a CR and its LF, so the range
    /// never splits a pair.
    private static func lineEnds(in source: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        var previous: UInt8 = 0
        for index in range {
            let byte = source[index]
            // A CRLF counts at its LF, so a lone CR counts at the next byte.
            count &+= byte == UInt8(ascii: "\n") ? 1 : 0
            count &+= previous == UInt8(ascii: "\r") && byte != UInt8(ascii: "\n") ? 1 : 0
            previous = byte
        }
        // If the last byte is a CR, no LF follows, since nothing starts at an LF.
        return count &+ (previous == UInt8(ascii: "\r") ? 1 : 0)
    }
}
