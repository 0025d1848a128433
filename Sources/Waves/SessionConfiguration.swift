// What a session is asked to do.
// Knows: values. Does not know: where they came from.

import BasicTypes
import BuildDatabase
import BuildModel

/// Everything that a session needs to be told.
package struct SessionConfiguration: Sendable {
    /// Absolute, without links.
    package var rootPath: BytePath
    /// Named places relative to the root; the root itself is the empty path.
    package var starts: [BytePath]
    package var scope: Scope
    package var options: BuildOptions
    /// `--python`, in order; empty for the standard one.
    package var pythons: [String]
    /// What relative interpreter paths are relative to.
    package var workingDirectory: BytePath
    /// Workers for each interpreter.
    package var jobs: Int
    /// Nanoseconds that one file may take.
    package var deadline: Int64
    /// Absolute; `nil` for `.freshpyc` in the root.
    package var stateDirectory: BytePath?
    /// What people are told of this process where it holds the lock: `freshpyc build`.
    package var holder: String
    /// Whether the session ends with its work, or goes on until it is stopped.
    package var lifetime = LockLifetime.run

    package init(
        rootPath: BytePath, starts: [BytePath], scope: Scope, options: BuildOptions, pythons: [String],
        workingDirectory: BytePath, jobs: Int, deadline: Int64, stateDirectory: BytePath?, holder: String
    ) {
        self.rootPath = rootPath
        self.starts = starts
        self.scope = scope
        self.options = options
        self.pythons = pythons
        self.workingDirectory = workingDirectory
        self.jobs = jobs
        self.deadline = deadline
        self.stateDirectory = stateDirectory
        self.holder = holder
    }

    /// Whether the database is written: a check writes only where the user named a place for it.
    package var writesDatabase: Bool {
        !isReadOnly && !isReadOnlyDatabase && (!options.isCheckOnly || stateDirectory != nil)
    }
    /// Whether imports are looked at, and what is wrong with them is reported.
    package var analyzesImports = false
    /// Whether what was found out of imports is written down even where nothing is built.
    package var writesGraph = false
    /// Folders that absolute imports are looked for in, relative to the root; empty where they are to be found.
    package var sourceRoots: [BytePath] = []
    /// Where compiled code is shared with other trees; `nil` for nowhere. Absolute.
    package var storePlace: BytePath?
    /// Only look: neither artifacts nor the database are written.
    package var isReadOnly = false
    /// Artifacts are written, and the database is another's: nothing is remembered.
    package var isReadOnlyDatabase = false
}

/// Why a session could not begin or go on.
package enum SessionError: Error, Sendable {
    case interpreter(InterpreterProblem)
    case database(String)
    case root(String)

    /// One line for people.
    package var message: String {
        switch self {
        case .interpreter(let problem): problem.message
        case .database(let message), .root(let message): message
        }
    }
}

/// Why no interpreter can be used.
package struct InterpreterProblem: Sendable {
    package let message: String
}
