// Splits a command line into options and operands, in any order.

import BasicTypes

/// A mistake in a command line, in one line.
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

    /// Without the first `count` bytes.
    fileprivate func dropFirst(_ count: Int) -> Argument {
        Argument(BytePath.empty.appending(path.bytes.dropFirst(count)))
    }
}

/// The options and operands of a command line.
struct ParsedArguments {
    private var values: [String: [Argument]] = [:]
    private(set) var operands: [BytePath] = []

    /// - Parameter verb: the name that error messages show.
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
            try parseOption(argument, &rest, options, verb)
        }
    }

    private mutating func parseOption(
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
            options.contains(where: { $0.value != .none && $0.names.contains(String(name.prefix(2))) })
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
        guard let metavariable = option.value.metavariable else {
            if attached != nil { throw UsageError(message: "option '\(name)' takes no value") }
            values[option.name, default: []].append(argument)
            return
        }
        guard let value = attached ?? rest.popFirst() else {
            throw UsageError(message: "option '\(name)' needs a value: \(name) \(metavariable)")
        }
        if case .path = option.value, value.text.isEmpty {
            throw UsageError(message: "option '\(name)' needs a path, not an empty string")
        }
        try option.check(value.text)
        values[option.name, default: []].append(value)
    }

    /// Fills in settings for options that the command line does not give. Settings without an option here are ignored.
    mutating func fill(_ settings: Settings, options: [OptionSpecification]) {
        for (key, entry) in settings.entries where values[key.option] == nil && !entry.words.isEmpty {
            guard let option = options.first(where: { $0.name == key.option }) else { continue }
            // A format that only some verbs have does not concern the others.
            if key == .format, case .choice(_, of: let words) = option.value, !entry.words.allSatisfy(words.contains) {
                continue
            }
            values[key.option] = entry.words.map { Argument(BytePath($0)) }
        }
    }

    /// With other values of an option.
    func replacing(_ values: [Argument], for name: String) -> ParsedArguments {
        var copy = self
        copy.values[name] = values
        return copy
    }

    /// With the options and operands of another command line, where this one has none.
    func completed(by other: ParsedArguments) -> ParsedArguments {
        var copy = self
        copy.values = other.values.merging(values) { $1 }
        if operands.isEmpty { copy.operands = other.operands }
        return copy
    }

    /// The same options, with other operands.
    func mappingOperands(_ transform: (BytePath) -> BytePath) -> ParsedArguments {
        var copy = self
        copy.operands = operands.map(transform)
        return copy
    }

    /// The same with other operands.
    func withOperands(_ operands: [BytePath]) -> ParsedArguments {
        var copy = self
        copy.operands = operands
        return copy
    }

    /// Replaces a value of an option.
    mutating func replace(_ old: String, by new: String, in name: String) {
        values[name] = values[name]?.map { $0.text == old ? Argument(BytePath(new)) : $0 }
    }

    /// The same options, and no operands.
    var withoutOperands: ParsedArguments {
        var copy = self
        copy.operands = []
        return copy
    }

    /// - Parameter maximum: the maximum number of paths that the verb takes: 0 or 1.
    func requireOperands(atMost maximum: Int, for verb: VerbDeclaration) throws(UsageError) {
        guard operands.count > maximum else { return }
        let number = maximum == 0 ? "no path" : "one path"
        throw UsageError(message: "\(verb.name) takes \(number); see `freshpyc \(verb.name) --help`")
    }

    func has(_ name: String) -> Bool { values[name] != nil }
    func all(_ name: String) -> [String] { (values[name] ?? []).map(\.text) }
    /// With their exact bytes.
    func paths(_ name: String) -> [BytePath] { (values[name] ?? []).map(\.path) }
    /// The last one counts.
    func last(_ name: String) -> String? { values[name]?.last?.text }
    /// The last one counts; with its exact bytes.
    func lastPath(_ name: String) -> BytePath? { values[name]?.last?.path }

    /// The chosen word as a case of an enumeration. The declaration of the option lists the same words.
    func choice<Choice: RawRepresentable<String>>(_ name: String, _: Choice.Type = Choice.self) -> Choice? {
        last(name).flatMap { Choice(rawValue: $0) }
    }

    /// A whole number from 1 to 1024.
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
