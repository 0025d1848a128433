// What the text of one source may name besides its imports: modules and files in strings, as plugins, settings, commands
// and computed imports name them.
//
// Knows no tree: `MentionedModules` decides which of these names are modules.

import BasicTypes
import ImportGraph

/// Names and paths in the strings of a source.
struct SourceMentions: Hashable, Sendable {
    struct Traits: OptionSet, Hashable, Sendable {
        let rawValue: UInt8
        /// It chooses Django's settings: the modules that it names affect all tests.
        static let choosesSettings = Traits(rawValue: 1 << 0)
        /// Any of its strings may be a module: it lists pytest plugins, or runs modules (`"-m", "shop"`).
        static let namesModules = Traits(rawValue: 1 << 1)
        /// It imports submodules on demand, or lists them for `import *`.
        static let namesSubmodules = Traits(rawValue: 1 << 2)
        /// It changes `sys.path`.
        static let extendsPath = Traits(rawValue: 1 << 3)
        static let hasDoctests = Traits(rawValue: 1 << 4)
        /// It imports modules whose names it computes.
        static let computesImports = Traits(rawValue: 1 << 5)
        /// It replaces objects by their dotted names (`mock.patch`), which imports their modules.
        static let patches = Traits(rawValue: 1 << 6)
        /// It is a conftest.py that makes tests of files of any kind.
        static let collectsFiles = Traits(rawValue: 1 << 7)
    }

    /// Names with dots: `shop.cart`, `shop.cart:main`. One that ends with a dot is the beginning of a computed name; one that
    /// begins with dots is relative to the package of the source.
    private(set) var dotted: Set<[UInt8]> = []
    /// Names without dots, if they mean anything in this source.
    private(set) var words: Set<[UInt8]> = []
    /// Modules that a command runs: `-m shop.cli`.
    private(set) var programs: Set<[UInt8]> = []
    /// Paths of sources: `tools/run.py`.
    private(set) var paths: Set<[UInt8]> = []
    private(set) var traits: Traits = []

    /// More than any test writes into a string. A limit keeps the time proportional to the size of the source.
    private static let longestCode = 1 << 16

    /// - Parameter isOfModules: whether any of its strings may be a module, whatever the source says.
    init(_ source: [UInt8], isOfModules: Bool = false) {
        if isOfModules { traits.insert(.namesModules) }
        var words: [Range<Int>] = []
        source.withUnsafeBytes { scan($0, &words) }
        // Other programs compare names with such a beginning, and import nothing.
        if traits.isDisjoint(with: [.computesImports, .patches]) {
            dotted = dotted.filter { $0.last != UInt8(ascii: ".") }
        }
        if !traits.isDisjoint(with: [.choosesSettings, .namesModules, .namesSubmodules]) {
            self.words.formUnion(words.map { Array(source[$0]) })
        }
    }

    /// Words in a source that tell what its strings mean.
    private static let marks: [(text: StaticString, trait: Traits)] = [
        ("pytest_plugins", .namesModules), ("pytest_collect_file", .collectsFiles), ("patch", .patches),
        ("__all__", .namesSubmodules),
        ("__getattr__", .namesSubmodules),
        // A module that replaces itself by one that imports on demand.
        ("sys.modules[", .namesSubmodules), ("sys.path.", .extendsPath), (">>> ", .hasDoctests),
    ]
    private static let calls: [StaticString] = ["import_module(", "__import__("]

    /// Whether a mark or a call can begin with these two bytes. Most of the time of a scan goes here.
    @inline(__always)
    private static func mayBeginMark(_ first: UInt8, _ second: UInt8) -> Bool {
        switch first {
        case UInt8(ascii: "p"): second == UInt8(ascii: "y") || second == UInt8(ascii: "a")
        case UInt8(ascii: "_"): second == UInt8(ascii: "_")
        case UInt8(ascii: "s"): second == UInt8(ascii: "y")
        case UInt8(ascii: "i"): second == UInt8(ascii: "m")
        case UInt8(ascii: ">"): second == UInt8(ascii: ">")
        default: false
        }
    }

    private mutating func scan(_ source: UnsafeRawBufferPointer, _ words: inout [Range<Int>]) {
        var index = 0
        while index < source.count {
            switch source[index] {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                string(source, quotedBy: source[index], at: &index, &words)
            case UInt8(ascii: "-") where Self.has("-m ", source, at: index):
                // A command in a longer string: `python -m shop.cli --all`.
                let start = index + 3
                let end = Self.end(ofName: source, from: start)
                if start < end { programs.insert(Array(source[start..<end])) }
                index = max(end, index + 1)
            case let byte where Self.mayBeginMark(byte, index + 1 < source.count ? source[index + 1] : 0):
                for mark in Self.marks where Self.has(mark.text, source, at: index) {
                    traits.insert(mark.trait)
                    if mark.trait == .hasDoctests { doctest(source, at: index + mark.text.utf8CodeUnitCount) }
                }
                for call in Self.calls where Self.has(call, source, at: index) {
                    noteCall(source, argument: index + call.utf8CodeUnitCount)
                }
                index += 1
            default: index += 1
            }
        }
    }

