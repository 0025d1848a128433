// What an import resolves to, as values.

/// What a dotted name leads to.
package struct Resolution: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        case module(ModuleID)
        case package(DirectoryID, ModuleID)
        case namespace(DirectoryID)
        /// Something that can be imported and is not kept: an extension module, a stub, a file out of scope.
        case leaf
        /// The standard library, an installed package, or a module that does not exist.
        case external
        /// A folder or module of the tree that has nothing of this name.
        case missing(Missing)
        /// Several that could be meant.
        case ambiguous([ModuleID])
        /// Not to be told without running the program.
        case unknown
    }

    /// What was looked for in vain.
    package struct Missing: Hashable, Sendable {
        /// The module or package that does not have it; `nil` for a folder without an `__init__.py`.
        package let container: ModuleID?
        /// Where it was looked for last.
        package let directory: DirectoryID
        package let name: NameID
    }

    /// The `__init__.py` of each package on the way, the outermost first; without the end's own.
    package var packages: [ModuleID]
    package var end: End
    /// Found where Python is sure to look, and not in another part of the tree that may or may not be on `sys.path`.
    package var isCertain: Bool

    package init(_ end: End, packages: [ModuleID] = [], isCertain: Bool = true) {
        self.packages = packages
        self.end = end
        self.isCertain = isCertain
    }
}

/// One source that another needs.
package struct ImportEdge: Hashable, Sendable {
    package let target: ModuleID
    /// The position of the import in the facts of the source that has it.
    package let position: Int32
    /// A package that is run on the way to what the import names.
    package let isImplicit: Bool
}

/// What one import comes to.
package struct ImportJudgement: Sendable {
    package enum State: String, Sendable {
        case resolved, external, missing, ambiguous, unknown
    }

    /// A name that a module of the tree does not have.
    package struct MissingName: Sendable {
        package let module: ModuleID
        package let name: NameID
        package let isCertain: Bool
    }

    package var state = State.resolved
    package var edges: [ImportEdge] = []
    /// Modules that are not there, and whether that is certain.
    package var missing: [(missing: Resolution.Missing, isCertain: Bool)] = []
    /// Names that are asked of modules and are no modules themselves: to be compared with their bindings.
    package var asked: [MissingName] = []
    /// Dotted names that lead out of the tree.
    package var external: [NameID] = []
}
