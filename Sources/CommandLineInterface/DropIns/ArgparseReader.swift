// Reads a command line exactly as Python's argparse does: its order, abbreviations, combined flags and error messages.

import BasicTypes

/// The options of one of Python's tools, in the order in which it declares them.
protocol ArgparseOption: CaseIterable {
    /// Short names first.
    var names: [String] { get }
    var takesValue: Bool { get }
}

extension ArgparseOption {
    /// Its name in error messages.
    var label: String { "argument \(names.joined(separator: "/"))" }
}

/// Reads words from left to right and acts on each option as it is read: options before a mistake take effect.
struct ArgparseReader<Option: ArgparseOption> {
    /// How argparse interprets a word that begins with a dash.
    private struct Match {
        /// `nil` for an unknown option.
        let option: Option?
        let name: String
        /// Whether its value follows an equals sign.
        var hasSeparator = false
        /// The rest of the word: a value, or more flags.
        var attached: BytePath?
    }

    private let words: [Argument]
    private var matches: [Int: Match] = [:]
    /// The kind of each word: `O` for an option, `-` for the first `--`, `A` for anything else.
    private var pattern: [Character] = []
    /// The name of the operands in messages, if at least one is required.
    private let required: String?
    private var hasOperands = false
    private var operands: [BytePath] = []
    private var extras: [BytePath] = []

    /// Reads all words.
    ///
    /// - Parameters:
    ///   - required: the name of the operands in messages, if at least one is required.
    ///   - take: handles an option; returns `false` to stop reading, as for `--help`.
    /// - Returns: the operands; `nil` if `take` stopped reading.
    static func read(
        _ words: [Argument], required: String? = nil, take: (Option, BytePath?) throws(UsageError) -> Bool
    ) throws(UsageError) -> [BytePath]? {
        var reader = try ArgparseReader(words, required: required)
        guard try reader.readAll(take) else { return nil }
        return reader.operands
    }

    private init(_ words: [Argument], required: String?) throws(UsageError) {
        self.words = words
        self.required = required
        for (index, word) in words.enumerated() {
            if pattern.contains("-") {
                pattern.append("A")
            } else if word.text == "--" {
                pattern.append("-")
            } else if let match = try Self.match(word) {
                matches[index] = match
                pattern.append("O")
            } else {
                pattern.append("A")
            }
        }
    }

    // MARK: Words

    /// - Returns: `nil` if the word is an operand.
    private static func match(_ word: Argument) throws(UsageError) -> Match? {
        let text = word.text
        guard text.hasPrefix("-"), text.utf8.count > 1 else { return nil }
        if let option = option(named: text) { return Match(option: option, name: text) }
        let (name, value) = parted(word)
        if let value, let option = option(named: name) {
            return Match(option: option, name: name, hasSeparator: true, attached: value)
        }
        let possible = text.hasPrefix("--") ? abbreviated(name, value) : [clustered(word)].compactMap { $0 }
        if possible.count > 1 {
            let names = possible.map(\.name).joined(separator: ", ")
            throw UsageError(message: "ambiguous option: \(PythonText.shown(word.path)) could match \(names)")
        }
        if let match = possible.first { return match }
        if isNegativeNumber(text) || text.contains(" ") { return nil }
        return Match(option: nil, name: text)
    }

    private static func option(named name: String) -> Option? { Option.allCases.first { $0.names.contains(name) } }

    private static func parted(_ word: Argument) -> (name: String, value: BytePath?) {
        guard let equals = word.path.bytes.firstIndex(of: UInt8(ascii: "=")) else { return (word.text, nil) }
        let bytes = word.path.bytes
        return (String(decoding: bytes[..<equals], as: UTF8.self), BytePath(bytes[(equals + 1)...]))
    }

    private static func abbreviated(_ prefix: String, _ value: BytePath?) -> [Match] {
        Option.allCases.flatMap { option in
            option.names.filter { $0.hasPrefix(prefix) }.map {
                Match(option: option, name: $0, hasSeparator: value != nil, attached: value)
            }
        }
    }

