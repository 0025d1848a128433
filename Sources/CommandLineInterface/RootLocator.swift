// Which directory is the root, and where the named paths lie in it.
// Knows: markers, PATH arguments. Does not know: what is done there.

import BasicTypes
import BuildModel
import LinuxSystem

/// A root and the places in it that the user named.
struct LocatedRoot {
    /// Absolute, without links.
    let root: BytePath
    /// Relative to it.
    let starts: [BytePath]
}

enum RootLocator {
    /// - Parameters:
    ///   - paths: as the user gave them; none means the working directory.
    static func locate(_ paths: [BytePath], workingDirectory: BytePath) throws(UsageError) -> LocatedRoot {
        var places: [(path: BytePath, isDirectory: Bool)] = []
        for path in paths.isEmpty ? [BytePath(".")] : paths { places.append(try place(path, workingDirectory)) }
        let directories = places.map { $0.isDirectory ? $0.path : $0.path.parent }
        var common = directories[0]
        for directory in directories { while !directory.isWithin(common) { common = common.parent } }
        let root = marked(from: common) ?? common
        return LocatedRoot(root: root, starts: starts(places.compactMap { $0.path.relative(to: root) }))
    }

    /// Without those that lie in others.
    private static func starts(_ paths: [BytePath]) -> [BytePath] {
        var kept: [BytePath] = []
        for path in paths where !kept.contains(path) { kept.append(path) }
        return kept.filter { path in !kept.contains { $0 != path && covers($0, path) } }
    }

    /// Whether whoever walks the one meets the other: what is left out by its name is met only where it is named.
    private static func covers(_ outer: BytePath, _ inner: BytePath) -> Bool {
        guard let way = inner.relative(to: outer) else { return false }
        return !way.components.contains { Scope.excludesDirectory(named: $0) }
    }

    private static func place(_ given: BytePath, _ workingDirectory: BytePath) throws(UsageError) -> (BytePath, Bool) {
        let path = given.isAbsolute ? given : workingDirectory.appending(given)
        do throws(SystemError) {
            guard let status = try Host.status(path) else {
                throw UsageProblem.missing
            }
            if status.kind == .directory { return (try Host.realPath(path), true) }
            guard status.kind == .regular, path.hasSuffix(".py") else { throw UsageProblem.notPython }
            // A source may be a link; its place is where the link lies.
            return (try Host.realPath(path.parent).appending(path.lastComponent), false)
        } catch {
            switch error {
            case UsageProblem.missing:
                throw UsageError(message: "no such file or directory: '\(given)'; check the path")
            case UsageProblem.notPython:
                throw UsageError(message: "'\(given)' is not a Python source; name a directory or a .py file")
            default:
                throw UsageError(message: "cannot look at '\(given)': \(error.reason); check its permissions")
            }
        }
    }

    private enum UsageProblem {
        static let missing = SystemError("locate", code: -1)
        static let notPython = SystemError("locate", code: -2)
    }

    /// The nearest directory upwards that says it is a root.
    private static func marked(from directory: BytePath) -> BytePath? {
        var current = directory
        while true {
            if isMarked(current) { return current }
            if current.components.isEmpty { return nil }
            current = current.parent
        }
    }

    private static func isMarked(_ directory: BytePath) -> Bool {
        if (try? Host.status(directory.appending(".freshpyc"), followsLinks: false))?.kind == .directory { return true }
        if (try? Host.status(directory.appending("freshpyc.json")))?.kind == .regular { return true }
        guard let project = Host.contents(directory.appending("pyproject.toml")) else { return false }
        return ProjectFile.mentionsUs(project)
    }
}
