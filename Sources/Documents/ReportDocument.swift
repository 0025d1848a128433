// Results as JSON; OUTPUT.md and config/report.schema.json describe them.

import BasicTypes
import BuildModel

/// The output of `--format json` for a wave.
package struct ReportDocument: Codable, Sendable {
    /// Raised when a reader of the old format could misread the new one.
    package static let schema = 1

    package struct Modules: Codable, Sendable {
        package let total: Int
        package let compiled: Int
        package let restamped: Int
        package let restored: Int
        package let upToDate: Int
        package let removed: Int
        package let failed: Int
    }

    package struct Change: Codable, Sendable {
        package let path: String
        package let pathBytes: String?
        package let result: String
        package let reason: String?
    }

    package struct Finding: Codable, Sendable {
        package let path: String
        package let pathBytes: String?
        package let rule: String
        package let severity: String
        package let line: Int?
        package let column: Int?
        package let endLine: Int?
        package let endColumn: Int?
        package let type: String?
        package let message: String
        package let interpreters: [String]?
    }

    package struct Python: Codable, Sendable {
        package let path: String
        package let name: String
        package let version: String
        package let implementation: String
        package let cacheTag: String
        package let magic: UInt32
        package let headerBytes: Int
        package let sourceHash: String?
        package let origin: String?
        /// The number of sources that it cannot compile; `nil` for interpreters that are only listed.
        package var failed: Int?

        package init(_ interpreter: Interpreter, origin: String? = nil) {
            path = interpreter.path.description
            name = interpreter.name
            version = interpreter.version
            implementation = interpreter.implementation
            cacheTag = interpreter.cacheTag
            magic = interpreter.magic
            headerBytes = interpreter.layout.rawValue
            sourceHash = interpreter.sourceHash?.rawValue
            self.origin = origin
        }
    }

    package var schema = Self.schema
    package let verb: String
    package let root: String
    package let clock: UInt64
    package let seconds: Double
    package let exitStatus: Int32
    package let modules: Modules
    package let interpreters: [Python]
    package let changes: [Change]
    package let diagnostics: [Finding]

    package init(
        _ report: WaveReport, verb: String, root: BytePath, interpreters: [Python], exitStatus: Int32
    ) {
        self.verb = verb
        self.root = root.description
        clock = report.clock
        seconds = Double(report.duration) / 1e9
        self.exitStatus = exitStatus
        modules = Modules(
            total: report.modules, compiled: report.compiled, restamped: report.restamped,
            restored: report.restored, upToDate: report.upToDate,
            removed: report.removed, failed: report.failed)
        self.interpreters = zip(interpreters, report.failures(of: interpreters.map(\.name))).map { python, failed in
            var python = python
            python.failed = failed
            return python
        }
        changes = report.changes.map {
            Change(
                path: $0.path.description, pathBytes: $0.path.hexadecimalIfNotText, result: $0.result.rawValue,
                reason: $0.reason?.rawValue)
        }
        diagnostics = report.diagnostics.map { Finding($0) }
    }
}

extension ReportDocument.Finding {
    package init(_ located: LocatedDiagnostic) {
        let diagnostic = located.diagnostic
        func known(_ number: Int) -> Int? { number > 0 ? number : nil }
        self.init(
            path: located.path.description, pathBytes: located.path.hexadecimalIfNotText,
            rule: diagnostic.rule.rawValue, severity: diagnostic.severity.rawValue, line: known(diagnostic.line),
            column: known(diagnostic.column), endLine: known(diagnostic.endLine),
            endColumn: known(diagnostic.endColumn), type: diagnostic.type.isEmpty ? nil : diagnostic.type,
            message: diagnostic.message, interpreters: located.interpreters.isEmpty ? nil : located.interpreters)
    }

    /// Decodes the finding, for a client that shows the findings of a daemon.
    package var located: LocatedDiagnostic {
        LocatedDiagnostic(
            path: BytePath(shown: path, hexadecimal: pathBytes),
            diagnostic: Diagnostic(
                Rule(rawValue: rule) ?? .compilerError, Severity(rawValue: severity) ?? .error, line: line ?? 0,
                column: column ?? 0, endLine: endLine ?? 0, endColumn: endColumn ?? 0, type: type ?? "",
                message: message), interpreters: interpreters ?? [])
    }
}

extension ReportDocument {
    /// Decodes the report, for a client that shows the report of a daemon.
    package var report: WaveReport {
        var report = WaveReport(clock: clock)
        report.modules = modules.total
        report.compiled = modules.compiled
        report.restamped = modules.restamped
        report.restored = modules.restored
        report.upToDate = modules.upToDate
        report.removed = modules.removed
        report.failed = modules.failed
        report.duration = Int64(seconds * 1e9)
        report.changes = changes.map {
            WaveReport.Change(
                path: BytePath(shown: $0.path, hexadecimal: $0.pathBytes),
                result: ModuleResult(rawValue: $0.result) ?? .upToDate,
                reason: $0.reason.flatMap { StalenessReason(rawValue: $0) })
        }
        report.diagnostics = diagnostics.map(\.located)
        return report
    }
}
