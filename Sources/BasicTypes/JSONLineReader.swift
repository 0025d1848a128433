// Reads the subset of JSON that `JSONLineWriter` writes.

/// The bytes were not written by `JSONLineWriter`.
package struct MalformedState: Error, Sendable {
    /// Offset in the file, in bytes.
    package let offset: Int

    package init(offset: Int) {
        self.offset = offset
    }
}

/// A cursor over bytes with a valid checksum, so freshpyc wrote them: keys come in the order in which they are written.
/// Anything else is an error, never a trap.
package struct JSONLineReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    private let end: Int

    package init(_ bytes: UnsafeRawBufferPointer, from start: Int = 0, to end: Int? = nil) {
        self.bytes = bytes
        offset = start
        self.end = min(end ?? bytes.count, bytes.count)
    }

    package var isAtEnd: Bool { offset >= end }
    package var position: Int { offset }
    package var failure: MalformedState { MalformedState(offset: offset) }

    /// Skips these bytes. Throws if others come next.
    @inline(__always)
    package mutating func expect(_ text: StaticString) throws(MalformedState) {
        guard take(text) else { throw failure }
    }

    /// Skips these bytes if they come next.
    @inline(__always)
    package mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard end - offset >= count else { return false }
        let start = text.utf8Start
        for index in 0..<count where bytes[offset &+ index] != start[index] { return false }
        offset &+= count
        return true
    }

    // One function per integer type: a generic one is not specialized for callers in other modules, and reading a
    // database is mostly reading numbers.

    package mutating func integer() throws(MalformedState) -> UInt64 {
        let start = offset
        var magnitude: UInt64 = 0
        while offset < end, case let digit = bytes[offset] &- UInt8(ascii: "0"), digit < 10 {
            // Nineteen digits cannot overflow.
            if offset &- start >= 19 {
                let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
                let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
                guard !overflow, !carried else { throw failure }
                magnitude = sum
            } else {
                magnitude = magnitude &* 10 &+ UInt64(digit)
            }
            offset &+= 1
        }
        guard offset > start else { throw failure }
        return magnitude
    }

    package mutating func integer() throws(MalformedState) -> Int64 {
        guard offset < end, bytes[offset] == UInt8(ascii: "-") else { return try narrowed(integer()) }
        offset &+= 1
        let magnitude: UInt64 = try integer()
        guard magnitude <= Int64.min.magnitude else { throw failure }
        return Int64(truncatingIfNeeded: 0 &- magnitude)
    }

    package mutating func integer() throws(MalformedState) -> Int { Int(try integer() as Int64) }
    package mutating func integer() throws(MalformedState) -> UInt32 { try narrowed(integer()) }
    package mutating func integer() throws(MalformedState) -> UInt8 { try narrowed(integer()) }

    @inline(__always)
    private func narrowed<Number: FixedWidthInteger>(_ number: UInt64) throws(MalformedState) -> Number {
        guard let number = Number(exactly: number) else { throw failure }
        return number
    }

    /// A number of up to 128 bits. Reads it as 64 bits if it fits.
    package mutating func wideInteger() throws(MalformedState) -> Int128 {
        let start = offset
        if let number: Int64 = try? integer() { return Int128(number) }
        offset = start
        let isNegative = take("-")
        var number: Int128 = 0
        let first = offset
        while offset < end, case let digit = bytes[offset] &- UInt8(ascii: "0"), digit < 10 {
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int128(digit))
            guard !overflow, !carried else { throw failure }
            number = sum
            offset &+= 1
        }
        guard offset > first else { throw failure }
        return isNegative ? -number : number
    }

    package mutating func truth() throws(MalformedState) -> Bool {
        if take("true") { return true }
        try expect("false")
        return false
    }

    package mutating func hexadecimal() throws(MalformedState) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<16 {
            guard offset < end, let digit = Hexadecimal.value(of: bytes[offset]) else { throw failure }
            value = value &<< 4 | UInt64(digit)
            offset &+= 1
        }
        return value
    }

    package mutating func text() throws(MalformedState) -> String {
        String(decoding: try string(), as: UTF8.self)
    }

    package mutating func path() throws(MalformedState) -> BytePath {
        if take("{\"bytes\":\"") {
            var path = [UInt8]()
            while offset + 1 < end, let high = Hexadecimal.value(of: bytes[offset]),
                let low = Hexadecimal.value(of: bytes[offset + 1])
            {
                path.append(high << 4 | low)
                offset += 2
            }
            try expect("\"}")
            guard let path = BytePath(path) else { throw failure }
            return path
        }
        // Nearly all paths have no escapes: one copy, straight into place.
        if offset < end, bytes[offset] == UInt8(ascii: "\"") {
            var scan = offset &+ 1
            while scan < end, bytes[scan] != UInt8(ascii: "\""), bytes[scan] != UInt8(ascii: "\\"), bytes[scan] != 0 {
                scan &+= 1
            }
            if scan < end, bytes[scan] == UInt8(ascii: "\"") {
                let start = offset &+ 1
                offset = scan &+ 1
                guard let path = BytePath(UnsafeRawBufferPointer(rebasing: bytes[start..<scan])) else { throw failure }
                return path
            }
        }
        guard let path = BytePath(try string()) else { throw failure }
        return path
    }

    private mutating func string() throws(MalformedState) -> [UInt8] {
        try expect("\"")
        var decoded = [UInt8]()
        while offset < end {
            let byte = bytes[offset]
            offset &+= 1
            if byte == UInt8(ascii: "\"") { return decoded }
            guard byte == UInt8(ascii: "\\") else {
                decoded.append(byte)
                continue
            }
            guard offset < end else { throw failure }
            let escaped = bytes[offset]
            offset &+= 1
            switch escaped {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): decoded.append(escaped)
            case UInt8(ascii: "n"): decoded.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "u"):
                guard take("00"), offset + 1 < end, let high = Hexadecimal.value(of: bytes[offset]),
                    let low = Hexadecimal.value(of: bytes[offset + 1])
                else { throw failure }
                decoded.append(high << 4 | low)
                offset += 2
            default: throw failure
            }
        }
        throw failure
    }

    /// Comma-separated values up to a closing bracket. The opening one was already read.
    package mutating func list(
        closedBy bracket: StaticString, _ element: (inout JSONLineReader) throws(MalformedState) -> Void
    ) throws(MalformedState) {
        if take(bracket) { return }
        while true {
            try element(&self)
            if take(bracket) { return }
            try expect(",")
        }
    }
}
