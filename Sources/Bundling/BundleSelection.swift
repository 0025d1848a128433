// The modules and files that --include and --exclude name.

import BuildModel

/// Dotted names, each with everything below it, and patterns of paths. Remembers which of them matched.
final class BundleSelection {
    private let names: [String]
    private let patterns: [(text: String, pattern: GlobPattern)]
    private let texts: [String]
    private var used: Set<String> = []

    init(_ texts: [String], option: String) throws(BundleError) {
        var names: [String] = []
        var patterns: [(text: String, pattern: GlobPattern)] = []
        for text in texts {
            if text.contains("/") || text.contains("*") {
                guard let pattern = GlobPattern(line: text.utf8) else {
                    throw BundleError("'\(text)' is no pattern of paths (\(option)); see `freshpyc bundle --help`")
                }
                patterns.append((text, pattern))
            } else if text.isEmpty {
                throw BundleError("\(option) needs a module or a pattern; its value is empty")
            } else {
                names.append(text)
            }
        }
        self.texts = texts
        self.names = names
        self.patterns = patterns
    }

    /// Those that have matched nothing so far.
    var unused: [String] { texts.filter { !used.contains($0) } }

    func covers(module name: String) -> Bool {
        guard
            let match = names.first(where: {
                name == $0 || name.hasPrefix($0 + ".") || Distribution.normalized($0) == name
            })
        else { return false }
        used.insert(match)
        return true
    }

    func covers(path: String) -> Bool {
        guard !patterns.isEmpty else { return false }
        let bytes = Array(path.utf8)
        let match = patterns.first { _, pattern in
            if pattern.matches(bytes[...], isDirectory: false) { return true }
            // A pattern that matches a directory covers what is in it.
            return bytes.indices.contains { index in
                bytes[index] == UInt8(ascii: "/") && pattern.matches(bytes[..<index], isDirectory: true)
            }
        }
        if let match { used.insert(match.text) }
        return match != nil
    }
}
