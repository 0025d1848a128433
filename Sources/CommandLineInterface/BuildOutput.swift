// Prints the result of a build or a check, and decides the exit status.

import BasicTypes
import BuildModel
import Documents
import LinuxSystem

/// Shows one report.
struct BuildOutput {
    /// The verb that the result belongs to.
    enum Kind: String, Sendable {
        case build, check, precompile
    }

    private let kind: Kind
    private let arguments: SessionArguments
    private let isStrict: Bool
    private let output: StandardOutput
    private let printer: DiagnosticPrinter

    init(_ kind: Kind, _ arguments: SessionArguments, isStrict: Bool, output: StandardOutput) {
        self.kind = kind
        self.output = output
        self.arguments = arguments
        self.isStrict = isStrict
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
    }

    /// - Returns: the exit status.
    func show(_ everything: WaveReport, interpreters: [ReportDocument.Python], hasProblem: Bool) -> Int32 {
        var report = arguments.rules.filter(everything)
        report.diagnostics.sort { $0.isBefore($1) }
        if kind == .build { report.diagnostics.removeAll(where: \.diagnostic.rule.isOfImports) }
        var status = report.exitStatus
        if status == 0, isStrict, report.warnings > 0 { status = 1 }
        if hasProblem { status = 2 }
        var digest = report
        digest.diagnostics = FindingDigest(interpreters).digest(report.diagnostics)
        switch arguments.format {
        case .json:
            let document = ReportDocument(
                report, verb: kind.rawValue, root: arguments.configuration.rootPath, interpreters: interpreters,
                exitStatus: status)
            output.write(JSONLine.encode(document))
        case .text: output.write(lines: shown(digest).map { printer.text($0) })
        case .github: output.write(lines: shown(digest).map { printer.github($0) })
        }
        if report.modules == 0, !report.isIncomplete {
            FreshpycCommand.complain(
                "nothing in scope: no .py file in \(printer.shown(arguments.configuration.starts[0])) that is not excluded; name another path, or check --exclude and --gitignore"
            )
        } else if !arguments.isQuiet {
            if interpreters.count > 1 { Host.writeError(matrix(report, interpreters)) }
            Host.writeError(summary(digest) + "\n")
        }
        return status
    }

    /// One line per interpreter, with the number of modules that do not compile.
    private func matrix(_ report: WaveReport, _ interpreters: [ReportDocument.Python]) -> String {
        let failures = report.failures(of: interpreters.map(\.name))
        let width = interpreters.map(\.name.count).max() ?? 0
        return zip(interpreters, failures).map { interpreter, failed in
            let name = interpreter.name + String(repeating: " ", count: width - interpreter.name.count)
            let verdict = failed == 0 ? "all compile" : "\(failed) of \(Plural.count(report.modules, "module")) failed"
            return "\(name)  \(verdict)\n"
        }.joined()
    }

    /// A build shows only errors; a check shows everything.
    private func shown(_ report: WaveReport) -> [LocatedDiagnostic] {
        guard kind == .check else { return report.diagnostics.filter { $0.diagnostic.severity == .error } }
        return arguments.isQuiet ? report.diagnostics.filter { $0.diagnostic.severity != .note } : report.diagnostics
    }

    private func summary(_ report: WaveReport) -> String {
        guard kind == .check else { return report.summary }
        return
            "\(Plural.count(report.modules, "module")) checked in \(WaveReport.seconds(report.duration)): \(Plural.count(report.errors, "error")), \(Plural.count(report.warnings, "warning")), \(Plural.count(report.notes, "note"))"
    }
}
