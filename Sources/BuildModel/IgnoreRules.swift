// The patterns of one `.gitignore` file, and of all files that apply to a directory, by precedence (gitignore(5)).

import BasicTypes

/// The patterns of one file, in order. The last one that matches decides.
package struct IgnoreRules: Hashable, Sendable {
    /// The directory that the patterns are relative to.
    package let directory: BytePath
    private let patterns: [GlobPattern]

    package init(contents: some Collection<UInt8>, directory: BytePath) {
        self.directory = directory
        var lines = contents.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)[...]
        // Git skips a byte order mark.
        if let first = lines.first, first.starts(with: [0xEF, 0xBB, 0xBF]) {
            lines[lines.startIndex] = first.dropFirst(3)
        }
        patterns = lines.compactMap { GlobPattern(line: $0) }
    }

    package var isEmpty: Bool { patterns.isEmpty }

    /// `true` to ignore, `false` to include again, `nil` if nothing matches.
    fileprivate func verdict(_ path: BytePath, isDirectory: Bool) -> Bool? {
        guard let relative = path.relative(to: directory) else { return nil }
        for pattern in patterns.reversed() where pattern.matches(relative.bytes, isDirectory: isDirectory) {
            return !pattern.isNegated
        }
        return nil
    }
}

/// The rules from the root down to one directory. A rule in a deeper file wins. Ignored directories are not scanned, so
/// nothing in them can be included again (gitignore(5)).
package struct IgnoreStack: Sendable {
    private var levels: [IgnoreRules]

    package init(_ levels: [IgnoreRules] = []) {
        self.levels = levels
    }

    package var isEmpty: Bool { levels.isEmpty }

    package func adding(_ rules: IgnoreRules) -> IgnoreStack {
        rules.isEmpty ? self : IgnoreStack(levels + [rules])
    }

    package func ignores(_ path: BytePath, isDirectory: Bool) -> Bool {
        for rules in levels.reversed() {
            if let verdict = rules.verdict(path, isDirectory: isDirectory) { return verdict }
        }
        return false
    }
}
