// Which files somebody says have changed.
// Knows: git's lists, and lists on standard input. Does not know: what a change affects.

import BasicTypes
import LinuxSystem

enum ChangedFiles {
    /// How long git may take, in nanoseconds.
    private static let deadline: Int64 = 60_000_000_000

    /// What differs from a revision, untracked files too; of a rename, both names.
    ///
    /// Nothing that a repository's configuration names is run: no external diff, no text conversion, no monitor.
    static func since(_ revision: String, root: BytePath) throws(UsageError) -> [BytePath] {
        guard !revision.hasPrefix("-") else {
            throw UsageError(message: "'\(revision)' is no revision (--since)")
        }
        let diff = [
            "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--relative", revision, "--",
        ]
        let changed = try git(diff, root)
        return changed + (try git(["ls-files", "--others", "--exclude-standard", "-z"], root))
    }

    private static func git(_ words: [String], _ root: BytePath) throws(UsageError) -> [BytePath] {
        guard let executable = executable(named: "git") else {
            throw UsageError(message: "--since needs git, which is not on PATH; name the files instead")
        }
        let options = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C"].map { BytePath($0) }
        let exchange = ProcessExchange(
            executable, arguments: options + [root] + words.map { BytePath($0) }, environment: Host.variables,
            outputLimit: 1 << 30, deadline: deadline, sharesErrors: true)
        let answer: ProcessExchange.Answer
        do throws(ProcessExchange.Failure) {
            answer = try exchange.run()
        } catch {
            throw UsageError(message: "cannot ask git: \(error.reason); name the files instead")
        }
        guard answer.ending == .status(0) else {
            throw UsageError(message: "git could not list what has changed; see its message, and check --since")
        }
        return answer.output.split(separator: 0).compactMap { BytePath($0) }
    }

    private static func executable(named name: String) -> BytePath? {
        (Host.environment("PATH") ?? .empty).bytes.split(separator: UInt8(ascii: ":")).lazy
            .compactMap { BytePath($0)?.appending(name) }.first { Host.isExecutable($0) }
    }

    /// From standard input: one a line, or parted by NUL where there is one.
    static func listed() -> [BytePath] {
        let bytes = Host.standardInput()
        let separator: UInt8 = bytes.contains(0) ? 0 : UInt8(ascii: "\n")
        return bytes.split(separator: separator).compactMap { BytePath($0) }
    }
}
