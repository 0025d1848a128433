// The result of a build or a check on the screen, and what it means to a shell.
// Knows: formats, the summary, exit statuses. Does not know: whether a daemon did it.

import BuildModel
import Documents
import LinuxSystem
import Service

/// Shows one report.
struct BuildOutput {
    private let verb: Verb
    private let arguments: SessionArguments
    private let isStrict: Bool
    private let printer: DiagnosticPrinter

    init(_ verb: Verb, _ arguments: SessionArguments, isStrict: Bool) {
        self.verb = verb
        self.arguments = arguments
        self.isStrict = isStrict
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
    }

    /// - Returns: the exit status.
    func show(_ everything: WaveReport, interpreters: [ReportDocument.Python], hasProblem: Bool) -> Int32 {
        var report = arguments.rules.filter(everything)
        if verb == .build { report.diagnostics.removeAll(where: \.diagnostic.rule.isOfImports) }
        var status = report.exitStatus
        if status == 0, isStrict, report.warnings > 0 { status = 1 }
        if hasProblem { status = 2 }
        var digest = report
        digest.diagnostics = FindingDigest(interpreters).digest(report.diagnostics)
        switch arguments.format {
        case .json:
            let document = ReportDocument(
                report, verb: verb.rawValue, root: arguments.configuration.rootPath, interpreters: interpreters,
                exitStatus: status)
            Host.write(JSONLine.encode(document), to: 1)
        case .text: write(shown(digest).map { printer.text($0) })
        case .github: write(shown(digest).map { printer.github($0) })
        }
        if report.modules == 0, !report.isIncomplete {
            FreshpycCommand.complain(
                "nothing in scope: no .py file in \(printer.shown(arguments.configuration.starts[0])) that is not excluded; name another path, or see what --exclude and --gitignore leave out"
            )
        } else if !arguments.isQuiet {
            if interpreters.count > 1 { Host.write(matrix(report, interpreters), to: 2) }
            Host.write(summary(digest) + "\n", to: 2)
        }
        return status
    }

    /// A line for each interpreter: how many modules compile there.
    private func matrix(_ report: WaveReport, _ interpreters: [ReportDocument.Python]) -> String {
        let failures = report.failures(of: interpreters.map(\.name))
        let width = interpreters.map(\.name.count).max() ?? 0
        return zip(interpreters, failures).map { interpreter, failed in
            let name = interpreter.name + String(repeating: " ", count: width - interpreter.name.count)
            let verdict = failed == 0 ? "all compile" : "\(failed) of \(report.modules) do not compile"
            return "\(name)  \(verdict)\n"
        }.joined()
    }

    private func write(_ lines: [String]) {
        if !lines.isEmpty { Host.write(lines.map { $0 + "\n" }.joined(), to: 1) }
    }

    /// A build speaks of what kept it from building; a check of everything.
    private func shown(_ report: WaveReport) -> [LocatedDiagnostic] {
        verb == .check ? report.diagnostics : report.diagnostics.filter { $0.diagnostic.severity == .error }
    }

    private func summary(_ report: WaveReport) -> String {
        guard verb == .check else { return report.summary }
        func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
        return
            "\(counted(report.modules, "module")) checked: \(counted(report.errors, "error")), \(counted(report.warnings, "warning")) in \(WaveReport.seconds(report.duration))"
    }
}
