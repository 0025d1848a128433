// A pattern of pytest's `python_files`, matched as pytest does (`fnmatch_ex` in _pytest/pathlib.py).
//
// Not a `GlobPattern`: here `*` matches slashes, too.

import BasicTypes

/// A pattern with `*`, `?` and `[...]`. With a slash in it, the end of the whole path is compared, else the file name.
struct FileNamePattern: Sendable {
    private let pattern: [UInt8]
    private let hasSlash: Bool

    init(_ text: String) {
        hasSlash = text.contains("/")
        pattern = Array((hasSlash && !text.hasPrefix("/") ? "*/" + text : text).utf8)
    }

    /// - Parameter path: relative to the root.
    func matches(_ path: BytePath) -> Bool {
        hasSlash
            ? Self.matches(pattern[...], (Array("/".utf8) + Array(path.bytes))[...])
            : Self.matches(pattern[...], Array(path.lastComponent)[...])
    }

    /// Goes back to the last star only, so the time is at most the product of both lengths.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var place = pattern.startIndex
        var byte = text.startIndex
        var retry: (place: Int, byte: Int)?
        while byte < text.endIndex || place < pattern.endIndex {
            if place < pattern.endIndex, pattern[place] == UInt8(ascii: "*") {
                retry = (place, byte)
                place += 1
                continue
            }
            if byte < text.endIndex, place < pattern.endIndex,
                let next = matched(text[byte], pattern, at: place)
            {
                place = next
                byte += 1
                continue
            }
            guard let star = retry, star.byte < text.endIndex else { return false }
            retry = (star.place, star.byte + 1)
            place = star.place + 1
            byte = star.byte + 1
        }
        return true
    }

    /// - Returns: the place after one element of the pattern, if it matches a byte.
    private static func matched(_ byte: UInt8, _ pattern: ArraySlice<UInt8>, at place: Int) -> Int? {
        switch pattern[place] {
        case UInt8(ascii: "?"): return place + 1
        case UInt8(ascii: "["):
            var index = place + 1
            let isNegated = index < pattern.endIndex && pattern[index] == UInt8(ascii: "!")
            if isNegated { index += 1 }
            let start = index
            var isIn = false
            while index < pattern.endIndex, index == start || pattern[index] != UInt8(ascii: "]") {
                if index + 2 < pattern.endIndex, pattern[index + 1] == UInt8(ascii: "-"),
                    pattern[index + 2] != UInt8(ascii: "]")
                {
                    isIn = isIn || pattern[index] <= byte && byte <= pattern[index + 2]
                    index += 3
                } else {
                    isIn = isIn || pattern[index] == byte
                    index += 1
                }
            }
            // Without an end, it is a bracket.
            guard index < pattern.endIndex else { return byte == UInt8(ascii: "[") ? place + 1 : nil }
            return isIn != isNegated ? index + 1 : nil
        default: return pattern[place] == byte ? place + 1 : nil
        }
    }
}
