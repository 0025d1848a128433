// Dependencies that the user declares because the code does not show them (`[tool.freshpyc.affects]`).

import BasicTypes

/// `"templates/**" = "**/views.py"`: a change of a file that matches the first affects the sources that match the second.
package struct DeclaredDependency: Hashable, Sendable {
    private let files: GlobPattern
    private let sources: [GlobPattern]
    /// For comparisons and messages: `templates/** = **/views.py`.
    package let text: String

    /// - Parameter sources: empty for files that affect nothing.
    /// - Returns: `nil` if a pattern can never match.
    package init?(files: String, sources: [String]) {
        guard let pattern = GlobPattern(line: files.utf8) else { return nil }
        let patterns = sources.compactMap { GlobPattern(line: $0.utf8) }
        guard patterns.count == sources.count else { return nil }
        self.files = pattern
        self.sources = patterns
        text = "\(files) = \(sources.joined(separator: ", "))"
    }

    /// - Parameter file: relative to the root.
    package func concerns(_ file: some Collection<UInt8>) -> Bool { Self.matches(files, Array(file)) }

    /// Whether a change affects this source, which is relative to the root.
    package func affects(_ source: some Collection<UInt8>) -> Bool {
        let path = Array(source)
        return sources.contains { Self.matches($0, path) }
    }

    /// Whether the path or a directory above it matches, as in a `.gitignore` file.
    private static func matches(_ pattern: GlobPattern, _ path: [UInt8]) -> Bool {
        if pattern.matches(path[...], isDirectory: false) { return true }
        var end = path.endIndex
        while let slash = path[..<end].lastIndex(of: UInt8(ascii: "/")) {
            if pattern.matches(path[..<slash], isDirectory: true) { return true }
            end = slash
        }
        return false
    }
}
