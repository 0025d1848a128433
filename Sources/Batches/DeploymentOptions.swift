// The options of a deployment, and the errors that stop it before it starts.

import BasicTypes
import BuildModel
import LinuxSystem

/// Where the bytecode of a deployment goes.
package enum DeploymentDestination: Sendable {
    /// Next to the sources.
    case inPlace
    /// Into a copy of the tree, at this absolute path.
    case mirror(Directory, path: BytePath)
    /// Where import looks for it when `PYTHONPYCACHEPREFIX` names this directory.
    case cachePrefix(Directory)
}

/// Directories and sources that are deployed together.
package struct DeploymentGroup: Sendable {
    /// Relative to the root.
    package var starts: [BytePath]
    /// Index of the interpreter whose packages or library these are; `nil` to compile them for every interpreter.
    package var interpreter: Int?

    package init(starts: [BytePath], interpreter: Int? = nil) {
        self.starts = starts
        self.interpreter = interpreter
    }
}

/// The options of a deployment.
package struct DeploymentOptions: Sendable {
    /// Absolute, without links. The scope's patterns are relative to it.
    package var rootPath: BytePath
    /// The deployed directory, relative to the root. Its contents go to the top of a copy, and paths in manifests are
    /// relative to it.
    package var base = BytePath.empty
    package var groups: [DeploymentGroup]
    package var scope: Scope
    package var levels: [OptimizationLevel]
    package var mode: InvalidationMode
    /// Whether to recompile valid bytecode too.
    package var isForced = false
    package var embedded = EmbeddedPath()
    package var destination = DeploymentDestination.inPlace
    /// Whether to write `x.pyc` next to `x.py`, which Python imports without the source. A copy of the tree then has no
    /// sources.
    package var isSourceless = false
    /// Whether to store equal bytecode of several levels once, with hard links.
    package var linksDuplicates = false
    /// `SOURCE_DATE_EPOCH`, in seconds.
    package var epoch: Int64?
    /// Whether to remove bytecode that has no source or is for other interpreters.
    package var prunes = false

    package init(
        rootPath: BytePath, groups: [DeploymentGroup], scope: Scope, levels: [OptimizationLevel],
        mode: InvalidationMode
    ) {
        self.rootPath = rootPath
        self.groups = groups
        self.scope = scope
        self.levels = levels
        self.mode = mode
    }
}

/// Why a deployment cannot begin.
package enum DeploymentError: Error, Sendable {
    case system(SystemError)
    case notBelowPrefix(BytePath, prefix: BytePath)
    /// Two files would have one name.
    case ambiguous(String)

    /// One line for the user.
    package var message: String {
        switch self {
        case .system(let error): "cannot open \(error); check the path and its permissions"
        case .notBelowPrefix(let path, let prefix):
            "\(path) is not below \(prefix); use another --strip-prefix or --exclude it"
        case .ambiguous(let reason): reason
        }
    }
}

/// A file that a deployment skipped, and why.
package struct SkippedFile: Hashable, Sendable {
    /// Relative to the base.
    package let path: BytePath
    package let reason: String
    /// Whether skipping it is an error.
    package var isProblem = false
}
