// Options of a build: optimization levels and invalidation modes.

/// `-O`: 0 keeps asserts and docstrings, 1 drops asserts, 2 drops docstrings too (PEP 488).
package enum OptimizationLevel: UInt8, Sendable, CaseIterable, Comparable {
    case none = 0
    case asserts = 1
    case docstrings = 2

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// How import decides whether bytecode is valid (PEP 552).
package enum InvalidationMode: String, Sendable, CaseIterable {
    /// By the source's modification time and size.
    case timestamp
    /// By a hash of the source, computed at each import.
    case checkedHash = "checked-hash"
    /// Never: the bytecode is trusted.
    case uncheckedHash = "unchecked-hash"
}

/// The options of one wave, the same for all of its sources.
package struct BuildOptions: Hashable, Sendable {
    /// The levels to build, ascending, never empty.
    package var levels: [OptimizationLevel]
    package var invalidation: InvalidationMode
    /// Recompile artifacts that are up to date too.
    package var isForced: Bool
    /// Only check sources: artifacts are neither read nor written.
    package var isCheckOnly: Bool

    package init(
        levels: [OptimizationLevel] = [.none], invalidation: InvalidationMode = .timestamp, isForced: Bool = false,
        isCheckOnly: Bool = false
    ) {
        self.levels = levels
        self.invalidation = invalidation
        self.isForced = isForced
        self.isCheckOnly = isCheckOnly
    }
}
