// The options that a daemon's answer must be for.

import Waves

extension SessionArguments {
    /// The values of all options that the verb has, so that the answer is the same with and without a daemon.
    func requiredOptions(_ verb: VerbDeclaration) throws(SessionError) -> AnswerOptions {
        let names = Set(verb.options.map(\.name))
        return try AnswerOptions(configuration).keeping(Self.keys { names.contains($0) })
    }

    /// The values of the options on the command line; the daemon may have any values for the others. `nil` if there are
    /// none.
    ///
    /// For verbs that only a daemon can answer. Their `--timeout` is not the time limit of a compilation.
    func namedOptions(_ commandLine: ParsedArguments) throws(SessionError) -> AnswerOptions? {
        let keys = Self.keys { commandLine.has($0) && $0 != SettingKey.timeout.option }
        return keys.isEmpty ? nil : try AnswerOptions(configuration).keeping(keys)
    }

    private static func keys(_ isWanted: (String) -> Bool) -> Set<AnswerOptions.Key> {
        Set(
            AnswerOptions.Key.allCases.filter { key in
                // What the user declared about dependencies matters to verbs that look at imports.
                if key == .affects { return isWanted(OptionSpecification.sourceRoot.name) }
                return SettingKey(rawValue: key.rawValue).map { isWanted($0.option) } ?? false
            })
    }
}
