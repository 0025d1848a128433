// The JSON output of `verify`.

import BasicTypes
import BuildModel
import BytecodeCare
import Documents

/// The output of `verify --format json`; OUTPUT.md describes it.
struct VerifyDocument: Encodable {
    struct Counts: Encodable {
        let verified: Int
        let valid: Int
        let stale: Int
        let damaged: Int
        let wrongMagic: Int
        let sourceless: Int
        let orphans: Int
        let foreign: Int
        let leftovers: Int
        let notVerified: Int
        let sources: Int
        let sourcesWithoutBytecode: Int
    }

    struct Finding: Encodable {
        let path: String
        let pathBytes: String?
        let rule: String
        let severity: String
        let message: String
        let source: String?
        let cacheTag: String?
        let level: UInt8?
        let invalidation: String?
    }

    var schema = ReportDocument.schema
    var verb = VerifyVerb.declaration.name
    let root: String
    let seconds: Double
    let exitStatus: Int32
    let counts: Counts
    let interpreters: [ReportDocument.Python]
    let findings: [Finding]

    init(
        _ report: BytecodeReport, root: BytePath, interpreters: [Interpreter], diagnostics: [LocatedDiagnostic],
        exitStatus: Int32
    ) {
        self.root = root.description
        seconds = Double(report.duration) / 1e9
        self.exitStatus = exitStatus
        let counts = report.counts
        self.counts = Counts(
            verified: counts.verified, valid: counts.valid, stale: counts.stale, damaged: counts.damaged,
            wrongMagic: counts.wrongMagic, sourceless: counts.sourceless, orphans: counts.orphans,
            foreign: counts.foreign, leftovers: counts.leftovers, notVerified: counts.notVerified,
            sources: report.sources, sourcesWithoutBytecode: report.sourcesWithoutBytecode)
        self.interpreters = interpreters.map { ReportDocument.Python($0) }
        let files = Dictionary(report.files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        findings = diagnostics.map { located in
            let file = files[located.path]
            return Finding(
                path: located.path.description, pathBytes: located.path.hexadecimalIfNotText,
                rule: located.diagnostic.rule.rawValue, severity: located.diagnostic.severity.rawValue,
                message: located.diagnostic.message, source: file?.source?.description,
                cacheTag: file?.interpreter.map { interpreters[$0].cacheTag }, level: file?.level?.rawValue,
                invalidation: file?.mode?.rawValue)
        }
    }
}
