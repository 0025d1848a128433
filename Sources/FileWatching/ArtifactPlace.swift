// Where the scanner looks for the bytecode of a source.

import BasicTypes

/// The location of an artifact relative to its source.
package struct ArtifactPlace: Hashable, Sendable {
    /// `__pycache__`; empty for the directory of the source.
    package let directory: [UInt8]
    /// Returns the artifact's file name for the name of a source.
    package let fileName: @Sendable (ArraySlice<UInt8>) -> [UInt8]
    /// Replaces `.py` in the file name.
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

    /// The path of the artifact. Relative to the same directory as `source`.
    package func path(of source: BytePath) -> BytePath {
        source.parent.appending(directory).appending(fileName(source.lastComponent))
    }
}
