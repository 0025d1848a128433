// Which files somebody says have changed.
// Knows: git's lists, and lists on standard input. Does not know: what a change affects.

import BasicTypes
import LinuxSystem

enum ChangedFiles {
    /// How long git may take, in nanoseconds.
    private static let patience: Int64 = 60_000_000_000

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
        do throws(SystemError) {
            let child = try ChildProcess(
                executable, arguments: options + [root] + words.map { BytePath($0) }, environment: Host.variables,
                sharesErrors: true)
            child.closeInput()
            var output: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                guard try child.output.waitUntilReadable(nanoseconds: patience) else { break }
                let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in
                    try child.output.read(into: bytes)
                }
                if count == 0 { break }
                output += buffer[..<count]
            }
            guard child.wait() == .status(0) else {
                throw UsageProblem.failed
            }
            return output.split(separator: 0).compactMap { BytePath($0) }
        } catch {
            if error == UsageProblem.failed {
                throw UsageError(message: "git could not say what has changed; see its message, and check --since")
            }
            throw UsageError(message: "cannot ask git: \(error); name the files instead")
        }
    }

    private enum UsageProblem {
        static let failed = SystemError("git", code: -1)
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
