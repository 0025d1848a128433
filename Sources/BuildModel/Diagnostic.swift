// A problem with a source, as data: rule, severity, place, message.

import BasicTypes

/// What kind of finding a diagnostic is. The raw value is the name that people select rules by.
package enum Rule: String, Sendable, CaseIterable {
    case syntaxError = "syntax-error"
    case undecodable
    case nullBytes = "null-bytes"
    case syntaxWarning = "syntax-warning"
    case deprecationWarning = "deprecation-warning"
    /// The compiler raised something else: recursion, memory, a value too large.
    case compilerError = "compiler-error"
    /// The compiler died on this file every time.
    case compilerCrash = "compiler-crash"
    /// The compiler did not finish in time, twice.
    case timeout
    case tooLarge = "too-large"
    /// An import of something that the tree should have and does not.
    case unresolvedImport = "unresolved-import"
    /// A name that is imported from a module which does not bind it.
    case missingName = "missing-name"
    case importCycle = "import-cycle"
    case shadowsStdlib = "shadows-stdlib"
    case duplicateModule = "duplicate-module"
    case caseCollision = "case-collision"
    /// Bytecode of an older version of its source.
    case staleBytecode = "stale-bytecode"
    /// Bytecode that is not what its format says.
    case damagedBytecode = "damaged-bytecode"
    /// Bytecode that another interpreter wrote than its name says.
    case wrongMagic = "wrong-magic"
    /// Bytecode in `__pycache__` without a source.
    case orphan
    /// Bytecode that is imported because there is no source beside it.
    case sourceless
    /// Bytecode of an interpreter that was not selected.
    case foreignTag = "foreign-tag"
    /// A temporary file of a process that no longer runs.
    case leftover
    case unreadable
    case unwritable
    case unstable

    /// Whether it is about imports, which a build does not analyze.
    package var isOfImports: Bool {
        switch self {
        case .unresolvedImport, .missingName, .importCycle, .shadowsStdlib, .duplicateModule, .caseCollision: true
        default: false
        }
    }

    /// Whether it is about the tree or the machine and not about the code: such a diagnostic is tried again on
    /// every run and never remembered, and the run exits with 2.
    package var isOperational: Bool {
        switch self {
        case .unreadable, .unwritable, .unstable: true
        default: false
        }
    }
}

package enum Severity: String, Sendable, Comparable {
    case note, warning, error

    private var rank: Int {
        switch self {
        case .note: 0
        case .warning: 1
        case .error: 2
        }
    }
    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// One finding in one source.
package struct Diagnostic: Hashable, Sendable {
    package var rule: Rule
    package var severity: Severity
    /// From 1; 0 where the compiler gave none.
    package var line: Int
    /// In characters from 1; 0 where the compiler gave none.
    package var column: Int
    package var endLine: Int
    package var endColumn: Int
    /// The Python exception or warning class: `SyntaxError`, `IndentationError`. Empty for our own findings.
    package var type: String
    package var message: String

    package init(
        _ rule: Rule, _ severity: Severity, line: Int = 0, column: Int = 0, endLine: Int = 0, endColumn: Int = 0,
        type: String = "", message: String
    ) {
        self.rule = rule
        self.severity = severity
        self.line = line
        self.column = column
        self.endLine = endLine
        self.endColumn = endColumn
        self.type = type
        self.message = message
    }

    /// `path:line:column: severity: message [rule]`; parts that are not known are left out.
    package func rendered(path: BytePath) -> String {
        var text = path.description
        if line > 0 {
            text += ":\(line)"
            if column > 0 { text += ":\(column)" }
        }
        return text + ": \(severity.rawValue): \(message) [\(rule.rawValue)]"
    }
}

/// A diagnostic with its place in the tree, and for whom it holds.
package struct LocatedDiagnostic: Hashable, Sendable {
    /// Relative to the root.
    package var path: BytePath
    package var diagnostic: Diagnostic
    /// Names of the interpreters that it holds for; empty where it does not depend on one.
    package var interpreters: [String]

    package init(path: BytePath, diagnostic: Diagnostic, interpreters: [String] = []) {
        self.path = path
        self.diagnostic = diagnostic
        self.interpreters = interpreters
    }
}
