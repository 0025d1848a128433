// The part of pytest's configuration that decides which files are tests, and what pytest loads for them.
//
// Read without Python, because the question is asked after each save. Of TOML, only what these values need is
// understood: strings, and lists of strings. What is not understood counts as not set.

import BasicTypes
import LinuxSystem

/// `python_files`, `testpaths`, `pythonpath`, and what matters of `addopts`.
package struct PytestConfiguration: Hashable, Sendable {
    /// Patterns of file names; empty for pytest's default.
    package var pythonFiles: [String] = []
    /// Directories relative to the root, as patterns; empty for all.
    package var testPaths: [String] = []
    /// Words of `addopts` that are not options: if one is a path of the tree, `testpaths` does not count.
    package var operands: [String] = []
    /// Modules that pytest loads before all tests (`-p` in `addopts`).
    package var plugins: [String] = []
    /// Any source may have tests (`--doctest-modules` in `addopts`).
    package var collectsDoctests = false
    /// pytest adds directories to `sys.path` (`pythonpath`).
    package var extendsPath = false

    package init() {}

    /// The files that may configure pytest, in its order; the first with the section counts, and the others are ignored
    /// (https://docs.pytest.org/en/stable/reference/customize.html).
    private static let files: [(name: String, sections: [String], isEnough: Bool)] = [
        ("pytest.toml", ["pytest"], true), (".pytest.toml", ["pytest"], true), ("pytest.ini", ["pytest"], true),
        (".pytest.ini", ["pytest"], true), ("pyproject.toml", ["tool.pytest.ini_options", "tool.pytest"], false),
        ("tox.ini", ["pytest"], false), ("setup.cfg", ["tool:pytest"], false),
    ]

    /// The stamps of all files that may configure pytest.
    static func stamps(root: BytePath) -> [Stamp?] {
        files.map { ((try? Host.status(root.appending($0.name))) ?? nil)?.stamp }
    }

    /// - Returns: `nil` if the project does not configure pytest.
    package static func read(root: BytePath) -> PytestConfiguration? {
        for file in files {
            guard let contents = Host.contents(root.appending(file.name)) else { continue }
            let text = String(decoding: contents, as: UTF8.self)
            if let found = PytestConfiguration(text, sections: file.sections) { return found }
            // An empty pytest.ini still marks a project that uses pytest.
            if file.isEnough { return PytestConfiguration() }
        }
        return nil
    }

    /// - Returns: `nil` if the text has none of the sections.
    package init?(_ text: String, sections: [String]) {
        var isInside = false
        var hasSection = false
        var values: [String: String] = [:]
        var key: String?
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let trimmed = line.trimmed
            if trimmed.isEmpty || trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
            let isContinuation = key.map { line.first?.isWhitespace == true || values[$0].map(Self.isOpenList) == true }
            if isContinuation == true, let key {
                values[key]?.append(" " + Self.withoutComment(trimmed))
                continue
            }
            key = nil
            if trimmed.hasPrefix("[") {
                let name = trimmed.drop { $0 == "[" }.prefix { $0 != "]" }.filter { !$0.isWhitespace && $0 != "\"" }
                isInside = sections.contains(String(name))
                hasSection = hasSection || isInside
                continue
            }
            guard isInside, let equals = trimmed.firstIndex(where: { $0 == "=" || $0 == ":" }) else { continue }
            let name = String(trimmed[..<equals].trimmed)
            key = name
            values[name] = Self.withoutComment(trimmed[trimmed.index(after: equals)...].trimmed)
        }
        guard hasSection else { return nil }
        pythonFiles = Self.words(values["python_files"])
        testPaths = Self.words(values["testpaths"])
        extendsPath = !Self.words(values["pythonpath"]).isEmpty
        let options = Self.words(values["addopts"])
        collectsDoctests = options.contains("--doctest-modules")
        for (index, option) in options.enumerated() where option.hasPrefix("-p") {
            let name =
                option == "-p" ? (index + 1 < options.count ? options[index + 1] : "") : String(option.dropFirst(2))
            if !name.isEmpty, !name.hasPrefix("no:") { plugins.append(name) }
        }
        // Whether these are paths, or values of other options, only the tree can tell.
        operands = options.filter { !$0.hasPrefix("-") }
    }

    private static func isOpenList(_ value: String) -> Bool { value.hasPrefix("[") && !value.hasSuffix("]") }

    /// Without a comment at the end of the line. No name of a test contains ` #`.
    private static func withoutComment(_ text: Substring) -> String {
        guard let mark = text.firstRange(of: " #") else { return String(text) }
        return String(text[..<mark.lowerBound].trimmed)
    }

    /// The words of a value: in a TOML list, each in quotes; else separated by blanks, and perhaps quoted.
    private static func words(_ value: String?) -> [String] {
        guard let value else { return [] }
        let isList = value.hasPrefix("[")
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in value.dropFirst(isList ? 1 : 0) {
            if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if isList {
                // Commas, blanks and the closing bracket are between the strings.
                if let whole = word { words.append(whole) }
                word = nil
            } else if character.isWhitespace || character == "," {
                if let whole = word { words.append(whole) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        // The whole value of a TOML string may be a list of words.
        return words.flatMap { $0.split { $0.isWhitespace }.map(String.init) }
    }
}

extension StringProtocol {
    fileprivate var trimmed: SubSequence {
        let start = self.drop { $0.isWhitespace }
        var end = start.endIndex
        while end > start.startIndex, self[index(before: end)].isWhitespace { end = index(before: end) }
        return start[..<end]
    }
}
