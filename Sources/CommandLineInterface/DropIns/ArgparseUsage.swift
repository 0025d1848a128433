// The usage lines of Python's argparse, wrapped as HelpFormatter._format_usage wraps them.

import LinuxSystem

/// The usage of one of Python's tools.
struct ArgparseUsage {
    let program: String
    let options: [String]
    let operands: [String]

    static let compileAll = ArgparseUsage(
        program: "compileall.py",
        options: [
            "[-h]", "[-l]", "[-r RECURSION]", "[-f]", "[-q]", "[-b]", "[-d DESTDIR]", "[-s STRIPDIR]",
            "[-p PREPENDDIR]",
            "[-x REGEXP]", "[-i FILE]", "[-j WORKERS]",
            "[--invalidation-mode {checked-hash,timestamp,unchecked-hash}]", "[-o OPT_LEVELS]", "[-e DIR]",
            "[--hardlink-dupes]",
        ], operands: ["[FILE|DIR ...]"])

    static let pyCompile = ArgparseUsage(
        program: "py_compile.py", options: ["[-h]", "[-q]"], operands: ["filenames [filenames ...]"])

    /// Prints the usage and a message to standard error.
    ///
    /// - Returns: the exit status.
    func complain(_ message: String) -> Int32 {
        Host.writeError("\(text)\n\(program): error: \(message)\n")
        return 2
    }

    private var text: String {
        let prefix = "usage: "
        let columns = Host.environment("COLUMNS").flatMap { Int($0.description) }.flatMap { $0 > 0 ? $0 : nil }
        let width = max((columns ?? Host.terminalColumns(1) ?? 80) - 2, 11)
        let whole = ([program] + options + operands).joined(separator: " ")
        if prefix.count + whole.count <= width { return prefix + whole }
        let fits = Double(prefix.count + program.count) <= 0.75 * Double(width)
        let indent = String(repeating: " ", count: prefix.count + (fits ? program.count + 1 : 0))
        let parts = fits ? [program] + options : options
        var lines = Self.lines(parts, indent: indent, first: fits ? prefix.count : indent.count, width)
        lines += Self.lines(operands, indent: indent, first: indent.count, width)
        if fits {
            lines[0].removeFirst(indent.count)
            return prefix + lines.joined(separator: "\n")
        }
        return prefix + program + "\n" + lines.joined(separator: "\n")
    }

    private static func lines(_ parts: [String], indent: String, first: Int, _ width: Int) -> [String] {
        var lines: [String] = []
        var line: [String] = []
        var length = first - 1
        for part in parts {
            if length + 1 + part.count > width, !line.isEmpty {
                lines.append(indent + line.joined(separator: " "))
                line = []
                length = indent.count - 1
            }
            line.append(part)
            length += part.count + 1
        }
        if !line.isEmpty { lines.append(indent + line.joined(separator: " ")) }
        return lines
    }
}
