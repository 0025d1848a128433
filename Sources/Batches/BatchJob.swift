// The values of a batch: its jobs (one bytecode file each), its options and its results.

import BasicTypes
import BuildModel
import LinuxSystem

/// A path below an open directory.
package struct BatchPlace: Sendable {
    package let directory: Directory
    /// Relative to the directory.
    package let path: BytePath

    package init(_ directory: Directory, _ path: BytePath) {
        self.directory = directory
        self.path = path
    }
}

/// One bytecode file to make.
package struct BatchJob: Sendable {
    /// The source.
    package var source: BatchPlace
    /// Where to write the bytecode.
    package var output: BatchPlace
    /// Where else there may already be valid bytecode of this source for the same interpreter and level.
    package var existing: BatchPlace?
    /// The source's path as the code records it (`co_filename`).
    package var fileName: BytePath
    /// An index into the batch's interpreters.
    package var interpreter: Int
    package var level: OptimizationLevel
    /// Whether `fileName` finds the source from the user's directory. Messages can then show its lines.
    package var namesSource = false

    package init(
        source: BatchPlace, output: BatchPlace, existing: BatchPlace? = nil, fileName: BytePath, interpreter: Int,
        level: OptimizationLevel
    ) {
        self.source = source
        self.output = output
        self.existing = existing
        self.fileName = fileName
        self.interpreter = interpreter
        self.level = level
    }
}

/// Options that apply to all jobs of a batch.
package struct BatchOptions: Sendable {
    /// Whether to reuse existing bytecode.
    package enum Reuse: Sendable {
        /// Compile everything.
        case none
        /// Keep valid bytecode, rewrite its header if only that differs, and use code from the store.
        case valid
    }

    package var mode: InvalidationMode
    package var reuse: Reuse
    /// If set, errors and warnings are reported as `py_compile` prints them, and this value of PYTHONWARNINGS selects the
    /// warnings. `nil` to report our own findings.
    package var warningOptions: BytePath?
    /// Whether sources may be edited meanwhile. Timestamps are then guarded against another save within the same second.
    package var guards = false
    /// `SOURCE_DATE_EPOCH`, in seconds: the time of every file written, and the latest time in any header.
    package var epoch: Int64?
    /// Whether to create all missing directories above an output, not only its `__pycache__`.
    package var makesDirectories = false

    /// Whether to remove the bytecode of a source that no longer compiles.
    package var removesRefused = true

    package init(mode: InvalidationMode, reuse: Reuse) {
        self.mode = mode
        self.reuse = reuse
    }
}

/// How a job ended.
package enum BatchOutcome: Sendable {
    /// The file was already there, byte for byte as wanted.
    case upToDate
    /// The code was valid; its header was replaced, or it was copied from another place.
    case resealed
    /// The code came from the store.
    case restored
    case compiled
    /// The compiler rejected the source. The text is empty unless it was requested.
    case refused(text: String)
    /// Something other than the source failed; the error if it was a system call.
    case problem(Diagnostic, SystemError?)
}

extension BatchOutcome {
    /// Whether the file is in place, as wanted.
    package var isWritten: Bool {
        switch self {
        case .upToDate, .resealed, .restored, .compiled: true
        case .refused, .problem: false
        }
    }
}

/// A job's outcome and the compiler's messages.
package struct BatchResult: Sendable {
    package let outcome: BatchOutcome
    /// Errors and warnings from the compiler.
    package var diagnostics: [Diagnostic] = []
}
