// A set of places in a tree, asked whether a path lies at or below one of them.

/// Places of a tree, most often those that the user named. Asking about a path costs one binary search, however many
/// places there are.
package struct PathSet: Sendable, Equatable {
    /// The places that lie in no other place, in the order of `precedes`.
    package let topmost: [BytePath]

    package init(_ paths: some Sequence<BytePath>) {
        var kept: [BytePath] = []
        for path in paths.sorted(by: Self.precedes) {
            if let last = kept.last, path.isWithin(last) { continue }
            kept.append(path)
        }
        topmost = kept
    }

    package var isEmpty: Bool { topmost.isEmpty }

    /// Whether the root itself is one of the places, so that every relative path is covered.
    package var coversRoot: Bool { topmost.first?.isEmpty ?? false }

    /// Whether a path is one of the places or lies below one.
    package func covers(_ path: BytePath) -> Bool {
        // Every path that lies below a place follows it, and no other place comes between them.
        let next = position(after: path)
        return next > 0 && path.isWithin(topmost[next - 1])
    }

    /// Whether a path and a place overlap: one of the places covers it or lies below it.
    package func touches(_ path: BytePath) -> Bool {
        let next = position(after: path)
        if next > 0, path.isWithin(topmost[next - 1]) { return true }
        return next < topmost.count && topmost[next].isWithin(path)
    }

    /// How many places do not follow a path.
    private func position(after path: BytePath) -> Int {
        var low = 0
        var high = topmost.count
        while low < high {
            let middle = low + (high - low) / 2
            if Self.precedes(path, topmost[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The order of a depth-first walk: a slash sorts before every other byte, so that what lies below a directory comes
    /// directly after it (`a`, `a/b`, `a-b`).
    private static func precedes(_ left: BytePath, _ right: BytePath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes) { rank($0) < rank($1) }
    }

    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "/") ? 0 : byte }
}
