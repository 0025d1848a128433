// Queries git without running any program that the repository's configuration names: a clone may be untrusted.

import BasicTypes
import LinuxSystem

/// The repository that a tree is in.
struct GitRepository {
    private let executable: BytePath
    private let root: BytePath
    private let environment: [BytePath]
    private let patience: Int64

    /// - Parameters:
    ///   - root: a directory of the working tree.
    ///   - patience: the time limit for each git command, in nanoseconds.
    init(root: BytePath, patience: Int64 = 60_000_000_000) throws(UsageError) {
        guard let executable = Self.executable(named: "git") else {
            throw UsageError(message: "--since needs git, which is not on PATH; name the files instead")
        }
        guard Self.isInRepository(root) else {
            throw UsageError(message: "\(root) is not in a git repository, which --since needs; name the files instead")
        }
        self.init(executable, root: root, patience: patience, environment: Self.variables([]))
        let filters = try filters()
        self = GitRepository(
            executable, root: root, patience: patience, environment: Self.variables(filters))
    }

    private init(_ executable: BytePath, root: BytePath, patience: Int64, environment: [BytePath]) {
        self.executable = executable
        self.root = root
        self.patience = patience
        self.environment = environment
    }

    private static func executable(named name: String) -> BytePath? {
        (Host.environment("PATH") ?? .empty).bytes.split(separator: UInt8(ascii: ":")).lazy
            .compactMap { BytePath($0)?.appending(name) }.first { Host.isExecutable($0) }
    }

    private static func isInRepository(_ directory: BytePath) -> Bool {
        if Host.environment("GIT_DIR") != nil { return true }
        var current = directory
        while true {
            // A directory, or the file of a work tree or submodule.
            if let status = try? Host.status(current.appending(".git")), status.kind != .other { return true }
            if current.components.isEmpty { return false }
            current = current.parent
        }
    }

    // MARK: Queries

    /// Changed files, relative to the root.
    struct Changes {
        var inside: [BytePath] = []
        /// The number of files that changed outside the root.
        var outside = 0
    }

    /// Files that differ between the merge base with a revision and the work tree, and untracked files; both names of a
    /// renamed file.
    ///
    /// The merge base is used because the caller asks what this branch has changed, not what changed elsewhere meanwhile.
    func changes(since revision: String) throws(UsageError) -> Changes {
        guard !revision.hasPrefix("-") else {
            throw UsageError(message: "'\(revision)' is not a revision (--since)")
        }
        let commit = ["rev-parse", "--verify", "--quiet", "--end-of-options", "\(revision)^{commit}"]
        guard try !ask(commit, expecting: [0, 1, 128], sharesErrors: false).isEmpty else {
            throw UsageError(
                message: "git knows no revision '\(revision)' (--since); if the clone is shallow, fetch its history")
        }
        guard try !ask(["merge-base", revision, "HEAD"], expecting: [0, 1, 128], sharesErrors: false).isEmpty else {
            throw UsageError(
                message:
                    "'\(revision)' and this branch have no common ancestor (--since); if the clone is shallow, fetch its history (`git fetch --unshallow`)"
            )
        }
        let diff = [
            "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all",
            "--no-relative", "--merge-base", revision, "--",
        ]
        let untracked = ["ls-files", "--others", "--exclude-standard", "-z", "--full-name", "--", ":/"]
        // Both print paths relative to the top of the work tree.
        let prefix = try ask(["rev-parse", "--show-prefix"]).filter { $0 != UInt8(ascii: "\n") }
        var changes = Changes()
        for path in try (ask(diff) + ask(untracked)).split(separator: 0) where !Self.isBytecode(path) {
            if path.starts(with: prefix), let inside = BytePath(path.dropFirst(prefix.count)) {
                changes.inside.append(inside)
            } else {
                changes.outside += 1
            }
        }
        return changes
    }

