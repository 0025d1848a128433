// Finds the root of a tree from the paths on the command line.

import BasicTypes
import BuildModel
import LinuxSystem

/// A root, and the paths in it that the user named.
struct LocatedRoot {
    /// Absolute, without symbolic links.
    let root: BytePath
    /// Relative to the root.
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

    /// Removes paths inside of others.
    private static func starts(_ paths: [BytePath]) -> [BytePath] {
        var seen: Set<BytePath> = []
        let kept = paths.filter { seen.insert($0).inserted }
        return kept.filter { !isMet($0, from: seen) }
    }

    /// Whether a walk from another of the places meets this one. A directory that is left out by its name is met only where
    /// it is named itself.
    private static func isMet(_ path: BytePath, from places: Set<BytePath>) -> Bool {
        var current = path
        while !current.isEmpty {
            if Scope.excludesDirectory(named: current.lastComponent) { return false }
            current = current.parent
            if places.contains(current) { return true }
        }
        return false
    }

    private static func place(_ given: BytePath, _ workingDirectory: BytePath) throws(UsageError) -> (BytePath, Bool) {
        let path = given.isAbsolute ? given : workingDirectory.appending(given)
        let exists: Bool
        do throws(SystemError) {
            let kind = try Host.status(path)?.kind
            exists = kind != nil
            if kind == .directory { return (try Host.realPath(path), true) }
            if kind == .regular, Scope.isSource(named: path.lastComponent) {
                // A source may be a symbolic link; it belongs to the directory of the link.
                return (try Host.realPath(path.parent).appending(path.lastComponent), false)
            }
        } catch {
            throw UsageError(message: "cannot access '\(given)': \(error.reason); check its permissions")
        }
        throw UsageError(
            message: !exists
                ? "no such file or directory: '\(given)'; check the path"
                : "'\(given)' is not a Python source; name a directory or a .py file")
    }

    /// The nearest directory upwards that is marked as a root.
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
