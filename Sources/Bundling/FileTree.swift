// Lists the files of a directory for a bundle.

import BasicTypes
import BuildModel
import LinuxSystem

enum FileTree {
    /// Names that are never part of a program.
    private static let excluded: Set<String> = [
        "__pycache__", ".git", ".hg", ".svn", ".freshpyc", ".venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache",
        ".ruff_cache", "node_modules", ".DS_Store",
    ]

    static func isBytecode(_ path: String) -> Bool {
        path.hasSuffix(".pyc") || path.hasSuffix(".pyo") || path.split(separator: "/").contains("__pycache__")
    }

    /// The files at and below a directory, relative to it and sorted. Links to files count, links to directories do not. Names
    /// that are not UTF-8 are omitted: no archive of ours can hold them.
    ///
    /// - Parameter stopsAtPackages: whether to omit directories with an `__init__.py`.
    static func files(in folder: BytePath, stopsAtPackages: Bool = false) -> [String] {
        var found: [String] = []
        var open = [""]
        while let current = open.popLast() {
            let place = current.isEmpty ? folder : folder.appending(current)
            let entries = entries(of: place)
            // A virtual environment is no part of a program (PEP 405).
            if entries.contains(where: { $0.name == "pyvenv.cfg" || $0.name == Scope.bundleMark }) { continue }
            if stopsAtPackages, !current.isEmpty, entries.contains(where: { $0.name == "__init__.py" }) { continue }
            for (name, kind) in entries where !excluded.contains(name) && !isBytecode(name) {
                let path = current.isEmpty ? name : "\(current)/\(name)"
                switch kind {
                case .directory: open.append(path)
                case .regular: found.append(path)
                case .symbolicLink, .unknown, .other:
                    guard let status = (try? Host.status(place.appending(name))) ?? nil else { continue }
                    if status.kind == .regular { found.append(path) }
                    if status.kind == .directory, kind == .unknown { open.append(path) }
                }
            }
        }
        return found.sorted()
    }

    /// The names in a directory.
    static func names(in folder: BytePath) -> [String] { entries(of: folder).map(\.name).sorted() }

    private static func entries(of folder: BytePath) -> [(name: String, kind: EntryKind)] {
        guard let directory = try? Directory(path: folder) else { return [] }
        var entries: [(name: String, kind: EntryKind)] = []
        try? DirectoryListing().forEach(in: directory, path: folder) { name, kind throws(SystemError) in
            if let text = BytePath(cString: name).exactText { entries.append((text, kind)) }
        }
        return entries
    }
}
