// A problem with a source: rule, severity, position, message.

import BasicTypes

/// The kind of a diagnostic. The raw value is the name by which users select rules.
package enum Rule: String, Sendable, CaseIterable {
    case syntaxError = "syntax-error"
    case undecodable
    case nullBytes = "null-bytes"
    case syntaxWarning = "syntax-warning"
    case deprecationWarning = "deprecation-warning"
    /// The compiler raised another exception: recursion, memory, a value too large.
    case compilerError = "compiler-error"
    /// The compiler crashed on this file in every attempt.
    case compilerCrash = "compiler-crash"
    /// The compiler timed out on this file twice.
    case timeout
    case tooLarge = "too-large"
    /// An import of something that should be in the tree but is not.
    case unresolvedImport = "unresolved-import"
    /// An imported name that its module does not bind.
    case missingName = "missing-name"
    case importCycle = "import-cycle"
    case shadowsStdlib = "shadows-stdlib"
    case duplicateModule = "duplicate-module"
    case caseCollision = "case-collision"
    /// A rule in an ignore comment that does not exist.
    case unknownRule = "unknown-rule"
    /// Bytecode of an earlier version of its source.
    case staleBytecode = "stale-bytecode"
    /// Bytecode that does not follow its format.
    case damagedBytecode = "damaged-bytecode"
    /// Bytecode from a different interpreter than its name says.
    case wrongMagic = "wrong-magic"
    /// Bytecode in `__pycache__` without a source.
    case orphan
    /// Bytecode that is imported because there is no source next to it.
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
        case .unresolvedImport, .missingName, .importCycle, .shadowsStdlib, .duplicateModule, .caseCollision,
            .unknownRule:
            true
        default: false
        }
    }

    /// Whether it is about the tree or the machine rather than the code. Such a diagnostic is never stored: its source
    /// is tried again on every run. The run exits with status 2.
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
    /// Counted from 1; 0 if the compiler gave none.
    package var line: Int
    /// In characters, counted from 1; 0 if the compiler gave none.
    package var column: Int
    package var endLine: Int
    package var endColumn: Int
    /// The Python exception or warning class: `SyntaxError`, `IndentationError`. Empty for freshpyc's own findings, except
    /// `killed`.
    package var type: String
    package var message: String

    /// The type of a crash by SIGKILL, which comes from outside.
    package static let killed = "killed"

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

    /// `path:line:column: severity: message [rule]`, without an unknown line or column.
    package func rendered(path: BytePath) -> String {
        var text = path.description
        if line > 0 {
            text += ":\(line)"
            if column > 0 { text += ":\(column)" }
        }
        // Python's message may quote a control character of the source.
        let message = BytePath.shown(self.message)
        return text + ": \(severity.rawValue): \(message) [\(rule.rawValue)]"
    }
}

/// A diagnostic with its path and the interpreters that it applies to.
package struct LocatedDiagnostic: Hashable, Sendable {
    /// Relative to the root.
    package var path: BytePath
    package var diagnostic: Diagnostic
    /// Names of the interpreters that it applies to; empty if it does not depend on the interpreter.
    package var interpreters: [String]

    package init(path: BytePath, diagnostic: Diagnostic, interpreters: [String] = []) {
        self.path = path
        self.diagnostic = diagnostic
        self.interpreters = interpreters
    }

    /// The order in which findings are shown: by place, so that it is always the same.
    package func isBefore(_ other: LocatedDiagnostic) -> Bool {
        let (left, right) = (diagnostic, other.diagnostic)
        if path != other.path { return path < other.path }
        return (left.line, left.column, left.rule.rawValue, left.message, interpreters.joined())
            < (right.line, right.column, right.rule.rawValue, right.message, other.interpreters.joined())
    }
}
