// What several compilers say of one source, each thing once.
// Knows: how versions differ in their words. Does not know: which source it is, or who reads it.

import BuildModel

enum CombinedFindings {
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

    /// - Parameters:
    ///   - said: diagnostics, with the place of who said each among the interpreters.
    ///   - interpreters: all that were asked.
    /// - Returns: each finding once, in the words of the newest that has it, with the names of those that have it; none
    ///   where all have.
    static func of(
        _ said: [(Diagnostic, Int)], by interpreters: [Interpreter]
    ) -> [(diagnostic: Diagnostic, interpreters: [String])] {
        var found: [Finding: (diagnostic: Diagnostic, interpreters: [Int])] = [:]
        var order: [Finding] = []
        for (diagnostic, place) in said {
            let finding = Finding(diagnostic)
            guard let known = found[finding] else {
                order.append(finding)
                found[finding] = (diagnostic, [place])
                continue
            }
            // The same from another level.
            guard !known.interpreters.contains(place) else { continue }
            let isNewest = known.interpreters.allSatisfy { interpreters[$0].isOlder(than: interpreters[place]) }
            found[finding] = (isNewest ? diagnostic : known.diagnostic, known.interpreters + [place])
        }
        return order.compactMap { finding in
            found[finding].map { diagnostic, holders in
                let names = holders.map { interpreters[$0] }.sorted { $0.isOlder(than: $1) }.map(\.name)
                return (diagnostic, holders.count == interpreters.count ? [] : names)
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
