// A set of files and directories that answers whether it covers a path.

/// Places in a tree, usually those that the user named. A query takes one binary search, however many places there are.
package struct PathSet: Sendable, Equatable {
    /// The places that are not below another place, in the order of `precedes`.
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

    /// Whether a path is one of the places or below one.
    package func covers(_ path: BytePath) -> Bool {
        // Every path below a place comes after it, with no other place between them.
        let next = position(after: path)
        return next > 0 && path.isWithin(topmost[next - 1])
    }

    /// Whether a path and a place overlap: a place covers the path or is below it.
    package func touches(_ path: BytePath) -> Bool {
        let next = position(after: path)
        if next > 0, path.isWithin(topmost[next - 1]) { return true }
        return next < topmost.count && topmost[next].isWithin(path)
    }

    /// Number of places that do not come after a path.
    private func position(after path: BytePath) -> Int {
        var low = 0
        var high = topmost.count
        while low < high {
            let middle = low + (high - low) / 2
            if Self.precedes(path, topmost[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The order of a depth-first walk: a slash sorts before every other byte, so the contents of a directory come
    /// directly after it (`a`, `a/b`, `a-b`).
    private static func precedes(_ left: BytePath, _ right: BytePath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes) { rank($0) < rank($1) }
    }

    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "/") ? 0 : byte }
}
