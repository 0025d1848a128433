// Where the bytecode of a source lies.

import BasicTypes

/// Where an artifact of a source lies, as the scanner needs it.
package struct ArtifactPlace: Hashable, Sendable {
    /// `__pycache__`, or empty for beside the source.
    package let directory: [UInt8]
    /// Gives the file's name for the name of a source.
    package let fileName: @Sendable (ArraySlice<UInt8>) -> [UInt8]
    /// What the file's name has in the place of `.py`.
    package let suffix: String

    package init(directory: String, suffix: String, fileName: @escaping @Sendable (ArraySlice<UInt8>) -> [UInt8]) {
        self.directory = Array(directory.utf8)
        self.fileName = fileName
        self.suffix = suffix
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.directory == right.directory && left.suffix == right.suffix
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(directory)
        hasher.combine(suffix)
    }

    /// The place relative to the source's directory.
    package func path(of source: BytePath) -> BytePath {
        source.parent.appending(directory).appending(fileName(source.lastComponent))
    }
}
