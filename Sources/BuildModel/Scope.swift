// Which files and directories are in scope.

import BasicTypes

/// What is in scope below a root. Paths that the user names are always in scope, whatever the rules say.
package struct Scope: Sendable {
    /// Directories that hold no source of the project, as Python's formatters leave them out.
    package static let excludedDirectoryNames: Set<[UInt8]> = Set(
        [
            ".bzr", ".direnv", ".eggs", ".fossil", ".freshpyc", ".git", ".hg", ".ipynb_checkpoints", ".jj",
            ".mypy_cache",
            ".nox", ".pants.d", ".pixi", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".sl", ".svn", ".tox",
            ".venv", ".vscode", ".idea", "__pycache__", "__pypackages__", "_build", "buck-out", "node_modules",
            "site-packages",
        ].map { Array($0.utf8) })

    /// The patterns as they were given.
    package let excludeTexts: [String]
    private let excludes: [GlobPattern]
    package let honoursGitignore: Bool

    /// - Parameter excludes: patterns as in `.gitignore`, relative to the root.
    package init(excludes: [String] = [], honoursGitignore: Bool = false) {
        excludeTexts = excludes
        self.excludes = excludes.compactMap { GlobPattern(line: $0.utf8) }
        self.honoursGitignore = honoursGitignore
    }

    /// Whether a file of this name is a source: `x.py`. A file named `.py` is none: no import can name it, and its
    /// bytecode would have the name of that of `py.py` (`importlib.util.cache_from_source`).
    package static func isSource(named name: ArraySlice<UInt8>) -> Bool {
        let end = name.endIndex
        return name.count > 3 && name[end - 3] == UInt8(ascii: ".") && name[end - 2] == UInt8(ascii: "p")
            && name[end - 1] == UInt8(ascii: "y")
    }

    /// Whether a directory that was met on the way (not named by the user) is left out by its name.
    package static func excludesDirectory(named name: ArraySlice<UInt8>) -> Bool {
        excludedDirectoryNames.contains(Array(name))
    }

    /// The same among installed packages: names that no import can have.
    package static func excludesInPackages(named name: ArraySlice<UInt8>) -> Bool {
        name.first == UInt8(ascii: ".") || name.elementsEqual("__pycache__".utf8)
            || name.elementsEqual("node_modules".utf8)
    }

    /// Whether an `--exclude` pattern leaves it out. The last pattern that matches decides.
    package func excludes(_ path: BytePath, isDirectory: Bool) -> Bool {
        for pattern in excludes.reversed() where pattern.matches(path.bytes, isDirectory: isDirectory) {
            return !pattern.isNegated
        }
        return false
    }

    package var hasExcludes: Bool { !excludes.isEmpty }
}
