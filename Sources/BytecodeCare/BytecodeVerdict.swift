// The results of verifying bytecode, as values: the verdict on each file and the report on a tree.

import BasicTypes
import BuildModel

/// A bytecode file and its verdict.
package struct VerifiedBytecode: Sendable {
    /// Relative to the root.
    package var path: BytePath
    /// Its source, if it exists. Relative to the root.
    package var source: BytePath?
    /// The interpreter that it is for: an index into the verifier's interpreters.
    package var interpreter: Int?
    package var level: OptimizationLevel?
    /// The validation mode in its header; `nil` if the header cannot be read.
    package var mode: InvalidationMode?
    package var verdict: BytecodeVerdict

    package init(path: BytePath, source: BytePath?, verdict: BytecodeVerdict) {
        self.path = path
        self.source = source
        self.verdict = verdict
    }
}

/// How bytecode differs from its source.
package enum BytecodeDifference: Hashable, Sendable {
    /// The sizes in the header and from `stat`, in bytes.
    case size(header: UInt32, source: UInt32)
    /// The times in the header and from `stat`, in seconds since 1970.
    case time(header: UInt32, source: UInt32)
    /// The hash in the header is not the source's.
    case contents
}

package enum BytecodeVerdict: Hashable, Sendable {
    /// It matches its source.
    case valid
    /// Its source has changed.
    case stale(BytecodeDifference)
    /// It is not well formed; the text says why.
    case damaged(String)
    /// Its magic number is not that of the interpreter in its name.
    case wrongMagic(found: UInt16)
    /// It is in `__pycache__` and has no source.
    case orphan
    /// It is outside `__pycache__` and has no source, so Python imports it. It is well formed.
    case sourceless
    /// It is for an interpreter that is not selected: the cache tag, or a description of the magic number.
    case foreign(String)
    /// Its interpreter uses a source hash that we do not know.
    case unknownHash
    /// A temporary file of a process that has ended.
    case leftover
    /// A symbolic link, which is not followed.
    case link
    /// It was removed before it could be read.
    case gone
    case unreadable(String)
}

/// The result of verifying a tree.
package struct BytecodeReport: Sendable {
    /// By path.
    package var files: [VerifiedBytecode] = []
    /// Number of sources in scope.
    package var sources = 0
    /// Number of those that have no bytecode for any selected interpreter, at any level.
    package var sourcesWithoutBytecode = 0
    /// Directories that could not be read.
    package var problems: [LocatedDiagnostic] = []
    /// Nanoseconds.
    package var duration: Int64 = 0

    package init() {}

    /// The number of files of each kind.
    package struct Counts: Sendable {
        /// Files whose header and code were checked: the sum of the next five.
        package var verified = 0
        package var valid = 0
        package var stale = 0
        package var damaged = 0
        package var wrongMagic = 0
        package var sourceless = 0
        package var orphans = 0
        package var foreign = 0
        package var leftovers = 0
        /// Links, unreadable files, and files with an unknown source hash.
        package var notVerified = 0
    }

    package var counts: Counts {
        var counts = Counts()
        for file in files {
            switch file.verdict {
            case .valid: counts.valid += 1
            case .stale: counts.stale += 1
            case .damaged: counts.damaged += 1
            case .wrongMagic: counts.wrongMagic += 1
            case .sourceless: counts.sourceless += 1
            case .orphan: counts.orphans += 1
            case .foreign: counts.foreign += 1
            case .leftover: counts.leftovers += 1
            case .link, .unreadable, .unknownHash: counts.notVerified += 1
            case .gone: break
            }
        }
        counts.verified = counts.valid + counts.stale + counts.damaged + counts.wrongMagic + counts.sourceless
        return counts
    }
}
