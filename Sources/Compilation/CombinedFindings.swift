// What several compilers say of one source, each thing once.
// Knows: which diagnostics are the same. Does not know: which source it is, or how people are told.

import BuildModel

package enum CombinedFindings {
    /// What makes two diagnostics one finding: interpreters place the end of an error differently.
    private struct Finding: Hashable {
        let rule: Rule
        let line: Int
        let column: Int
        let type: String
        let message: String
    }

    /// - Parameters:
    ///   - said: diagnostics, with the place of who said each among the interpreters.
    ///   - interpreters: all that were asked.
    /// - Returns: each finding once, with the names of those that have it; none where all have.
    package static func of(
        _ said: [(Diagnostic, Int)], by interpreters: [Interpreter]
    ) -> [(diagnostic: Diagnostic, interpreters: [String])] {
        var found: [Finding: (diagnostic: Diagnostic, interpreters: [Int])] = [:]
        var order: [Finding] = []
        for (diagnostic, place) in said {
            let finding = Finding(
                rule: diagnostic.rule, line: diagnostic.line, column: diagnostic.column, type: diagnostic.type,
                message: diagnostic.message)
            if found[finding] == nil { order.append(finding) }
            // Several levels of one interpreter say the same.
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
