// The interpreter itself as a part of a bundle, as values.

import BasicTypes

/// What a bundle takes from the standard library.
package enum StandardLibraryShare: String, CaseIterable, Sendable {
    /// What the program imports, directly or through others.
    case reached
    /// Everything but its tests.
    case all
}

/// An interpreter that goes into a bundle.
package struct BundleRuntime: Sendable {
    /// One file, with its place below the directory in which it is laid out.
    struct File: Sendable {
        enum Origin: Sendable {
            case file(BytePath)
            case bytes([UInt8])
            /// A source of which only the bytecode is kept.
            case source(BytePath)
        }

        let path: String
        let origin: Origin
        var isProgram = false
    }

    /// Relative to the directory, such as `bin/python3.12`.
    let program: String
    let files: [File]
    /// Top-level modules of the standard library that are in.
    package let modules: [String]
    /// The names of shared libraries.
    package let libraries: [String]
    package let notes: [String]
    package var fileCount: Int { files.count }
}
