// The result of resolving an import.

/// What a dotted name resolves to.
package struct Resolution: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        case module(ModuleID)
        case package(DirectoryID, ModuleID)
        case namespace(DirectoryID)
        /// Something that can be imported but is not a source of the tree: an extension module, a stub, a file out of
        /// scope.
        case leaf
        /// The standard library, an installed package, or a module that does not exist.
        case external
        /// A directory or module of the tree that has nothing of this name.
        case missing(Missing)
        /// Several modules match.
        case ambiguous([ModuleID])
        /// Cannot be determined without running the program.
        case unknown
    }

    /// A name that was not found.
    package struct Missing: Hashable, Sendable {
        /// The module or package that lacks it; `nil` for a directory without an `__init__.py`.
        package let container: ModuleID?
        /// The directory that was searched last.
        package let directory: DirectoryID
        package let name: NameID
    }

    /// The `__init__.py` of each package on the way, outermost first, without that of `end`.
    package var packages: [ModuleID]
    package var end: End
    /// Found where Python is sure to look, rather than in a part of the tree that may not be on `sys.path`.
    package var isCertain: Bool

    package init(_ end: End, packages: [ModuleID] = [], isCertain: Bool = true) {
        self.packages = packages
        self.end = end
        self.isCertain = isCertain
    }
}

/// One source that another imports.
package struct ImportEdge: Hashable, Sendable {
    package let target: ModuleID
    /// The index of the import in the facts of the importing source.
    package let position: Int32
    /// A package that only runs on the way to the import's target.
    package let isImplicit: Bool
}

/// What one import resolves to.
package struct ImportJudgement: Sendable {
    package enum State: String, Sendable {
        case resolved, external, missing, ambiguous, unknown
    }

    /// A name that is imported from a module of the tree.
    package struct MissingName: Sendable {
        package let module: ModuleID
        package let name: NameID
        package let isCertain: Bool
    }

    package var state = State.resolved
    package var edges: [ImportEdge] = []
    /// Modules that do not exist, and whether that is certain.
    package var missing: [(missing: Resolution.Missing, isCertain: Bool)] = []
    /// Imported names that are not modules, to be checked against the bindings of the module.
    package var asked: [MissingName] = []
    /// Dotted names outside the tree.
    package var external: [NameID] = []
}
