// The findings that exist now, as a watch counts them, and what became of those of the wave before.

import BasicTypes
import BuildModel

/// All findings after a wave.
struct StandingFindings {
    let all: [LocatedDiagnostic]
    /// The files with errors.
    let failing: Set<BytePath>

    init(_ all: [LocatedDiagnostic] = []) {
        self.all = all
        failing = Set(all.filter { $0.diagnostic.severity == .error }.map(\.path))
    }

    /// `2 errors in 2 files, 1 warning`, or `nil` if there are neither errors nor warnings.
    var count: String? {
        let errors = all.count { $0.diagnostic.severity == .error }
        let warnings = all.count { $0.diagnostic.severity == .warning }
        var parts: [String] = []
        if errors > 0 { parts.append("\(Plural.count(errors, "error")) in \(Plural.count(failing.count, "file"))") }
        if warnings > 0 { parts.append(Plural.count(warnings, "warning")) }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// How things stand after a wave: the count, `all clear` if the last error or warning is gone, or `nil` if there was
    /// nothing to report before and is nothing now.
    func standing(since before: StandingFindings) -> String? {
        count ?? (before.count == nil ? nil : "all clear")
    }

    /// The files whose last error is gone, sorted.
    func fixed(since before: StandingFindings) -> [BytePath] { before.failing.subtracting(failing).sorted() }
}
