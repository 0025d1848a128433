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
        let root = project(of: common) ?? common
        return LocatedRoot(root: root, starts: starts(places.compactMap { $0.path.relative(to: root) }))
    }

    /// Removes paths inside others.
    private static func starts(_ paths: [BytePath]) -> [BytePath] {
        var seen: Set<BytePath> = []
        let kept = paths.filter { seen.insert($0).inserted }
        return kept.filter { !isMet($0, from: seen) }
    }

    /// Whether a walk from another of the places finds this one. A directory that is skipped because of its name is found
    /// only if it is named itself.
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
        guard !given.isEmpty else { throw UsageError(message: "a path is empty; name a directory or a .py file") }
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
        if let module = ModuleLocator.path(
            of: given, root: project(of: workingDirectory) ?? workingDirectory, workingDirectory: workingDirectory)
        {
            return try place(module, workingDirectory)
        }
        throw UsageError(
            message: !exists
                ? "no such file, directory or module: '\(given)'; check the path"
                : "'\(given)' is not a Python source; name a directory or a .py file")
    }

    /// The project of a directory: the nearest parent, or itself, with a project file; without one, the nearest with a
    /// database.
    private static func project(of directory: BytePath) -> BytePath? {
        let owner = (try? Host.status(directory))?.owner
        var current = directory
        var database: BytePath?
        var isInInstallation = false
        while true {
            let marks = isInInstallation ? configurationFiles : configurationFiles + [".git"]
            if marks.contains(where: { isTrusted(current.appending($0), owner) }) { return current }
            isInInstallation = isInInstallation || isInstallation(current)
            if database == nil, isTrusted(current.appending(".freshpyc"), owner, mustBe: .directory) {
                database = current
            }
            if current.components.isEmpty { return database }
            current = current.parent
        }
    }

    /// Each of these marks a project, as does `.git`, which is a file in a worktree and in a submodule.
    private static let configurationFiles = ["freshpyc.json", "pyproject.toml"]

    /// Whether a directory is where an interpreter looks for modules. A repository around it is not their project: pyenv, for
    /// example, is itself a clone.
    private static func isInstallation(_ directory: BytePath) -> Bool {
        let name = directory.lastComponent
        return ["site-packages", "dist-packages"].contains { name.elementsEqual($0.utf8) }
            || name.starts(with: "python".utf8) && directory.parent.lastComponent.starts(with: "lib".utf8)
    }

    /// Whether a file exists and may decide the root. In a directory such as /tmp, anyone could put a configuration above
    /// the trees of others, and a configuration names programs to run. As in git, the owner counts.
    private static func isTrusted(
        _ path: BytePath, _ owner: UInt32?, mustBe kind: FileStatus.Kind? = nil
    ) -> Bool {
        guard let status = try? Host.status(path), kind == nil || status.kind == kind else { return false }
        return [UnixSocket.user, 0, owner].contains(status.owner)
    }
}
