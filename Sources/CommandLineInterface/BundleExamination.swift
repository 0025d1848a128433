// Bundles on the command lines of `inspect` and `verify`.

import BasicTypes
import Bundling
import Documents
import LinuxSystem

/// A bundle that a user named.
struct BundleExamination {
    private let path: BytePath
    private let bundle: BundleReader

    /// More than any bundle.
    private static let largest = 1 << 34

    /// - Returns: `nil` if the file is none, or cannot be read.
    init?(_ path: BytePath, workingDirectory: BytePath) {
        guard Self.isCandidate(path, workingDirectory) else { return nil }
        let place = path.isAbsolute ? path : workingDirectory.appending(path)
        guard let bytes = Host.contents(place, limit: Self.largest), let bundle = BundleReader(bytes) else {
            return nil
        }
        self.path = path
        self.bundle = bundle
    }

    /// Whether a file looks like a program or an archive, and is no bundle.
    static func isOther(_ path: BytePath, workingDirectory: BytePath) -> Bool {
        guard isCandidate(path, workingDirectory) else { return false }
        return BundleExamination(path, workingDirectory: workingDirectory) == nil
    }

    private static func isCandidate(_ path: BytePath, _ workingDirectory: BytePath) -> Bool {
        guard path != BytePath("-"), !path.hasSuffix(".pyc"), !path.hasSuffix(".pyo") else { return false }
        let place = path.isAbsolute ? path : workingDirectory.appending(path)
        guard let status = (try? Host.status(place)) ?? nil, status.kind == .regular,
            let start = Host.contents(place, limit: 1024)
        else { return false }
        if path.hasSuffix(".py") { return BundleReader.isScript(start) }
        let beginnings: [[UInt8]] = [Array("#!".utf8), [0x50, 0x4B, 3, 4], [0x7F, 0x45, 0x4C, 0x46]]
        return beginnings.contains { start.starts(with: $0) }
    }

    /// The bundles as one JSON document; see OUTPUT.md.
    private struct Document: Encodable {
        struct Bundle: Encodable {
            let path: String
            let kind: String
            let program: String?
            let modules: Int
            let files: Int
            let interpreterFiles: Int
            let bytes: Int
            let bytecode: [String]
            let hasSources: Bool
            let distributions: [String]
            let problems: [String]
        }

        let schema = 1
        let verb: String
        let bundles: [Bundle]
        let exitStatus: Int32
    }

    /// - Returns: the exit status.
    static func writeJSON(_ bundles: [BundleExamination], verb: String, to output: StandardOutput) -> Int32 {
        let status: Int32 = bundles.allSatisfy { $0.bundle.problems.isEmpty } ? 0 : 1
        let items = bundles.map { item in
            Document.Bundle(
                path: item.path.text, kind: item.kind, program: item.bundle.program, modules: item.bundle.moduleCount,
                files: item.bundle.fileCount, interpreterFiles: item.bundle.runtimeFileCount, bytes: item.bundle.size,
                bytecode: item.bundle.tags,
                hasSources: item.bundle.hasSources, distributions: item.bundle.distributions,
                problems: item.bundle.problems)
        }
        output.write(JSONLine.encode(Document(verb: verb, bundles: items, exitStatus: status)) + "\n")
        return status
    }

    private var kind: String {
        bundle.isExecutable ? "executable" : bundle.isScript ? "script" : bundle.shebang.isEmpty ? "library" : "program"
    }

    /// Prints what is wrong.
    ///
    /// - Returns: the exit status.
    func verify(_ output: StandardOutput, isQuiet: Bool) -> Int32 {
        for problem in bundle.problems { output.write("\(path): error: \(BytePath.shown(problem)) [damaged-bundle]\n") }
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
            "  kind           \(kind)",
        ]
        if let program = bundle.program { lines.append("  runs           \(program)") }
        if !bundle.shebang.isEmpty { lines.append("  #!             \(bundle.shebang)") }
        lines.append("  modules        \(bundle.moduleCount)\(bundle.hasSources ? "" : ", without sources")")
        if !bundle.tags.isEmpty { lines.append("  bytecode for   \(bundle.tags.joined(separator: ", "))") }
        lines.append("  files          \(bundle.fileCount)")
        if bundle.runtimeFileCount > 0 { lines.append("  interpreter    \(bundle.runtimeFileCount) files") }
        lines.append("  size           \(bundle.size) bytes")
        for (index, distribution) in bundle.distributions.enumerated() {
            lines.append("  \(index == 0 ? "distributions" : "             ")  \(distribution)")
        }
        for problem in bundle.problems { lines.append("  problem        \(problem)") }
        output.write(lines.map { BytePath.shown($0) + "\n" }.joined())
        return bundle.problems.isEmpty ? 0 : 1
    }
}
