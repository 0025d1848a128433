// Bundles on the command lines of `inspect` and `verify`.

import BasicTypes
import Bundling
import LinuxSystem

/// A bundle that a user named.
struct BundleExamination {
    private let path: BytePath
    private let bundle: BundleReader

    /// More than any bundle.
    private static let largest = 1 << 34

    /// - Returns: `nil` if the file is none, or cannot be read.
    init?(_ path: BytePath, workingDirectory: BytePath) {
        let names: [StaticString] = [".py", ".pyc", ".pyo"]
        guard path != BytePath("-"), !names.contains(where: path.hasSuffix) else { return nil }
        let place = path.isAbsolute ? path : workingDirectory.appending(path)
        guard let status = (try? Host.status(place)) ?? nil, status.kind == .regular,
            let start = Host.contents(place, limit: 4),
            start.starts(with: "#!".utf8) || start.starts(with: [0x50, 0x4B, 3, 4])
                || start.starts(with: [0x7F, 0x45, 0x4C, 0x46]),
            let bytes = Host.contents(place, limit: Self.largest), let bundle = BundleReader(bytes)
        else { return nil }
        self.path = path
        self.bundle = bundle
    }

    /// Prints what is wrong.
    ///
    /// - Returns: the exit status.
    func verify(_ output: StandardOutput, isQuiet: Bool) -> Int32 {
        for problem in bundle.problems { output.write("\(path): error: \(problem) [damaged-bundle]\n") }
        if !isQuiet {
            Host.writeError(
                "\(path): \(Plural.count(bundle.moduleCount, "module")), \(Plural.count(bundle.problems.count, "error"))\n"
            )
        }
        return bundle.problems.isEmpty ? 0 : 1
    }

    /// Prints what it contains.
    ///
    /// - Returns: the exit status.
    func inspect(_ output: StandardOutput) -> Int32 {
        var lines = [
            "\(path)",
            "  kind           \(bundle.isExecutable ? "executable" : bundle.shebang.isEmpty ? "library" : "program")",
        ]
        if let program = bundle.program { lines.append("  runs           \(program)") }
        if !bundle.shebang.isEmpty { lines.append("  #!             \(bundle.shebang)") }
        lines.append("  modules        \(bundle.moduleCount)\(bundle.hasSources ? "" : ", without sources")")
        if !bundle.tags.isEmpty { lines.append("  bytecode for   \(bundle.tags.joined(separator: ", "))") }
        lines.append("  files          \(bundle.fileCount)")
        lines.append("  size           \(bundle.size) bytes")
        for (index, distribution) in bundle.distributions.enumerated() {
            lines.append("  \(index == 0 ? "distributions" : "             ")  \(distribution)")
        }
        for problem in bundle.problems { lines.append("  problem        \(problem)") }
        output.write(lines.map { $0 + "\n" }.joined())
        return bundle.problems.isEmpty ? 0 : 1
    }
}