    /// Whether this is in a `__pycache__`: it follows from its source, so nothing depends on it besides. Elsewhere, bytecode may
    /// be a module without a source.
    private static func isBytecode(_ path: ArraySlice<UInt8>) -> Bool {
        path.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("__pycache__".utf8) }
    }

    /// Of these files, those that were committed once. They are relative to the root.
    func committed(among paths: [BytePath]) throws(UsageError) -> Set<BytePath> {
        let prefix = try ask(["rev-parse", "--show-prefix"]).filter { $0 != UInt8(ascii: "\n") }
        let history = ["log", "--format=", "--name-only", "-z", "--no-renames", "--diff-filter=A"]
        // Git compares each path with each change. For many paths, list all additions instead.
        let few = paths.count > 100 ? [] : paths.map { ":(top,literal)\(BytePath(prefix + Array($0.bytes)) ?? $0)" }
        let committed = Set(try ask(history + ["--"] + few).split(separator: 0).map { Array($0) })
        return Set(paths.filter { committed.contains(prefix + Array($0.bytes)) })
    }

    /// The names of all configured filter drivers. Git runs their `clean` command to compare a file with a revision.
    private func filters() throws(UsageError) -> [[UInt8]] {
        // Status 1: there are none.
        let keys = try ask(["config", "--null", "--name-only", "--get-regexp", "^filter\\."], expecting: [0, 1])
        let names = keys.split(separator: 0).compactMap { key -> [UInt8]? in
            // `filter.NAME.clean`; NAME may contain dots.
            guard let last = key.lastIndex(of: UInt8(ascii: ".")), last > key.startIndex + 7 else { return nil }
            return Array(key[(key.startIndex + 7)..<last])
        }
        return Array(Set(names))
    }

    private func ask(_ words: [String], expecting: Set<Int32> = [0], sharesErrors: Bool = true) throws(UsageError)
        -> [UInt8]
    {
        let exchange = ProcessExchange(
            executable, arguments: [BytePath("-C"), root] + words.map { BytePath($0) }, environment: environment,
            outputLimit: 1 << 30, deadline: patience, sharesErrors: sharesErrors)
        let answer: ProcessExchange.Answer
        do throws(ProcessExchange.Failure) {
            answer = try exchange.run()
        } catch {
            throw UsageError(message: "cannot run git: \(error.reason); name the files instead of --since")
        }
        guard case .status(let status) = answer.ending, expecting.contains(status) else {
            throw UsageError(message: "git could not compare the tree (see its message); check the revision of --since")
        }
        return answer.output
    }

    // MARK: Environment

    /// An environment that, together with the options above, keeps git from starting other programs.
    ///
    /// - `core.fsmonitor`, `core.hooksPath`: commands that git runs to find changed files, or after it writes the index.
    /// - `GIT_NO_LAZY_FETCH` (since git 2.44), `GIT_ALLOW_PROTOCOL`: a partial clone fetches nothing, so that no
    ///   `core.sshCommand`, `remote.*.uploadpack` or remote helper is run.
    private static func variables(_ filters: [[UInt8]]) -> [BytePath] {
        var settings: [(key: [UInt8], value: String)] = [
            (Array("core.fsmonitor".utf8), "false"), (Array("core.hooksPath".utf8), "/dev/null"),
        ]
        for name in filters {
            for (key, value) in [("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")] {
                settings.append((Array("filter.".utf8) + name + Array(".\(key)".utf8), value))
            }
        }
        // Keep the settings that the user passes in the same way.
        let own = ["GIT_CONFIG_COUNT", "GIT_NO_LAZY_FETCH", "GIT_ALLOW_PROTOCOL"]
        let first = Host.environment("GIT_CONFIG_COUNT").flatMap { Int($0.description) } ?? 0
        let begin = (0...10_000).contains(first) ? first : 0
        var variables = Host.variables.filter { variable in
            !own.contains { variable.bytes.starts(with: Array("\($0)=".utf8)) }
        }
        variables += [
            "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none",
            "GIT_CONFIG_COUNT=\(begin + settings.count)",
        ].map { BytePath($0) }
        for (index, setting) in settings.enumerated() {
            let key = Array("GIT_CONFIG_KEY_\(begin + index)=".utf8) + setting.key
            variables.append(BytePath(key) ?? .empty)
            variables.append(BytePath("GIT_CONFIG_VALUE_\(begin + index)=\(setting.value)"))
        }
        return variables
    }
}
