// What looking at one bytecode file came to, as values.
// Knows: kinds of verdicts. Does not know: how they are reached, or how they are told.

import BasicTypes
import BuildModel

/// One file, and what is to be said of it.
package struct VerifiedBytecode: Sendable {
    /// Relative to the root.
    package var path: BytePath
    /// Its source, where that is there. Relative to the root.
    package var source: BytePath?
    /// The interpreter that it is for: an index into the verifier's.
    package var interpreter: Int?
    package var level: OptimizationLevel?
    /// What its header says; `nil` where there is no header that could be read.
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
    /// Bytes, as the header and as `stat` have them.
    case size(header: UInt32, source: UInt32)
    /// Seconds since 1970.
    case time(header: UInt32, source: UInt32)
    /// The hash is that of other contents.
    case contents
}

package enum BytecodeVerdict: Hashable, Sendable {
    /// Python would run it, and should.
    case valid
    /// Its source is another by now.
    case stale(BytecodeDifference)
    /// It is not what its format says; the text says how.
    case damaged(String)
    /// Its name says another interpreter than its first bytes.
    case wrongMagic(found: UInt16)
    /// It lies in `__pycache__`, and has no source.
    case orphan
    /// It lies where a source would, and there is none: Python imports it. What is in it is whole.
    case sourceless
    /// It is for an interpreter that was not selected: a cache tag, or a magic number in words.
    case foreign(String)
    /// Its interpreter hashes sources in a way that we do not know.
    case unknownHash
    /// A temporary file of a process that is gone.
    case leftover
    /// A symbolic link, which is not followed.
    case link
    /// It went while we looked.
    case gone
    case unreadable(String)
}

/// Everything that a look at a tree has found.
package struct BytecodeReport: Sendable {
    /// By path.
    package var files: [VerifiedBytecode] = []
    /// Sources in scope, and those of them for which no selected interpreter has bytecode, at any level.
    package var sources = 0
    package var sourcesWithoutBytecode = 0
    /// Directories that could not be read.
    package var problems: [LocatedDiagnostic] = []
    /// Nanoseconds.
    package var duration: Int64 = 0

    package init() {}

    /// How many files there are of each kind.
    package struct Counts: Sendable {
        /// Files whose header and code were looked at: the sum of the next five.
        package var verified = 0
        package var valid = 0
        package var stale = 0
        package var damaged = 0
        package var wrongMagic = 0
        package var sourceless = 0
        package var orphans = 0
        package var foreign = 0
        package var leftovers = 0
        /// Links, files that could not be read, and those whose hash is not known.
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