    /// `-j4`, `-lq`
    private static func clustered(_ word: Argument) -> Match? {
        let name = String(decoding: word.path.bytes.prefix(2), as: UTF8.self)
        return option(named: name).map {
            Match(option: $0, name: name, attached: BytePath(word.path.bytes.dropFirst(2)))
        }
    }

    private static func isNegativeNumber(_ text: String) -> Bool {
        let parts = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
        func areDigits(_ part: Substring) -> Bool { part.unicodeScalars.allSatisfy { ("0"..."9").contains($0) } }
        return (1...2).contains(parts.count) && parts.allSatisfy(areDigits) && parts.last?.isEmpty == false
    }

    // MARK: Reading

    private mutating func readAll(_ take: (Option, BytePath?) throws(UsageError) -> Bool) throws(UsageError) -> Bool {
        var place = 0
        let last = matches.keys.max() ?? -1
        while place <= last {
            let next = pattern[place...].firstIndex(of: "O") ?? place
            if place != next {
                let end = takeOperands(from: place)
                if end > place {
                    place = end
                    continue
                }
                extras += words[place..<next].map(\.path)
                place = next
            }
            guard let end = try takeOption(at: place, take) else { return false }
            place = end
        }
        place = takeOperands(from: place)
        extras += words[place...].map(\.path)
        if let required, !hasOperands {
            throw UsageError(message: "the following arguments are required: \(required)")
        }
        if !extras.isEmpty {
            let texts = extras.map { PythonText.shown($0) }.joined(separator: " ")
            throw UsageError(message: "unrecognized arguments: \(texts)")
        }
        return true
    }

    /// Takes the first row of operands. As in argparse, operands after a later option are not recognized.
    private mutating func takeOperands(from place: Int) -> Int {
        guard !hasOperands else { return place }
        let end = pattern[place...].firstIndex(of: "O") ?? pattern.endIndex
        if required != nil, !pattern[place..<end].contains("A") { return place }
        hasOperands = true
        var taken = words[place..<end].map(\.path)
        if let dashes = taken.firstIndex(of: BytePath("--")) { taken.remove(at: dashes) }
        operands = taken
        return end
    }

    /// - Returns: the place after the option and its value; `nil` if `take` stopped reading.
    private mutating func takeOption(
        at place: Int, _ take: (Option, BytePath?) throws(UsageError) -> Bool
    ) throws(UsageError) -> Int? {
        guard var match = matches[place], var option = match.option else {
            extras.append(words[place].path)
            return place + 1
        }
        var actions: [(Option, BytePath?)] = []
        var end = place + 1
        while true {
            guard let attached = match.attached else {
                if option.takesValue {
                    guard pattern.indices.contains(place + 1), pattern[place + 1] == "A" else {
                        throw UsageError(message: "\(option.label): expected one argument")
                    }
                    end = place + 2
                }
                actions.append((option, option.takesValue ? words[place + 1].path : nil))
                break
            }
            if option.takesValue {
                actions.append((option, attached))
                break
            }
            guard !match.name.hasPrefix("--"), let first = attached.bytes.first, !match.hasSeparator,
                first != UInt8(ascii: "-")
            else {
                throw UsageError(message: "\(option.label): ignored explicit argument \(PythonText.repr(attached))")
            }
            // More flags in the same word.
            actions.append((option, nil))
            guard let (letter, rest) = Self.firstCharacter(attached), let following = Self.option(named: "-\(letter)")
            else {
                extras.append(BytePath(Array("-".utf8) + attached.bytes) ?? attached)
                break
            }
            option = following
            let isSeparated = rest.bytes.first == UInt8(ascii: "=")
            match = Match(
                option: option, name: "-\(letter)", hasSeparator: isSeparated,
                attached: rest.isEmpty ? nil : isSeparated ? BytePath(rest.bytes.dropFirst()) : rest)
        }
        for (option, value) in actions where try !take(option, value) { return nil }
        return end
    }

    private static func firstCharacter(_ text: BytePath) -> (Character, BytePath)? {
        guard let byte = text.bytes.first, byte < 0x80, let rest = BytePath(text.bytes.dropFirst()) else { return nil }
        return (Character(Unicode.Scalar(byte)), rest)
    }
}
