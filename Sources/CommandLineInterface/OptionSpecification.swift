// The declaration of one option. Parsing and `--help` are generated from it, so neither knows any option by name.

import BasicTypes

/// One option of a verb.
struct OptionSpecification: Sendable {
    /// The value of an option, with its placeholder in the help (`DIR`).
    enum Value: Sendable, Equatable {
        /// A flag takes no value.
        case none
        case text(String)
        /// A file or directory; its bytes are kept.
        case path(String)
        case choice(String, of: [String])
        /// A whole number from 1 to 1024.
        case count(String)
        /// Seconds above 0, with or without a fraction.
        case seconds(String)

        static func choice<Choice: RawRepresentable<String> & CaseIterable>(
            _ metavariable: String, _: Choice.Type
        ) -> Value {
            .choice(metavariable, of: Choice.allCases.map(\.rawValue))
        }

        /// `nil` for a flag.
        var metavariable: String? {
            switch self {
            case .none: nil
            case .text(let name), .path(let name), .choice(let name, of: _), .count(let name), .seconds(let name): name
            }
        }
    }

    /// As typed: `--python`, `-q`. The first is the one that messages show.
    let names: [String]
    let value: Value
    let help: String

    init(_ names: String..., value: Value = .none, help: String) {
        self.names = names
        self.value = value
        self.help = help
    }

    var name: String { names[0] }

    /// Checks a value given on the command line.
    func check(_ word: String) throws(UsageError) {
        guard case .choice(_, of: let words) = value, !words.contains(word) else { return }
        let hint = Suggestion.nearest(to: word, among: words).map { "; did you mean '\($0)'?" } ?? ""
        throw UsageError(message: "'\(word)' is not one of \(words.joined(separator: ", ")) (\(name))\(hint)")
    }
}
