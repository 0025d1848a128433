// Merges equal diagnostics of several interpreters for one source.

import BuildModel

package enum CombinedFindings {
    /// The fields that make two diagnostics equal. The end of an error is not one of them: interpreters disagree on it.
    private struct Finding: Hashable {
        let rule: Rule
        let line: Int
        let column: Int
        let type: String
        let message: String
    }

    /// - Parameters:
    ///   - reported: each diagnostic with the index of its interpreter.
    ///   - interpreters: all interpreters that compiled the source.
    /// - Returns: each finding once, with the names of the interpreters that report it; no names if all of them do.
    package static func of(
        _ reported: [(Diagnostic, Int)], by interpreters: [Interpreter]
    ) -> [(diagnostic: Diagnostic, interpreters: [String])] {
        var found: [Finding: (diagnostic: Diagnostic, interpreters: [Int])] = [:]
        var order: [Finding] = []
        for (diagnostic, place) in reported {
            let finding = Finding(
                rule: diagnostic.rule, line: diagnostic.line, column: diagnostic.column, type: diagnostic.type,
                message: diagnostic.message)
            if found[finding] == nil { order.append(finding) }
            // An interpreter reports the same at several levels.
            if found[finding]?.interpreters.contains(place) != true {
                found[finding, default: (diagnostic, [])].interpreters.append(place)
            }
        }
        return order.compactMap { finding in
            found[finding].map { diagnostic, holders in
                let names = holders.count == interpreters.count ? [] : holders.map { interpreters[$0].name }
                return (diagnostic, names)
            }
        }
    }
}
