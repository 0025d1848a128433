// What the compilers have said of a source, each thing once.
// Knows: traces of several interpreters and levels. Does not know: who reads it, or what is wrong with imports.

import BuildModel

extension Session {
    /// What makes two diagnostics one finding.
    private struct Finding: Hashable {
        let rule: Rule
        let line: Int
        /// Interpreters place an error differently in its line, and find other words for it; only of warnings there may
        /// be several in one.
        let column: Int
        let message: String

        init(_ diagnostic: Diagnostic) {
            line = diagnostic.line
            let isError = diagnostic.severity == .error
            // Versions do not agree on which of these an error is.
            let isOfSyntax = diagnostic.rule == .syntaxError || diagnostic.rule == .nullBytes
            rule = isOfSyntax || diagnostic.rule == .undecodable ? .syntaxError : diagnostic.rule
            column = isError ? 0 : diagnostic.column
            message = isError ? "" : diagnostic.message
        }
    }

    /// The findings on record for a source, for the targets of this session. What several interpreters say is said in the
    /// words of the newest of them.
    func findings(_ record: ModuleRecord) -> [LocatedDiagnostic] {
        // Nearly all modules have none, and a report asks for all of them.
        if record.traces.allSatisfy(\.diagnostics.isEmpty) { return [] }
        var found: [Finding: (diagnostic: Diagnostic, interpreters: [InterpreterID])] = [:]
        var order: [Finding] = []
        for target in targets {
            for diagnostic in record.trace(target.key)?.diagnostics ?? [] {
                let finding = Finding(diagnostic)
                let id = target.key.interpreter
                guard let known = found[finding] else {
                    order.append(finding)
                    found[finding] = (diagnostic, [id])
                    continue
                }
                guard !known.interpreters.contains(id) else { continue }
                let isNewer = known.interpreters.allSatisfy { interpreters[$0].isOlder(than: interpreters[id]) }
                found[finding] = (isNewer ? diagnostic : known.diagnostic, known.interpreters + [id])
            }
        }
        let all = interpreters.selected.count
        return order.compactMap { finding in
            found[finding].map { diagnostic, holds in
                LocatedDiagnostic(
                    path: record.path, diagnostic: diagnostic,
                    interpreters: holds.count == all
                        ? []
                        : holds.map { interpreters[$0] }.sorted { $0.isOlder(than: $1) }.map(\.name))
            }
        }
    }
}

extension Interpreter {
    /// By version; of two implementations of one version, by name.
    fileprivate func isOlder(than other: Interpreter) -> Bool {
        func numbers(_ version: String) -> [Int] {
            version.split(whereSeparator: { !$0.isWholeNumber }).map { Int($0) ?? 0 }
        }
        let versions = (numbers(version), numbers(other.version))
        guard versions.0 != versions.1 else { return implementation > other.implementation }
        return versions.0.lexicographicallyPrecedes(versions.1)
    }
}
