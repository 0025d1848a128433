// Answers about the graph, as values: the results of `graph`, `affected` and `cycles`.

import BasicTypes

/// One import of a source, with what it leads to.
package struct GraphImport: Sendable {
    package let line: Int
    /// From 1.
    package let column: Int
    package let kind: ImportKind
    package let statement: String
    /// `resolved`, `external`, `missing`, `ambiguous` or `unknown`.
    package let state: String
    /// Sources, as they are shown.
    package let targets: [String]
    /// Packages that run on the way.
    package let through: [String]
    /// Dotted names that lead out of the tree.
    package let external: [String]
    /// It stands under a test that fails for every interpreter.
    package let neverRuns: Bool

    package init(
        line: Int, column: Int, kind: ImportKind, statement: String, state: String, targets: [String],
        through: [String], external: [String], neverRuns: Bool
    ) {
        self.line = line
        self.column = column
        self.kind = kind
        self.statement = statement
        self.state = state
        self.targets = targets
        self.through = through
        self.external = external
        self.neverRuns = neverRuns
    }
}

/// One source of the graph.
package struct GraphNode: Sendable {
    /// As it is shown.
    package let path: String
    /// It does not compile; its imports are those of its last version that did.
    package let isOutdated: Bool
    package let imports: [GraphImport]

    package init(path: String, isOutdated: Bool, imports: [GraphImport]) {
        self.path = path
        self.isOutdated = isOutdated
        self.imports = imports
    }
}

/// A source that a change reaches, and the way.
package struct AffectedSource: Sendable {
    package struct Step: Sendable {
        package let path: BytePath
        /// `changed`, `imports`, `package` or `conftest`.
        package let link: String
        /// Of the import; 0 for other links.
        package let line: Int

        package init(path: BytePath, link: String, line: Int) {
            self.path = path
            self.link = link
            self.line = line
        }
    }

    /// From the source to the change.
    package let chain: [Step]

    package init(chain: [Step]) {
        self.chain = chain
    }
    package var path: BytePath { chain.first?.path ?? .empty }
}

/// What a change reaches.
package struct AffectedAnswer: Sendable {
    package var sources: [AffectedSource] = []
    /// Files whose effect is not known exactly, with the reason for the sources that were assumed instead.
    package var widened: [(path: BytePath, reason: String)] = []

    /// Nothing is reached.
    package init() {}
}

/// Sources that import each other.
package struct CycleAnswer: Sendable {
    package let members: [BytePath]
    package let chain: [(path: BytePath, line: Int, kind: ImportKind)]
    package let isEager: Bool

    package init(members: [BytePath], chain: [(path: BytePath, line: Int, kind: ImportKind)], isEager: Bool) {
        self.members = members
        self.chain = chain
        self.isEager = isEager
    }
}
