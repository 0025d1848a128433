// Keeps one artifact publisher for each directory that a batch writes to.

import BasicTypes
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

    /// Keyed by identity: a publisher holds its directory, so no other object can take over that identity.
    subscript(directory: Directory) -> ArtifactPublisher {
        let key = ObjectIdentifier(directory)
        if let known = publishers[key] { return known }
        let publisher = ArtifactPublisher(root: directory, makesDirectories: makesDirectories)
        publishers[key] = publisher
        return publisher
    }
}

extension BatchOptions {
    /// The modification time of all files written; `nil` for the current time.
    var modified: FileTime? { epoch.map { FileTime(seconds: $0, nanosecond: 0) } }
}
