// The modules and files that --include and --exclude name.

import BuildModel

/// Dotted names, each with everything below it, and patterns of paths.
struct BundleSelection: Sendable {
    private let names: [String]
    private let patterns: [GlobPattern]

    init(_ texts: [String], option: String) throws(BundleError) {
        var names: [String] = []
        var patterns: [GlobPattern] = []
        for text in texts {
            if text.contains("/") || text.contains("*") {
                guard let pattern = GlobPattern(line: text.utf8) else {
                    throw BundleError("'\(text)' is no pattern of paths (\(option)); see `freshpyc bundle --help`")
                }
                patterns.append(pattern)
            } else if text.isEmpty {
                throw BundleError("\(option) needs a module or a pattern; its value is empty")
            } else {
                names.append(text)
            }
        }
        self.names = names
        self.patterns = patterns
    }

    func covers(module name: String) -> Bool { names.contains { name == $0 || name.hasPrefix($0 + ".") } }

    func covers(path: String) -> Bool {
        guard !patterns.isEmpty else { return false }
        let bytes = Array(path.utf8)
        return patterns.contains { pattern in
            if pattern.matches(bytes[...], isDirectory: false) { return true }
            // A pattern that matches a directory covers what is in it.
            return bytes.indices.contains { index in
                bytes[index] == UInt8(ascii: "/") && pattern.matches(bytes[..<index], isDirectory: true)
            }
        }
    }
}
