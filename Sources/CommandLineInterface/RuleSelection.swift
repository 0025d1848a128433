// `--select` and `--ignore`: which findings are shown.

import BasicTypes
import BuildModel

/// Findings that `--select` and `--ignore` choose. Errors that keep a module from compiling or being read always show.
struct RuleSelection: Hashable, Sendable {
    private let selected: Set<Rule>?
    private let ignored: Set<Rule>

    init(selected: [String], ignored: [String]) throws(UsageError) {
        let chosen = try Self.rules(selected, "--select")
        self.selected = chosen.isEmpty ? nil : chosen
        self.ignored = try Self.rules(ignored, "--ignore")
    }

    /// Rules that can be hidden.
    static let optional = Rule.allCases.filter { $0.isOfImports || $0 == .syntaxWarning || $0 == .deprecationWarning }

    private static func rules(_ words: [String], _ option: String) throws(UsageError) -> Set<Rule> {
        var rules: Set<Rule> = []
        for name in words.flatMap({ $0.split(separator: ",") }).map(String.init) {
            guard let rule = optional.first(where: { $0.rawValue == name }) else {
                let names = optional.map(\.rawValue)
                let hint =
                    Suggestion.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
                    ?? "use one of \(names.joined(separator: ", "))"
                throw UsageError(message: "'\(name)' is not a rule for \(option); \(hint)")
            }
            rules.insert(rule)
        }
        return rules
    }

    private func shows(_ diagnostic: Diagnostic) -> Bool {
        guard Self.optional.contains(diagnostic.rule) else { return true }
        if let selected { return selected.contains(diagnostic.rule) && !ignored.contains(diagnostic.rule) }
        return !ignored.contains(diagnostic.rule)
    }

    /// The findings that should be shown.
    func filter(_ findings: [LocatedDiagnostic]) -> [LocatedDiagnostic] { findings.filter { shows($0.diagnostic) } }

    /// Removes findings that should not be shown.
    func filter(_ report: WaveReport) -> WaveReport {
        var report = report
        report.diagnostics.removeAll { !shows($0.diagnostic) }
        return report
    }
}