    /// Notes whether the argument of an import function is something else than one string.
    private mutating func noteCall(_ source: UnsafeRawBufferPointer, argument: Int) {
        let isBlank = { (byte: UInt8) in " \n\r\t".utf8.contains(byte) }
        guard let start = source[argument...].firstIndex(where: { !isBlank($0) }), source[start] != UInt8(ascii: ")")
        else { return }
        let quote = source[start]
        if "\"'".utf8.contains(quote), let end = source[(start + 1)...].firstIndex(of: quote),
            let next = source[(end + 1)...].first(where: { !isBlank($0) }), "),".utf8.contains(next)
        {
            return
        }
        traits.insert(.computesImports)
    }

    /// Imports in an example are imports of the test that the example is.
    private mutating func doctest(_ source: UnsafeRawBufferPointer, at start: Int) {
        guard Self.has("import ", source, at: start) || Self.has("from ", source, at: start) else { return }
        let line = source[start...].prefix { $0 != UInt8(ascii: "\n") }.prefix(Self.longestCode)
        for statement in ImportScanner.scan(Array(line)) { note(statement) }
    }

    /// Examines the string whose opening quote is at the index. Moves on by as much as has been understood: strings are not
    /// parsed, so that any other quote may open one, too.
    private mutating func string(
        _ source: UnsafeRawBufferPointer, quotedBy quote: UInt8, at index: inout Int, _ words: inout [Range<Int>]
    ) {
        index += 1
        let start = index
        if let code = Self.code(source, quotedBy: quote, from: start) {
            for statement in ImportScanner.scan(code) { note(statement) }
        }
        var dots = 0
        var isPath = false
        loop: while index < source.count {
            switch source[index] {
            case UInt8(ascii: "."): dots += 1
            case UInt8(ascii: "/"), UInt8(ascii: "-"): isPath = true
            case let byte where PythonName.has(byte): break
            default: break loop
            }
            index += 1
        }
        guard index < source.count, index > start else { return }
        let text = source[start..<index]
        let isWhole = source[index] == quote
        if isWhole, text.count > 3, text.suffix(3).elementsEqual(".py".utf8) {
            paths.insert(Array(text))
            return
        }
        guard !isPath else {
            if !isWhole { index = start } else if text.elementsEqual("-m".utf8) { traits.insert(.namesModules) }
            return
        }
        if dots == 0 {
            guard isWhole else { return }
            words.append(start..<index)
            if text.elementsEqual("DJANGO_SETTINGS_MODULE".utf8) { traits.insert(.choosesSettings) }
            return
        }
        let goesOn = source[index - 1] == UInt8(ascii: ".")
        guard isWhole || (goesOn ? "%{" : ":").utf8.contains(source[index]), dots < text.count else { return }
        dotted.insert(Array(text))
    }

    /// The contents of a string that is code: one that begins with an import. It may be run by another process
    /// (`python -c`), or be written to a file.
    private static func code(_ source: UnsafeRawBufferPointer, quotedBy quote: UInt8, from start: Int) -> [UInt8]? {
        var index = start
        while index < source.count, source[index] == quote || source[index] == UInt8(ascii: "\\") { index += 1 }
        let isTriple = index > start + 1
        while index < source.count, " \n\r\t".utf8.contains(source[index]) { index += 1 }
        guard has("import ", source, at: index) || has("from ", source, at: index) else { return nil }
        var code: [UInt8] = []
        while index < source.count, code.count < longestCode {
            let byte = source[index]
            if byte == quote, !isTriple || index + 1 < source.count && source[index + 1] == quote { break }
            if byte == UInt8(ascii: "\\"), index + 1 < source.count {
                code.append(source[index + 1] == UInt8(ascii: "n") ? UInt8(ascii: "\n") : source[index + 1])
                index += 2
                continue
            }
            if byte == UInt8(ascii: "\n"), !isTriple { break }
            code.append(byte)
            index += 1
        }
        return code
    }

    private mutating func note(_ statement: ImportStatement) {
        guard statement.level == 0 else { return }
        let dot = [UInt8(ascii: ".")]
        if !statement.module.bytes.isEmpty { dotted.insert(statement.module.bytes) }
        for name in statement.names {
            dotted.insert(
                statement.module.bytes.isEmpty ? name.name.bytes : statement.module.bytes + dot + name.name.bytes)
        }
    }

    private static func end(ofName source: UnsafeRawBufferPointer, from start: Int) -> Int {
        var end = start
        while end < source.count, PythonName.has(source[end]) || source[end] == UInt8(ascii: ".") { end += 1 }
        return end
    }

    private static func has(_ text: StaticString, _ source: UnsafeRawBufferPointer, at index: Int) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= source.count else { return false }
        var place = 0
        while place < count, source[index + place] == text.utf8Start[place] { place += 1 }
        return place == count
    }
}
