// Command lines: options with and without values, anywhere among the operands.
// Knows: syntax. Does not know: verbs, or what a value means.

/// One option that a verb takes.
struct OptionSpecification: Sendable {
    /// As typed: `--python`, `-q`. The first is the one that is shown.
    let names: [String]
    /// What stands for the value in the help; `nil` for a flag.
    let value: String?
    let help: String

    init(_ names: String..., value: String? = nil, help: String) {
        self.names = names
        self.value = value
        self.help = help
    }

    var name: String { names[0] }
}

/// What is wrong with a command line.
struct UsageError: Error {
    let message: String
}

/// A command line, taken apart.
struct ParsedArguments {
    private var values: [String: [String]] = [:]
    private(set) var operands: [String] = []

    /// - Parameter verb: for the messages.
    init(_ arguments: [String], options: [OptionSpecification], verb: String) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                operands += rest
                break
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                operands.append(argument)
                continue
            }
            try take(argument, &rest, options, verb)
        }
    }

    private mutating func take(
        _ argument: String, _ rest: inout ArraySlice<String>, _ options: [OptionSpecification], _ verb: String
    ) throws(UsageError) {
        var name = argument
        var attached: String?
        if argument.hasPrefix("--") {
            if let equals = argument.firstIndex(of: "=") {
                name = String(argument[..<equals])
                attached = String(argument[argument.index(after: equals)...])
            }
        } else if argument.count > 2,
            options.contains(where: { $0.value != nil && $0.names.contains(String(argument.prefix(2))) })
        {
            // `-O2`
            name = String(argument.prefix(2))
            attached = String(argument.dropFirst(2))
        }
        guard let option = options.first(where: { $0.names.contains(name) }) else {
            let known = options.flatMap(\.names)
            let hint = Suggestion.nearest(to: name, among: known).map { "; did you mean '\($0)'?" }
            throw UsageError(
                message: "unknown option '\(name)' for \(verb)" + (hint ?? "; see `freshpyc \(verb) --help`"))
        }
        guard option.value != nil else {
            if attached != nil { throw UsageError(message: "option '\(name)' takes no value") }
            values[option.name, default: []].append("")
            return
        }
        guard let value = attached ?? rest.popFirst() else {
            throw UsageError(message: "option '\(name)' needs a value: \(name) \(option.value ?? "")")
        }
        values[option.name, default: []].append(value)
    }

    func has(_ name: String) -> Bool { values[name] != nil }
    func all(_ name: String) -> [String] { values[name] ?? [] }
    /// The last one counts.
    func last(_ name: String) -> String? { values[name]?.last }

    /// One of some words.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _: Choice.Type = Choice.self
    ) throws(UsageError) -> Choice? {
        guard let word = last(name) else { return nil }
        guard let choice = Choice(rawValue: word) else {
            let words = Choice.allCases.map(\.rawValue)
            let hint = Suggestion.nearest(to: word, among: words).map { "; did you mean '\($0)'?" } ?? ""
            throw UsageError(message: "'\(word)' is not one of \(words.joined(separator: ", ")) (\(name))\(hint)")
        }
        return choice
    }

    /// A whole number from 1.
    func count(_ name: String) throws(UsageError) -> Int? {
        guard let word = last(name) else { return nil }
        guard let number = Int(word), number > 0, number <= 1024 else {
            throw UsageError(message: "'\(word)' is not a number from 1 to 1024 (\(name))")
        }
        return number
    }

    /// Seconds, in nanoseconds.
    func seconds(_ name: String) throws(UsageError) -> Int64? {
        guard let word = last(name) else { return nil }
        guard let number = Double(word), number > 0, number <= 86_400 else {
            throw UsageError(message: "'\(word)' is not a number of seconds above 0 and up to 86400 (\(name))")
        }
        return Int64(number * 1_000_000_000)
    }
}

/// The word that was probably meant.
enum Suggestion {
    /// The nearest by edits, if it is near enough to be more than chance.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let word = Array(word.utf8)
        let ranked = candidates.map { (candidate: $0, distance: distance(word, Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, min(word.count, best.candidate.utf8.count) / 3) ? best.candidate : nil
    }

    /// Insertions, deletions, replacements, and swaps of neighbours (optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var rows = [[Int]](repeating: [Int](repeating: 0, count: right.count + 1), count: left.count + 1)
        for i in 0...left.count { rows[i][0] = i }
        for j in 0...right.count { rows[0][j] = j }
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        for i in 1...left.count {
            for j in 1...right.count {
                let cost = left[i - 1] == right[j - 1] ? 0 : 1
                rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
                }
            }
        }
        return rows[left.count][right.count]
    }
}
