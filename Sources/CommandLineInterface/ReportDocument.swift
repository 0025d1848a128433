// Results as JSON; OUTPUT.md and config/report.schema.json describe them.
// Knows: names and shape of the machine format. Does not know: where it is written.

import BuildModel
import FoundationEssentials

/// What `--format json` prints for a wave.
struct ReportDocument: Encodable {
    /// Raised when a reader of the old form could misread the new one.
    static let schema = 1

    struct Modules: Encodable {
        let total: Int
        let compiled: Int
        let restamped: Int
        let upToDate: Int
        let removed: Int
        let failed: Int
    }

    struct Change: Encodable {
        let path: String
        let pathBytes: String?
        let result: String
        let reason: String?
    }

    struct Finding: Encodable {
        let path: String
        let pathBytes: String?
        let rule: String
        let severity: String
        let line: Int?
        let column: Int?
        let endLine: Int?
        let endColumn: Int?
        let type: String?
        let message: String
        let interpreters: [String]?
    }

    struct Python: Encodable {
        let path: String
        let name: String
        let version: String
        let implementation: String
        let cacheTag: String
        let magic: UInt32
        let headerBytes: Int
        let sourceHash: String?
        let origin: String?

        init(_ interpreter: Interpreter, origin: String? = nil) {
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

    let schema = Self.schema
    let verb: String
    let root: String
    let clock: UInt64
    let seconds: Double
    let exitStatus: Int32
    let modules: Modules
    let interpreters: [Python]
    let changes: [Change]
    let diagnostics: [Finding]

    init(_ report: WaveReport, verb: Verb, root: BytePath, interpreters: [Interpreter], exitStatus: Int32) {
        self.verb = verb.rawValue
        self.root = root.description
        clock = report.clock
        seconds = Double(report.duration) / 1e9
        self.exitStatus = exitStatus
        modules = Modules(
            total: report.modules, compiled: report.compiled, restamped: report.restamped, upToDate: report.upToDate,
            removed: report.removed, failed: report.failed)
        self.interpreters = interpreters.map { Python($0) }
        changes = report.changes.map {
            Change(
                path: $0.path.description, pathBytes: $0.path.hexadecimalIfNotText, result: $0.result.rawValue,
                reason: $0.reason?.rawValue)
        }
        diagnostics = report.diagnostics.map { located in
            let diagnostic = located.diagnostic
            func known(_ number: Int) -> Int? { number > 0 ? number : nil }
            return Finding(
                path: located.path.description, pathBytes: located.path.hexadecimalIfNotText,
                rule: diagnostic.rule.rawValue, severity: diagnostic.severity.rawValue, line: known(diagnostic.line),
                column: known(diagnostic.column), endLine: known(diagnostic.endLine),
                endColumn: known(diagnostic.endColumn), type: diagnostic.type.isEmpty ? nil : diagnostic.type,
                message: diagnostic.message,
                interpreters: located.interpreters.isEmpty ? nil : located.interpreters)
        }
    }
}

extension Encodable {
    /// One line of JSON, keys sorted.
    func jsonLine() -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and whole numbers always encode; seconds are never infinite.
        guard let data = try? encoder.encode(self) else { return "{}\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}

extension BytePath {
    /// The exact bytes, where the text that is shown cannot stand for them.
    fileprivate var hexadecimalIfNotText: String? {
        guard exactText == nil || exactText != description else { return nil }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
