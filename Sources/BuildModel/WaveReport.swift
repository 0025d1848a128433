// The outcome of one wave: counts, findings, and a one-line summary.

import BasicTypes

/// What happened to one source, over all of its artifacts.
package enum ModuleResult: String, Sendable {
    case upToDate = "up-to-date"
    case restamped
    /// The code came from the store, without compiling.
    case restored
    case compiled
    case failed
}

/// The result of a wave.
package struct WaveReport: Sendable {
    /// One source that was not simply up to date.
    package struct Change: Hashable, Sendable {
        package var path: BytePath
        package var result: ModuleResult
        /// Why the first of its artifacts was stale.
        package var reason: StalenessReason?

        package init(path: BytePath, result: ModuleResult, reason: StalenessReason?) {
            self.path = path
            self.result = result
            self.reason = reason
        }
    }

    package var clock: UInt64
    /// Sources in scope (one-shot), or sources that the wave examined (`watch`).
    package var modules = 0
    package var compiled = 0
    package var restamped = 0
    package var restored = 0
    package var upToDate = 0
    package var failed = 0
    /// Sources that were deleted, and their bytecode with them.
    package var removed = 0
    /// The paths of the removed sources.
    package var gone: [BytePath] = []
    /// An interpreter could not be run. This is reported for one source, but others were not compiled either.
    package var lacksInterpreter = false
    /// In nanoseconds.
    package var duration: Int64 = 0
    package var changes: [Change] = []
    /// Sorted by path and position. Covers everything in scope, not only what was built now.
    package var diagnostics: [LocatedDiagnostic] = []

    package init(clock: UInt64) {
        self.clock = clock
    }

    /// Whether the wave changed anything.
    package var hasChanges: Bool { !changes.isEmpty || removed > 0 }
    package var errors: Int { diagnostics.count { $0.diagnostic.severity == .error } }
    package var warnings: Int { diagnostics.count { $0.diagnostic.severity == .warning } }
    package var notes: Int { diagnostics.count { $0.diagnostic.severity == .note } }
    /// Whether something requested could not be done, whatever the state of the code.
    package var isIncomplete: Bool { diagnostics.contains { $0.diagnostic.rule.isOperational } }

    /// The sources with this result.
    package func paths(_ result: ModuleResult) -> [BytePath] { changes.filter { $0.result == result }.map(\.path) }

    /// For each of these interpreters, the number of sources that do not compile.
    package func failures(of interpreters: [String]) -> [Int] {
        var refused: [String: Set<BytePath>] = [:]
        for located in diagnostics where located.diagnostic.severity == .error {
            guard !located.diagnostic.rule.isOfImports, !located.diagnostic.rule.isOperational else { continue }
            for name in located.interpreters.isEmpty ? interpreters : located.interpreters {
                refused[name, default: []].insert(located.path)
            }
        }
        return interpreters.map { refused[$0]?.count ?? 0 }
    }

    /// The exit status of a build: 0 success, 1 findings, 2 something could not be done.
    package var exitStatus: Int32 {
        if isIncomplete || modules == 0 { return 2 }
        return failed > 0 || errors > 0 ? 1 : 0
    }

    /// `7722 modules: 7700 compiled, 12 restamped, 8 up to date, 2 failed in 2.31 s`
    package var summary: String {
        var parts = ["\(compiled) compiled"]
        if restored > 0 { parts.append("\(restored) from the store") }
        if restamped > 0 { parts.append("\(restamped) restamped") }
        parts.append("\(upToDate) up to date")
        if removed > 0 { parts.append("\(removed) removed") }
        parts.append("\(failed) failed")
        return "\(Plural.count(modules, "module")): " + parts.joined(separator: ", ")
            + " in \(Self.seconds(duration))"
    }

    /// `2.31 s`; three decimals below 0.1 s: `0.004 s`.
    package static func seconds(_ nanoseconds: Int64) -> String {
        let places = nanoseconds < 100_000_000 ? 3 : 2
        let unit: Int64 = places == 3 ? 1_000_000 : 10_000_000
        let scale: Int64 = places == 3 ? 1_000 : 100
        let rounded = (max(0, nanoseconds) + unit / 2) / unit
        let fraction = String(rounded % scale)
        return "\(rounded / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction) s"
    }
}
