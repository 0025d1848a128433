// `--help`: a verb's declaration as text, wrapped to the terminal, or to 80 columns if the output is not a terminal.

import LinuxSystem

/// Formats help for a number of columns.
struct HelpText {
    private static let indent = 26
    private let columns: Int

    /// - Parameter columns: maximum length of a line, at least 60; examples are never wrapped.
    init(columns: Int) { self.columns = max(60, columns) }

    /// For standard output.
    static var forOutput: HelpText { HelpText(columns: min(100, Host.terminalColumns(1) ?? 80)) }

    func verb(_ verb: VerbDeclaration) -> String {
        let summary = verb.summary.prefix(1).uppercased() + verb.summary.dropFirst()
        var text = "\(summary).\n\nUsage: freshpyc \(verb.name) \(verb.arguments)\n"
        for paragraph in verb.description { text += "\n" + wrapped(paragraph, indent: 0) }
        text += "\nOptions:\n"
        for option in verb.options {
            let metavariable = option.value.metavariable.map { " \($0)" } ?? ""
            text += entry(option.names.joined(separator: ", ") + metavariable, option.help)
        }
        text += "\nExit status:\n"
        for (status, meaning) in verb.exitStatuses { text += entry(String(status), meaning, indent: 5) }
        text += "\nExamples:\n"
        for example in verb.examples { text += "  \(example.command)\n      \(example.meaning)\n" }
        return text
    }

    func overview(_ verbs: [VerbDeclaration]) -> String {
        var text = """
            An incremental build daemon for Python bytecode.

            Usage: freshpyc VERB [OPTIONS] [PATH…]

            Verbs:

            """
        for verb in verbs { text += entry(verb.name, verb.summary, indent: 16) }
        return text + "\n"
            + wrapped(
                "`freshpyc VERB --help` prints the options of a verb, with examples. `freshpyc --version` prints the version.",
                indent: 0)
    }

    private func entry(_ left: String, _ right: String, indent: Int = HelpText.indent) -> String {
        let head = "  " + left
        let body = wrapped(right, indent: indent)
        // Two spaces must be left between the columns.
        guard head.count <= indent - 2 else { return head + "\n" + body }
        return head + String(body.dropFirst(head.count))
    }

    private func wrapped(_ text: String, indent: Int) -> String {
        let pad = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent + line.count + word.count + 1 > columns {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        return lines.map { pad + $0 + "\n" }.joined()
    }
}
