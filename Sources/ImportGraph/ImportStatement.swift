// One import as written in the source: names, position and circumstances.

/// The circumstances of an import. They combine: an import in a function in an `if` has two.
package struct ImportTraits: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Never runs: under `if TYPE_CHECKING`, or under an obviously false test such as `if False`.
    package static let typeOnly = ImportTraits(rawValue: 1 << 0)
    /// A call: `importlib.import_module("a")` or `__import__("a")`.
    package static let dynamic = ImportTraits(rawValue: 1 << 1)
    /// `lazy import a` (PEP 810): runs when the name is first used.
    package static let lazy = ImportTraits(rawValue: 1 << 2)
    /// In the body of a function: runs when the function is called.
    package static let deferred = ImportTraits(rawValue: 1 << 3)
    /// May fail: in a `try` that handles an `ImportError`, in that handler, or in `with suppress(ImportError)`.
    package static let optional = ImportTraits(rawValue: 1 << 4)
    /// Under a test of the interpreter's version or platform: see ``ImportStatement/conditions``.
    package static let conditional = ImportTraits(rawValue: 1 << 5)
    /// Under a test that cannot be decided, in a loop, or in a handler: it may not run.
    package static let undecided = ImportTraits(rawValue: 1 << 6)
    /// A call of a bare `import_module` that is not yet known to come from `importlib`.
    static let unconfirmed = ImportTraits(rawValue: 1 << 7)
}

extension ImportTraits {
    /// The first that applies, from `typeOnly` to `eager` in the order of ``ImportKind``.
    package var kind: ImportKind {
        if contains(.typeOnly) { return .typeOnly }
        if contains(.dynamic) { return .dynamic }
        if contains(.lazy) { return .lazy }
        if contains(.deferred) { return .deferred }
        if contains(.optional) { return .optional }
        if contains(.conditional) { return .conditional }
        return .eager
    }
}

/// Sums up the traits of an import in one word: the trait that matters most.
package enum ImportKind: String, Hashable, Sendable, CaseIterable {
    case typeOnly, dynamic, lazy, deferred, optional, conditional, eager
}

/// How an import is written.
package enum ImportForm: UInt8, Hashable, Sendable {
    /// `import a.b as c, d`
    case modules
    /// `from a import b as c`
    case names
    /// `importlib.import_module("a")`, `__import__("a")`
    case call
}

/// What the leading dots of an import are relative to.
package enum ImportAnchor: Hashable, Sendable {
    /// `__package__`, as in every import statement.
    case enclosingPackage
    /// `__name__`: `import_module(".a", __name__)`.
    case ownName
    /// `import_module(".a", "package")`
    case named(ModuleName)
    /// An expression.
    case unknown
}

/// One imported name, and its alias if there is an `as`.
package struct ImportedName: Hashable, Sendable {
    /// Dotted only in `import a.b`; `*` in `from a import *`.
    package let name: ModuleName
    package let alias: [UInt8]?

    package init(name: ModuleName, alias: [UInt8]? = nil) {
        self.name = name
        self.alias = alias
    }
}

/// A test that must hold or fail for an import to run.
package struct ImportCondition: Hashable, Sendable {
    /// The text between `if` and the colon.
    package let text: [UInt8]
    /// Whether the test must fail, because the import is in a later branch.
    package let isNegated: Bool

    package init(text: [UInt8], isNegated: Bool = false) {
        self.text = text
        self.isNegated = isNegated
    }
}

/// An import of a source file.
package struct ImportStatement: Hashable, Sendable {
    package let form: ImportForm
    /// Counted from 1, as in `ast`. LF, CRLF and CR each end a line.
    package let line: Int
    /// Bytes from the beginning of the line, as in `ast` for UTF-8. A byte order mark does not count.
    package let column: Int
    /// Number of leading dots.
    package let level: Int
    /// What follows the dots; empty in `import a` and `from . import a`.
    package let module: ModuleName
    /// The imported names. For a call: the `fromlist` of `__import__`, if it is a literal.
    package let names: [ImportedName]
    package let anchor: ImportAnchor
    package internal(set) var traits: ImportTraits
    /// All must hold for the import to run. Outermost first; tests of anything but version and platform are not stored.
    package let conditions: [ImportCondition]

    package var kind: ImportKind { traits.kind }

    /// `from a import *`
    package var isWildcard: Bool {
        form == .names && names.count == 1 && names[0].name.bytes == [UInt8(ascii: "*")]
    }
}

extension ImportedName: CustomStringConvertible {
    package var description: String {
        alias.map { "\(name) as \(String(decoding: $0, as: UTF8.self))" } ?? name.description
    }
}

extension ImportStatement: CustomStringConvertible {
    /// `3:4 deferred from .a import b as c`
    package var description: String {
        let source = String(repeating: ".", count: level) + module.description
        let list = names.map(\.description).joined(separator: ", ")
        let clause =
            switch form {
            case .modules: "import \(list)"
            case .names: "from \(source) import \(list)"
            case .call: names.isEmpty ? "load \(source)" : "load \(source) for \(list)"
            }
        return "\(line):\(column) \(kind) \(clause)"
    }
}
