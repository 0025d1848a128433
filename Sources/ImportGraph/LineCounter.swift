// The line and column of a position.

/// Counts lines only up to where something was found: most of a source needs no line numbers.
struct LineCounter {
    private var line = 1
    private var lineStart = 0
    private var counted = 0

    /// A byte order mark is in no column.
    mutating func skipMark(to position: Int) {
        lineStart = position
        counted = position
    }

    /// The line, from 1, and the bytes from its beginning. Fast if positions only grow.
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

    /// LF, CRLF and CR each end a line, as CPython's tokenizer translates them. Nothing starts between a CR and its LF,
    /// so no pair is split by the range.
    private static func lineEnds(in source: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        var previous: UInt8 = 0
        for index in range {
            let byte = source[index]
            // CRLF counts at its LF, hence a CR counts at what follows it.
            count &+= byte == UInt8(ascii: "\n") ? 1 : 0
            count &+= previous == UInt8(ascii: "\r") && byte != UInt8(ascii: "\n") ? 1 : 0
            previous = byte
        }
        // The last byte can be a CR, for nothing starts at an LF.
        return count &+ (previous == UInt8(ascii: "\r") ? 1 : 0)
    }
}
