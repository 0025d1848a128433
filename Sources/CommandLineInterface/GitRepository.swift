// Questions to git that run nothing which a repository's configuration names: a clone may be a stranger's.

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
    ///   - patience: how long each question to git may take, in nanoseconds.
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

    // MARK: Questions

    /// Files that differ from where the work tree's history left that of a revision, and untracked files; of a renamed
    /// file, both names. Relative to the root.
    ///
    /// The merge base, because the question is what this branch has changed, and not what others did meanwhile.
    func changes(since revision: String) throws(UsageError) -> [BytePath] {
        guard !revision.hasPrefix("-") else {
            throw UsageError(message: "'\(revision)' is not a revision (--since)")
        }
        let diff = [
            "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all",
            "--relative", "--merge-base", revision, "--",
        ]
        let untracked = ["ls-files", "--others", "--exclude-standard", "-z"]
        return try (ask(diff) + ask(untracked)).split(separator: 0).compactMap { BytePath($0) }
    }

    /// The names of all filter drivers that are configured. Git runs their `clean` to compare a file with a revision.
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

    private func ask(_ words: [String], expecting: Set<Int32> = [0]) throws(UsageError) -> [UInt8] {
        let exchange = ProcessExchange(
            executable, arguments: [BytePath("-C"), root] + words.map { BytePath($0) }, environment: environment,
            outputLimit: 1 << 30, deadline: patience, sharesErrors: true)
        let answer: ProcessExchange.Answer
        do throws(ProcessExchange.Failure) {
            answer = try exchange.run()
        } catch {
            throw UsageError(message: "cannot ask git: \(error.reason); name the files instead of --since")
        }
        guard case .status(let status) = answer.ending, expecting.contains(status) else {
            throw UsageError(message: "git could not compare the tree (see its message); check the revision of --since")
        }
        return answer.output
    }

    // MARK: Running nothing

    /// The environment in which git starts no other program. Options on its command line do the rest.
    ///
    /// - `core.fsmonitor`, `core.hooksPath`: commands that are run for a look at the files, or after the index is written.
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
        // The user's own settings of this kind stay.
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
