// Parses the names of bytecode files (PEP 3147, PEP 488, and the names that pytest uses).

/// The name of a file in `__pycache__`: `x.cpython-312.opt-1.pyc`.
package struct CacheName: Hashable, Sendable {
    /// The source's name without `.py`.
    package let stem: [UInt8]
    /// `cpython-312`. Invalid UTF-8 is replaced with U+FFFD; no interpreter has such a tag.
    package let tag: String
    /// `1` in `opt-1`; empty if there is none.
    package let optimization: String

    /// - Returns: `nil` if it is not such a name.
    package init?(_ name: ArraySlice<UInt8>) {
        guard var parts = Self.stripped(name)?.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        else { return nil }
        var optimization = ""
        if parts.count > 2, let last = parts.last, last.starts(with: "opt-".utf8) {
            optimization = String(decoding: last.dropFirst(4), as: UTF8.self)
            parts.removeLast()
        }
        // pytest stores rewritten modules under its own tag, and its version contains dots.
        var first = parts.count - 1
        if let place = parts.lastIndex(where: { Self.isOfPytest($0) }) { first = place }
        guard first > 0 else { return nil }
        stem = Array(parts[..<first].joined(separator: [UInt8(ascii: ".")]))
        tag = String(decoding: Array(parts[first...].joined(separator: [UInt8(ascii: ".")])), as: UTF8.self)
        self.optimization = optimization
        guard !stem.isEmpty, !tag.isEmpty else { return nil }
    }

    /// The name without `.pyc` or `.pyo`; `nil` if it has neither ending.
    package static func stripped(_ name: ArraySlice<UInt8>) -> [UInt8]? {
        let end = name.endIndex
        guard name.count > 4, name[end - 4] == UInt8(ascii: "."), name[end - 3] == UInt8(ascii: "p"),
            name[end - 2] == UInt8(ascii: "y"),
            name[end - 1] == UInt8(ascii: "c") || name[end - 1] == UInt8(ascii: "o")
        else { return nil }
        return Array(name.dropLast(4))
    }

    private static func isOfPytest(_ part: ArraySlice<UInt8>) -> Bool {
        let word = Array("-pytest-".utf8)
        guard part.count > word.count else { return false }
        return (part.startIndex...part.endIndex - word.count).contains { part[$0...].starts(with: word) }
    }

    /// The Python version in a tag: `3.12` for `cpython-312` and `cpython-312-pytest-8.1`, `3.9` for `pypy39`.
    package static func version(ofTag tag: String) -> String? {
        let digits = tag.drop { !$0.isNumber }.prefix { $0.isNumber }
        guard digits.count >= 2, let first = digits.first, digits.allSatisfy(\.isASCII) else { return nil }
        return "\(first).\(digits.dropFirst())"
    }
}
