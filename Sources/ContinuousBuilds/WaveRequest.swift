// What a watch has still to look at, as values.

import BasicTypes

/// The changes that no wave has taken yet.
package struct Dirt: Hashable, Sendable {
    package var sources: Set<BytePath> = []
    /// New directories, which must be scanned.
    package var appeared: Set<BytePath> = []
    /// Deleted directories.
    package var gone: Set<BytePath> = []
    /// Importable files that are not sources.
    package var importable: Set<BytePath> = []
    /// Events were lost, or exclude rules changed: the whole tree must be scanned.
    package var everything = false

    package init() {}

    package var count: Int { everything ? .max : sources.count + appeared.count + gone.count + importable.count }
    package var isEmpty: Bool { count == 0 }
}

/// The work of the next wave.
package struct WaveRequest: Hashable, Sendable {
    package var dirt: Dirt
    /// Whether to recompile sources that are up to date too.
    package var isForced: Bool
    /// Whether to reseal artifacts whose guard is over.
    package var resealsGuarded: Bool
}

/// A changed file in the `__pycache__` of a directory; the `__pycache__` itself if the name is empty.
package struct ArtifactSighting: Hashable, Sendable {
    package let directory: BytePath
    package let name: [UInt8]

    package init(directory: BytePath, name: [UInt8]) {
        self.directory = directory
        self.name = name
    }
}
