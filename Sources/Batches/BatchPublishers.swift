// Writing bytecode below several directories.
// Knows: a publisher for each, times that are prescribed. Does not know: what is written.

import BuildModel
import Compilation
import LinuxSystem

/// The publishers of one thread.
final class BatchPublishers {
    private let makesDirectories: Bool
    private var publishers: [ObjectIdentifier: ArtifactPublisher] = [:]

    init(makesDirectories: Bool) {
        self.makesDirectories = makesDirectories
    }

    /// A publisher holds its directory, so no other can have its identity meanwhile.
    subscript(directory: Directory) -> ArtifactPublisher {
        let key = ObjectIdentifier(directory)
        if let known = publishers[key] { return known }
        let publisher = ArtifactPublisher(root: directory, makesDirectories: makesDirectories)
        publishers[key] = publisher
        return publisher
    }
}

extension BatchOptions {
    /// What the files that are made have as their time, in nanoseconds since 1970; `nil` for now.
    var modified: Int64? { epoch.map { $0 * 1_000_000_000 } }
}
