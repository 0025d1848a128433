// Results of the commands `graph`, `affected` and `cycles`.

import BasicTypes

/// One import of a source and what it resolves to.
package struct GraphImport: Sendable {
    package let line: Int
    /// Counted from 1.
    package let column: Int
    package let kind: ImportKind
    package let statement: String
    /// `resolved`, `external`, `missing`, `ambiguous` or `unknown`.
    package let state: String
    /// Display paths of the sources it resolves to.
    package let targets: [String]
    /// Packages whose `__init__.py` runs on the way.
    package let through: [String]
    /// Dotted names outside the tree.
    package let external: [String]
    /// It is under a test that fails for every interpreter.
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
    /// Display path.
    package let path: String
    /// It does not compile; the imports are those of the last version that did.
    package let isOutdated: Bool
    package let imports: [GraphImport]

    package init(path: String, isOutdated: Bool, imports: [GraphImport]) {
        self.path = path
        self.isOutdated = isOutdated
        self.imports = imports
    }
}

/// A source that a change affects, with the path to the change.
package struct AffectedSource: Sendable {
    package struct Step: Sendable {
        package let path: BytePath
        /// `changed`, `imports`, `package`, `conftest`, `mentions`, `declared` or `assumed`.
        package let link: String
        /// Line of the import; 0 for other links.
        package let line: Int

        package init(path: BytePath, link: String, line: Int) {
            self.path = path
            self.link = link
            self.line = line
        }
    }

    /// From the source to the change.
    package let chain: [Step]

    /// Whether it is a test, by the project's conventions.
    package let isTest: Bool

    package init(chain: [Step], isTest: Bool) {
        self.chain = chain
        self.isTest = isTest
    }

    package var path: BytePath { chain.first?.path ?? .empty }
}

/// What a change affects.
package struct AffectedAnswer: Sendable {
    package var sources: [AffectedSource] = []
    /// Files whose effect is not known exactly, with the reason for assuming a larger set of sources.
    package var widened: [(path: BytePath, reason: String)] = []
    /// Files that do not exist, were never seen, and that nothing imports.
    package var unknown: [BytePath] = []

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
