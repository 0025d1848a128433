// Merges the errors that several interpreters report for the same mistake, each in its own words.

import BasicTypes
import BuildModel
import Documents

/// Shows an error once, in the words of the newest interpreter that reports it. JSON keeps the errors apart.
struct FindingDigest {
    /// Names, from the oldest version to the newest.
    private let interpreters: [String]

    init(_ interpreters: [ReportDocument.Python]) {
        self.interpreters = interpreters.sorted { Self.isOlder($0, $1) }.map(\.name)
    }

    func digest(_ findings: [LocatedDiagnostic]) -> [LocatedDiagnostic] {
        guard interpreters.count > 1 else { return findings }
        struct Place: Hashable {
            let path: BytePath
            let line: Int
        }
        var places: [Place: Int] = [:]
        var digest: [LocatedDiagnostic] = []
        for finding in findings {
            // A line may have several warnings, and findings about imports do not come from the compiler.
            guard finding.diagnostic.severity == .error, !finding.diagnostic.rule.isOfImports,
                !finding.diagnostic.rule.isOperational
            else {
                digest.append(sorted(finding))
                continue
            }
            let place = Place(path: finding.path, line: finding.diagnostic.line)
            if let known = places[place] {
                digest[known] = joined(digest[known], finding)
            } else {
                places[place] = digest.count
                digest.append(sorted(finding))
            }
        }
        return digest
    }

    private func holders(_ finding: LocatedDiagnostic) -> [String] {
        finding.interpreters.isEmpty ? interpreters : finding.interpreters
    }

    private func sorted(_ finding: LocatedDiagnostic) -> LocatedDiagnostic {
        let names = holders(finding)
        var finding = finding
        finding.interpreters = names.count == interpreters.count ? [] : interpreters.filter(names.contains)
        return finding
    }

    private func joined(_ left: LocatedDiagnostic, _ right: LocatedDiagnostic) -> LocatedDiagnostic {
        let names = (holders(left), holders(right))
        let newest = interpreters.last { names.0.contains($0) || names.1.contains($0) }
        var joined = newest.map { names.1.contains($0) } == true ? right : left
        joined.interpreters = names.0 + names.1.filter { !names.0.contains($0) }
        return sorted(joined)
    }

    /// By version; of two implementations of one version, CPython counts as the newer.
    private static func isOlder(_ left: ReportDocument.Python, _ right: ReportDocument.Python) -> Bool {
        func numbers(_ version: String) -> [Int] {
            version.split(whereSeparator: { !$0.isWholeNumber }).map { Int($0) ?? 0 }
        }
        let versions = (numbers(left.version), numbers(right.version))
        guard versions.0.prefix(2) != versions.1.prefix(2) else { return left.implementation > right.implementation }
        return versions.0.lexicographicallyPrecedes(versions.1)
    }
}
