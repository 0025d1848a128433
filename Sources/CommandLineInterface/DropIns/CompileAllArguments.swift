// The command line of CPython's compileall.
// Knows: its options (Lib/compileall.py of 3.13), and how argparse reads words. Does not know: what they do.

import BuildModel

/// What was asked of compileall.
struct CompileAllArguments {
    /// `-r`, else 0 for `-l`; `nil` for all levels.
    var maximumLevels: Int?
    var isForced = false
    /// How often `-q` was given.
    var quiet = 0
    var isLegacy = false
    var destination: BytePath?
    var strip: BytePath?
    var prepend: BytePath?
    var expression: BytePath?
    var list: BytePath?
    /// `nil` for as many as there are processors, which `-j 0` means too.
    var workers: Int?
    var invalidation: InvalidationMode?
    /// Ascending, each once; -1 stands for the interpreter's own.
    var levels: [Int] = [-1]
    var linkLimit: BytePath?
    var linksDuplicates = false
    var operands: [BytePath] = []
    var wantsHelp = false

    private static let long = ["--help", "--workers", "--invalidation-mode", "--hardlink-dupes"]
    private static let valued: Set<Character> = ["r", "d", "s", "p", "x", "i", "j", "o", "e"]

    init(_ words: [Argument]) throws(UsageError) {
        var rest = words[...]
        var levels: [Int] = []
        var recursion: Int?
        while let word = rest.popFirst() {
            if word.text == "--" {
                operands += rest.map(\.path)
                break
            }
            if word.text.hasPrefix("--") {
                try takeLong(word, &rest)
            } else if word.text.hasPrefix("-"), word.text.count > 1 {
                try takeShort(word, &rest, &levels, &recursion)
            } else {
                operands.append(word.path)
            }
        }
        if let recursion { maximumLevels = recursion }
        if !levels.isEmpty { self.levels = Set(levels).sorted() }
        if levels.count <= 1, linksDuplicates {
            throw UsageError(
                message: "Hardlinking of duplicated bytecode makes sense only for more than one optimization level.")
        }
        if destination != nil, strip != nil || prepend != nil {
            throw UsageError(message: "-d cannot be used in combination with -s or -p")
        }
        if let odd = self.levels.first(where: { !(-1...2).contains($0) }) {
            throw UsageError(message: "argument -o: \(odd) is no optimization level; use 0, 1 or 2")
        }
        if linkLimit?.isEmpty == true { linkLimit = nil }
    }

    /// A long option may be cut short while only one begins so.
    private mutating func takeLong(_ word: Argument, _ rest: inout ArraySlice<Argument>) throws(UsageError) {
        let name = String(word.text.prefix { $0 != "=" })
        let matching = Self.long.filter { $0 == name || $0.hasPrefix(name) }
        guard matching.count == 1, let option = matching.first else {
            throw UsageError(
                message: matching.isEmpty
                    ? "unrecognized arguments: \(word.text)"
                    : "ambiguous option: \(name) could match \(matching.joined(separator: ", "))")
        }
        let equals = word.path.bytes.firstIndex(of: UInt8(ascii: "="))
        let attached = equals.map { BytePath.empty.appending(word.path.bytes[($0 + 1)...]) }
        switch option {
        case "--help": wantsHelp = true
        case "--hardlink-dupes": linksDuplicates = true
        case "--workers": workers = try count(try value(attached, &rest, "-j/--workers"), "-j/--workers")
        default:
            let text = try value(attached, &rest, option).description
            guard let mode = InvalidationMode(rawValue: text) else {
                throw UsageError(
                    message:
                        "argument --invalidation-mode: invalid choice: '\(text)' (choose from checked-hash, timestamp, unchecked-hash)"
                )
            }
            invalidation = mode
        }
    }

    /// `-lq` is two flags, and `-j4` an option with its value.
    private mutating func takeShort(
        _ word: Argument, _ rest: inout ArraySlice<Argument>, _ levels: inout [Int], _ recursion: inout Int?
    ) throws(UsageError) {
        var bytes = word.path.bytes.dropFirst()
        while let byte = bytes.popFirst() {
            let letter = Character(Unicode.Scalar(byte))
            guard Self.valued.contains(letter) else {
                try takeFlag(letter, word)
                continue
            }
            let attached = bytes.isEmpty ? nil : BytePath.empty.appending(bytes)
            let value = try value(attached, &rest, "-\(letter)")
            switch letter {
            case "r": recursion = try integer(value, "-r")
            case "d": destination = value
            case "s": strip = value
            case "p": prepend = value
            case "x": expression = value
            case "i": list = value
            case "j": workers = try count(value, "-j/--workers")
            case "o": levels.append(try integer(value, "-o"))
            default: linkLimit = value
            }
            return
        }
    }

    private mutating func takeFlag(_ letter: Character, _ word: Argument) throws(UsageError) {
        switch letter {
        case "l": maximumLevels = 0
        case "f": isForced = true
        case "q": quiet += 1
        case "b": isLegacy = true
        case "h": wantsHelp = true
        default: throw UsageError(message: "unrecognized arguments: \(word.text)")
        }
    }

    private func value(
        _ attached: BytePath?, _ rest: inout ArraySlice<Argument>, _ option: String
    ) throws(UsageError) -> BytePath {
        if let attached { return attached }
        // `-o -1` is a value: no option looks like a number.
        guard let next = rest.first,
            !next.text.hasPrefix("-") || next.text == "-" || PythonText.integer(next.text) != nil
        else {
            throw UsageError(message: "argument \(option): expected one argument")
        }
        rest.removeFirst()
        return next.path
    }

    private func integer(_ value: BytePath, _ option: String) throws(UsageError) -> Int {
        guard let number = PythonText.integer(value.description) else {
            throw UsageError(message: "argument \(option): invalid int value: \(PythonText.repr(value))")
        }
        return number
    }

    private func count(_ value: BytePath, _ option: String) throws(UsageError) -> Int? {
        let number = try integer(value, option)
        guard number >= 0 else { throw UsageError(message: "workers must be greater or equal to 0") }
        return number == 0 ? nil : min(number, 1024)
    }
}
