// One bytecode file that is to be made, wherever it lies, and what became of it.
// Knows: values. Does not know: databases, daemons, or why it is wanted.

import BasicTypes
import BuildModel
import LinuxSystem

/// A name below a directory that is open.
package struct BatchPlace: Sendable {
    package let directory: Directory
    /// Relative to the directory.
    package let path: BytePath

    package init(_ directory: Directory, _ path: BytePath) {
        self.directory = directory
        self.path = path
    }
}

/// One compilation with its places.
package struct BatchJob: Sendable {
    /// The source.
    package var source: BatchPlace
    /// Where the bytecode goes.
    package var output: BatchPlace
    /// Where else valid bytecode of this source may lie already, made for the same interpreter and level.
    package var existing: BatchPlace?
    /// What the code says it was compiled from (`co_filename`).
    package var fileName: BytePath
    /// An index into the batch's interpreters.
    package var interpreter: Int
    package var level: OptimizationLevel
    /// Whether the file name leads to the source, from where the user is: messages may then show its lines.
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

/// What all jobs of a batch have in common.
package struct BatchOptions: Sendable {
    /// What is done about bytecode that is there.
    package enum Reuse: Sendable {
        /// All is compiled.
        case none
        /// What is valid is kept, with another header where that is all that differs, and code is taken from the store.
        case valid
    }

    package var mode: InvalidationMode
    package var reuse: Reuse
    /// Where errors and warnings are to be what `py_compile` prints: the options of PYTHONWARNINGS, which say what is
    /// shown; `nil` for our own findings.
    package var warningOptions: BytePath?
    /// Whether sources may be edited: then time stamps are guarded against another save within the same second.
    package var guards = false
    /// `SOURCE_DATE_EPOCH`, in seconds: no time that is written is later, and every file that is made has it.
    package var epoch: Int64?
    /// Whether directories above an output are made where they are missing, and not its `__pycache__` alone.
    package var makesDirectories = false

    /// Whether bytecode of a source that does not compile any more is removed.
    package var removesRefused = true

    package init(mode: InvalidationMode, reuse: Reuse) {
        self.mode = mode
        self.reuse = reuse
    }
}

/// What became of a job.
package enum BatchOutcome: Sendable {
    /// The file was there, bit by bit as it would have been made.
    case upToDate
    /// Valid code under another header.
    case resealed
    /// From the store.
    case restored
    case compiled
    /// The compiler refuses the source; the text is empty unless it was asked for.
    case refused(text: String)
    /// The machine refuses; with the call that failed, where it was one.
    case problem(Diagnostic, SystemError?)
}

extension BatchOutcome {
    /// Whether the file is there, as it should be.
    package var isWritten: Bool {
        switch self {
        case .upToDate, .resealed, .restored, .compiled: true
        case .refused, .problem: false
        }
    }
}

/// A job's outcome with what the compiler has said.
package struct BatchResult: Sendable {
    package let outcome: BatchOutcome
    /// Errors and warnings of the compiler.
    package var diagnostics: [Diagnostic] = []
}
