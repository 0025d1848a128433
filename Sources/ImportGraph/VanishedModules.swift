// Remembers modules that were removed from the tree.

/// If a name could also be in a namespace or in a package elsewhere, not finding it is not an error, unless it was
/// found before. So removed modules are remembered as long as an import may mention them.
struct VanishedModules: Sendable {
    /// Paths without `.py` or `/__init__.py`.
    private(set) var places: Set<[UInt8]> = []
    /// Number of modules to remember before forgetting those that nobody imports. Grows with what remains: pruning goes
    /// through all imports, and must not be repeated for every deleted file.
    private var limit = Self.least

    static let least = 4096

    static func place(of path: [UInt8]) -> [UInt8] {
        let initial = Array("/__init__.py".utf8)
        return Array(path.dropLast(path.suffix(initial.count).elementsEqual(initial) ? initial.count : 3))
    }

    mutating func insert(_ path: [UInt8]) { places.insert(Self.place(of: path)) }
    mutating func remove(_ path: [UInt8]) { places.remove(Self.place(of: path)) }
    mutating func formUnion(_ others: some Sequence<[UInt8]>) { places.formUnion(others) }

    var isFull: Bool { places.count > limit }

    /// Keeps the modules that an import mentions.
    ///
    /// - Parameter isMentioned: whether some import mentions this name.
    mutating func prune(_ isMentioned: (ArraySlice<UInt8>) -> Bool) {
        places = places.filter { isMentioned($0[(($0.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]) }
        limit = max(Self.least, places.count * 2)
    }
}
