// What is to be shipped, and in which form.
// Knows: values. Does not know: how it is brought about.

import BasicTypes
import BuildModel
import LinuxSystem

/// Where the bytecode of a deployment goes.
package enum DeploymentDestination: Sendable {
    /// Beside the sources.
    case inPlace
    /// Into a copy of the tree, at this absolute path.
    case mirror(Directory, path: BytePath)
    /// As import looks for it where `PYTHONPYCACHEPREFIX` names the directory.
    case cachePrefix(Directory)
}

/// Places that are deployed together.
package struct DeploymentGroup: Sendable {
    /// Relative to the root.
    package var starts: [BytePath]
    /// Whose packages or library these are, by place; `nil` for sources that every interpreter is to have.
    package var interpreter: Int?

    package init(starts: [BytePath], interpreter: Int? = nil) {
        self.starts = starts
        self.interpreter = interpreter
    }
}

/// Everything that a deployment needs to be told.
package struct DeploymentOptions: Sendable {
    /// Absolute, without links. Patterns of the scope are relative to it.
    package var rootPath: BytePath
    /// What is deployed, relative to the root: what lies there lies at the top of a copy, and manifests speak from there.
    package var base = BytePath.empty
    package var groups: [DeploymentGroup]
    package var scope: Scope
    package var levels: [OptimizationLevel]
    package var mode: InvalidationMode
    /// Recompile what is valid as well.
    package var isForced = false
    package var embedded = EmbeddedPath()
    package var destination = DeploymentDestination.inPlace
    /// Bytecode lies where its source lies, under its name, and is imported without it. A copy of the tree has no sources.
    package var isSourceless = false
    /// Equal bytecode of several levels is one file.
    package var linksDuplicates = false
    /// `SOURCE_DATE_EPOCH`, in seconds.
    package var epoch: Int64?
    /// Bytecode without a source goes, and that of other interpreters.
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

    /// One line for people.
    package var message: String {
        switch self {
        case .system(let error): "cannot open \(error); check the path and its permissions"
        case .notBelowPrefix(let path, let prefix):
            "\(path) is not below \(prefix); name another --strip-prefix, or --exclude it"
        case .ambiguous(let reason): reason
        }
    }
}

/// What a deployment has left out, and why.
package struct SkippedFile: Hashable, Sendable {
    /// Relative to the base.
    package let path: BytePath
    package let reason: String
    /// Whether it should not have been left out.
    package var isProblem = false
}
