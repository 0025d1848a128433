// Records what artifacts were last built from, and the outcome.

import BasicTypes

/// Identifies an artifact of a source, by interpreter and level.
package struct ArtifactKey: Hashable, Sendable, Comparable {
    package var interpreter: InterpreterID
    package var level: OptimizationLevel

    package init(interpreter: InterpreterID, level: OptimizationLevel) {
        self.interpreter = interpreter
        self.level = level
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.interpreter, left.level) < (right.interpreter, right.level)
    }
}

/// A bytecode file that freshpyc wrote.
package struct PublishedArtifact: Hashable, Sendable {
    /// The stamp of the file after it was moved into place.
    package var stamp: Stamp
    /// A hash of everything after the header.
    package var body: UInt64
    /// The file's current invalidation mode.
    package var mode: InvalidationMode
    /// The source's time and size in the header, as import compares them. Meaningless for hash modes.
    package var seconds: UInt32
    package var size: UInt32
    /// Requested as timestamp but sealed as checked-hash: the source was saved within the second in which it was read,
    /// so import could not distinguish it from another save of the same size.
    package var isGuarded: Bool

    package init(
        stamp: Stamp, body: UInt64, mode: InvalidationMode, seconds: UInt32, size: UInt32, isGuarded: Bool = false
    ) {
        self.stamp = stamp
        self.body = body
        self.mode = mode
        self.seconds = seconds
        self.size = size
        self.isGuarded = isGuarded
    }
}

/// The outcome of a compilation.
package enum Outcome: Hashable, Sendable {
    case published(PublishedArtifact)
    /// Compiled but not written: `check`.
    case compiles
    /// The source does not compile; the diagnostics say why.
    case failed
}

/// What one artifact was last built from.
package struct Trace: Hashable, Sendable {
    package var key: ArtifactKey
    /// Of the bytes that were compiled.
    package var fingerprint: Fingerprint
    package var outcome: Outcome
    /// Errors and warnings of the compiler.
    package var diagnostics: [Diagnostic]
    /// Time spent in the compiler.
    package var microseconds: UInt32
    /// The wave that built it.
    package var clock: UInt64

    package init(
        key: ArtifactKey, fingerprint: Fingerprint, outcome: Outcome, diagnostics: [Diagnostic], microseconds: UInt32,
        clock: UInt64
    ) {
        self.key = key
        self.fingerprint = fingerprint
        self.outcome = outcome
        self.diagnostics = diagnostics
        self.microseconds = microseconds
        self.clock = clock
    }

    package var published: PublishedArtifact? {
        if case .published(let artifact) = outcome { artifact } else { nil }
    }
    package var isFailure: Bool { outcome == .failed }

    /// Whether the compiler failed for a reason that may have passed: it was killed, had too little memory, or less time than
    /// now.
    ///
    /// - Parameter deadline: the time limit for one file now, in nanoseconds.
    package func mayPass(deadline: Int64) -> Bool {
        isFailure
            && diagnostics.contains { diagnostic in
                switch diagnostic.rule {
                case .timeout: Int64(microseconds) * 1_000 < deadline
                case .compilerCrash: diagnostic.type == Diagnostic.killed
                case .compilerError: diagnostic.type == "MemoryError"
                default: false
                }
            }
    }
}

/// Everything that is stored about one source.
package struct ModuleRecord: Hashable, Sendable {
    /// Relative to the root.
    package var path: BytePath
    package var source: SourceState
    /// Sorted by key.
    package var traces: [Trace]

    package init(path: BytePath, source: SourceState, traces: [Trace] = []) {
        self.path = path
        self.source = source
        self.traces = traces
    }

    /// Whether one of its artifacts is guarded against a save within the same second.
    package var isGuarded: Bool { traces.contains { $0.published?.isGuarded == true } }

    package func trace(_ key: ArtifactKey) -> Trace? {
        // One to three traces: a linear search is cheaper than a table.
        traces.first { $0.key == key }
    }

    /// Adds a trace, or replaces the one with the same key.
    package mutating func record(_ trace: Trace) {
        if let index = traces.firstIndex(where: { $0.key == trace.key }) {
            traces[index] = trace
        } else {
            traces.append(trace)
            traces.sort { $0.key < $1.key }
        }
    }
}
