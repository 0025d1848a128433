// Command lines: options with and without values, anywhere among the operands.
// Knows: syntax. Does not know: verbs, or what a value means.

import BasicTypes

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

/// One word of a command line: its exact bytes, which may name a file, and its text.
struct Argument: Sendable {
    let path: BytePath
    let text: String

    init(_ path: BytePath) {
        self.path = path
        text = String(decoding: path.bytes, as: UTF8.self)
    }

    /// What follows the first `count` bytes.
    fileprivate func dropFirst(_ count: Int) -> Argument {
        Argument(BytePath.empty.appending(path.bytes.dropFirst(count)))
    }
}

/// A command line, taken apart.
struct ParsedArguments {
    private var values: [String: [Argument]] = [:]
    private(set) var operands: [BytePath] = []

    /// - Parameter verb: for the messages.
    init(_ arguments: [Argument], options: [OptionSpecification], verb: String) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument.text == "--" {
                operands += rest.map(\.path)
                break
            }
            guard argument.text.hasPrefix("-"), argument.text != "-" else {
                operands.append(argument.path)
                continue
            }
            try take(argument, &rest, options, verb)
        }
    }

    private mutating func take(
        _ argument: Argument, _ rest: inout ArraySlice<Argument>, _ options: [OptionSpecification], _ verb: String
    ) throws(UsageError) {
        var name = argument.text
        var attached: Argument?
        if name.hasPrefix("--") {
            if let equals = argument.path.bytes.firstIndex(of: UInt8(ascii: "=")) {
                attached = argument.dropFirst(equals - argument.path.bytes.startIndex + 1)
                name = String(name.prefix { $0 != "=" })
            }
        } else if name.count > 2,
            options.contains(where: { $0.value != nil && $0.names.contains(String(name.prefix(2))) })
        {
            // `-O2`
            attached = argument.dropFirst(2)
            name = String(name.prefix(2))
        }
        guard let option = options.first(where: { $0.names.contains(name) }) else {
            let known = options.flatMap(\.names)
            let hint = Suggestion.nearest(to: name, among: known).map { "; did you mean '\($0)'?" }
            throw UsageError(
                message: "unknown option '\(name)' for \(verb)" + (hint ?? "; see `freshpyc \(verb) --help`"))
        }
        guard let placeholder = option.value else {
            if attached != nil { throw UsageError(message: "option '\(name)' takes no value") }
            values[option.name, default: []].append(argument)
            return
        }
        guard let value = attached ?? rest.popFirst() else {
            throw UsageError(message: "option '\(name)' needs a value: \(name) \(placeholder)")
        }
        values[option.name, default: []].append(value)
    }

    /// Puts settings where the command line says nothing; those that the verb has no option for do not concern it.
    mutating func fill(_ settings: Settings, options: [OptionSpecification]) {
        for (key, entry) in settings.entries where values[key.option] == nil && !entry.words.isEmpty {
            guard options.contains(where: { $0.name == key.option }) else { continue }
            values[key.option] = entry.words.map { Argument(BytePath($0)) }
        }
    }

    /// The same options, and no operands.
    var withoutOperands: ParsedArguments {
        var copy = self
        copy.operands = []
        return copy
    }

    func has(_ name: String) -> Bool { values[name] != nil }
    func all(_ name: String) -> [String] { (values[name] ?? []).map(\.text) }
    /// With their exact bytes.
    func paths(_ name: String) -> [BytePath] { (values[name] ?? []).map(\.path) }
    /// The last one counts.
    func last(_ name: String) -> String? { values[name]?.last?.text }
    /// The last one counts; with its exact bytes.
    func lastPath(_ name: String) -> BytePath? { values[name]?.last?.path }

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
