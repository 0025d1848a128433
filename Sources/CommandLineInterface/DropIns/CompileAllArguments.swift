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

    /// Why a run cannot begin.
    enum Failure: Error {
        /// What argparse finds: exit status 2.
        case usage(String)
        /// What Python's module ends on with a traceback: exit status 1.
        case value(String)
    }

    /// How the mode comes about where none was named.
    var effectiveInvalidation: InvalidationMode { invalidation ?? DropIn.standardInvalidation }

    /// As argparse does, words that nobody knows are gathered, and told of at the end; a help that was asked for comes
    /// before.
    init(_ words: [Argument]) throws(Failure) {
        var rest = words[...]
        var unknown: [String] = []
        var levels: [Int] = []
        var recursion: Int?
        while let word = rest.popFirst() {
            if word.text == "--" {
                operands += rest.map(\.path)
                break
            }
            if word.text.hasPrefix("--") {
                if try !takeLong(word, &rest) { unknown.append(word.text) }
            } else if word.text.hasPrefix("-"), word.text.count > 1, PythonText.integer(word.text) == nil {
                if try !takeShort(word, &rest, &levels, &recursion) { unknown.append(word.text) }
            } else {
                operands.append(word.path)
            }
            if wantsHelp { return }
        }
        if !unknown.isEmpty { throw .usage("unrecognized arguments: \(unknown.joined(separator: " "))") }
        if let recursion { maximumLevels = recursion }
        if !levels.isEmpty { self.levels = Set(levels).sorted() }
        if levels.count <= 1, linksDuplicates {
            throw .usage("Hardlinking of duplicated bytecode makes sense only for more than one optimization level.")
        }
        if destination != nil, strip != nil || prepend != nil {
            throw .usage("-d cannot be used in combination with -s or -p")
        }
        if self.levels.count <= 1, linksDuplicates {
            throw .value("Hardlinking of duplicated bytecode makes sense only for more than one optimization level")
        }
        if let workers, workers < 0 { throw .value("workers must be greater or equal to 0") }
        if linkLimit?.isEmpty == true { linkLimit = nil }
    }

    /// A long option may be cut short while only one begins so.
    ///
    /// - Returns: `false` for one that nobody knows.
    private mutating func takeLong(_ word: Argument, _ rest: inout ArraySlice<Argument>) throws(Failure) -> Bool {
        let name = String(word.text.prefix { $0 != "=" })
        let exact = Self.long.filter { $0 == name }
        let matching = exact.isEmpty ? Self.long.filter { $0.hasPrefix(name) } : exact
        if matching.count > 1 {
            throw .usage("ambiguous option: \(name) could match \(matching.joined(separator: ", "))")
        }
        guard let option = matching.first else { return false }
        let equals = word.path.bytes.firstIndex(of: UInt8(ascii: "="))
        let attached = equals.map { BytePath.empty.appending(word.path.bytes[($0 + 1)...]) }
        switch option {
        case "--help", "--hardlink-dupes":
            if let attached {
                let shown = option == "--help" ? "-h/--help" : option
                throw .usage("argument \(shown): ignored explicit argument \(PythonText.repr(attached))")
            }
            if option == "--help" { wantsHelp = true } else { linksDuplicates = true }
        case "--workers": workers = try count(try value(attached, &rest, "-j/--workers"), "-j/--workers")
        default:
            let text = try value(attached, &rest, option)
            guard let mode = InvalidationMode(rawValue: text.description) else {
                throw .usage(
                    "argument --invalidation-mode: invalid choice: \(PythonText.repr(text)) (choose from 'checked-hash', 'timestamp', 'unchecked-hash')"
                )
            }
            invalidation = mode
        }
        return true
    }

    /// `-lq` is two flags, and `-j4` an option with its value.
    ///
    /// - Returns: `false` where a letter is one that nobody knows.
    private mutating func takeShort(
        _ word: Argument, _ rest: inout ArraySlice<Argument>, _ levels: inout [Int], _ recursion: inout Int?
    ) throws(Failure) -> Bool {
        var bytes = word.path.bytes.dropFirst()
        while let byte = bytes.popFirst() {
            let letter = Character(Unicode.Scalar(byte))
            guard Self.valued.contains(letter) else {
                guard takeFlag(letter) else { return false }
                if wantsHelp { return true }
                continue
            }
            let attached = bytes.isEmpty ? nil : BytePath.empty.appending(bytes)
            let value = try value(attached, &rest, letter == "j" ? "-j/--workers" : "-\(letter)")
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
            return true
        }
        return true
    }

    private mutating func takeFlag(_ letter: Character) -> Bool {
        switch letter {
        case "l": maximumLevels = 0
        case "f": isForced = true
        case "q": quiet += 1
        case "b": isLegacy = true
        case "h": wantsHelp = true
        default: return false
        }
        return true
    }

    private func value(
        _ attached: BytePath?, _ rest: inout ArraySlice<Argument>, _ option: String
    ) throws(Failure) -> BytePath {
        if let attached { return attached }
        // `-o -1` is a value: no option looks like a number.
        guard let next = rest.first,
            !next.text.hasPrefix("-") || next.text == "-" || PythonText.integer(next.text) != nil
        else {
            throw .usage("argument \(option): expected one argument")
        }
        rest.removeFirst()
        return next.path
    }

    private func integer(_ value: BytePath, _ option: String) throws(Failure) -> Int {
        guard let number = PythonText.integer(value.description) else {
            throw .usage("argument \(option): invalid int value: \(PythonText.repr(value))")
        }
        return number
    }

    private func count(_ value: BytePath, _ option: String) throws(Failure) -> Int? {
        let number = try integer(value, option)
        return number == 0 ? nil : min(number, 1024)
    }
}
