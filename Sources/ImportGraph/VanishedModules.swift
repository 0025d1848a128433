// Modules that a tree had and has no longer.

/// Where a name could also lie in a namespace or in a package elsewhere, it is no error that it is not found, unless it
/// was found before. So a module that goes is remembered, as long as an import could mean it.
struct VanishedModules: Sendable {
    /// Paths without `.py` or `/__init__.py`.
    private(set) var places: Set<[UInt8]> = []
    /// How many are remembered before those that nobody imports are forgotten. Grows with what remains: looking for them
    /// goes through all imports, and must not be repeated for every file that is deleted.
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

    /// Keeps those that an import could mean.
    ///
    /// - Parameter isMentioned: whether some import has this name in it.
    mutating func prune(_ isMentioned: (ArraySlice<UInt8>) -> Bool) {
        places = places.filter { isMentioned($0[(($0.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]) }
        limit = max(Self.least, places.count * 2)
    }
}
