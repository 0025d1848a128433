// Which files and directories are in scope.

import BasicTypes

/// What is in scope below a root. Paths that the user names are always in scope, whatever the rules.
package struct Scope: Hashable, Sendable {
    /// Directories without sources of the project: the ones that Python formatters exclude by default.
    package static let excludedDirectoryNames: Set<[UInt8]> = Set(
        [
            ".bzr", ".direnv", ".eggs", ".fossil", ".freshpyc", ".git", ".hg", ".ipynb_checkpoints", ".jj",
            ".mypy_cache",
            ".nox", ".pants.d", ".pixi", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".sl", ".svn", ".tox",
            ".venv", ".vscode", ".idea", "__pycache__", "__pypackages__", "_build", "buck-out", "node_modules",
            "site-packages",
        ].map { Array($0.utf8) })

    /// The patterns as given.
    package let excludeTexts: [String]
    private let excludes: [GlobPattern]
    package let honoursGitignore: Bool

    /// - Parameter excludes: patterns as in `.gitignore`, relative to the root.
    package init(excludes: [String] = [], honoursGitignore: Bool = false) {
        excludeTexts = excludes
        self.excludes = excludes.compactMap { GlobPattern(line: $0.utf8) }
        self.honoursGitignore = honoursGitignore
    }

    /// Whether a file of this name is a source: `x.py`. A file named just `.py` is not: no import can name it, and its
    /// bytecode would have the same name as that of `py.py` (`importlib.util.cache_from_source`).
    package static func isSource(named name: ArraySlice<UInt8>) -> Bool {
        let end = name.endIndex
        return name.count > 3 && name[end - 3] == UInt8(ascii: ".") && name[end - 2] == UInt8(ascii: "p")
            && name[end - 1] == UInt8(ascii: "y")
    }

    /// Whether a directory found in a scan (not named by the user) is excluded by its name.
    package static func excludesDirectory(named name: ArraySlice<UInt8>) -> Bool {
        excludedDirectoryNames.contains(Array(name)) || name.starts(with: temporaryPrefix)
    }

    /// Directories that are not finished have such names.
    private static let temporaryPrefix = Array(".freshpyc-".utf8)
    /// A directory that has a file of this name is a bundle, and not a part of a project.
    package static let bundleMark = ".freshpyc-bundle"

    /// The same for directories of installed packages: excludes names that no import can have.
    package static func excludesInPackages(named name: ArraySlice<UInt8>) -> Bool {
        name.first == UInt8(ascii: ".") || name.elementsEqual("__pycache__".utf8)
            || name.elementsEqual("node_modules".utf8)
    }

    /// Whether an `--exclude` pattern excludes it. The last pattern that matches decides.
    package func excludes(_ path: BytePath, isDirectory: Bool) -> Bool {
        for pattern in excludes.reversed() where pattern.matches(path.bytes, isDirectory: isDirectory) {
            return !pattern.isNegated
        }
        return false
    }

    package var hasExcludes: Bool { !excludes.isEmpty }
}
