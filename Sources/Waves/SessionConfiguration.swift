// The configuration of a session, independent of the command line and of files, and the errors of starting one.

import BasicTypes
import BuildDatabase
import BuildModel

/// The configuration of a session.
package struct SessionConfiguration: Hashable, Sendable {
    /// Absolute, without symbolic links.
    package var rootPath: BytePath
    /// The paths that the user named, relative to the root; the root itself is the empty path.
    package var starts: [BytePath]
    package var scope: Scope
    package var options: BuildOptions
    /// The values of `--python`, in order; empty for the default interpreter.
    package var pythons: [String]
    /// The directory that relative interpreter paths start at.
    package var workingDirectory: BytePath
    /// The number of workers for each interpreter.
    package var jobs: Int
    /// The time limit for compiling one file, in nanoseconds.
    package var deadline: Int64
    /// Absolute; `nil` for `.freshpyc` in the root.
    package var stateDirectory: BytePath?
    /// The name of this process in messages about the lock that it holds, such as `freshpyc build`.
    package var holder: String
    /// Whether the session ends after one wave, or runs until it is stopped.
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

    /// Whether the database is written. A check writes it only if the user named a state directory.
    package var writesDatabase: Bool {
        !isReadOnly && !isReadOnlyDatabase && (!options.isCheckOnly || stateDirectory != nil)
    }
    /// Whether imports are analyzed and their findings reported.
    package var analyzesImports = false
    /// Whether the import graph is saved even if nothing is built.
    package var writesGraph = false
    /// The directories that are searched for absolute imports, relative to the root; empty to detect them.
    package var sourceRoots: [BytePath] = []
    /// Dependencies that imports do not show.
    package var declaredDependencies: [DeclaredDependency] = []
    /// The absolute path of the store that shares compiled code with other trees; `nil` for no store.
    package var storePlace: BytePath?
    /// The names of the files in the root that this was read from, or could be read from.
    package var configurationFiles: [String] = []
    /// Whether a watch reports changes of files that are neither sources nor importable.
    package var watchesData = false
    /// Neither artifacts nor the database are written.
    package var isReadOnly = false
    /// Artifacts are written, but the database is not: another process holds it.
    package var isReadOnlyDatabase = false
}

/// Why a session cannot start or continue.
package enum SessionError: Error, Sendable {
    case interpreter(InterpreterProblem)
    case database(String)
    case root(String)

    /// One line for the user.
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
