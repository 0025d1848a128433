// Formats findings as text and as GitHub workflow commands.

import BasicTypes
import BuildModel
import LinuxSystem

/// Formats findings for standard output.
struct DiagnosticPrinter {
    let root: BytePath
    /// Paths are shown relative to this directory, so that they can be clicked or copied.
    let workingDirectory: BytePath
    let usesColor: Bool

    init(root: BytePath, workingDirectory: BytePath) {
        self.root = root
        self.workingDirectory = workingDirectory
        usesColor =
            Host.isTerminal(1) && Host.environment("NO_COLOR") == nil
            && Host.environment("TERM").map { $0 != BytePath("dumb") } ?? false
    }

    func shown(_ path: BytePath) -> BytePath {
        let absolute = root.appending(path)
        if let relative = absolute.relative(to: workingDirectory) { return relative.isEmpty ? BytePath(".") : relative }
        // Elsewhere in the same tree: upwards from the current directory.
        guard workingDirectory.isWithin(root) else { return absolute }
        var common = workingDirectory
        var steps = BytePath.empty
        while !absolute.isWithin(common) {
            common = common.parent
            steps = steps.appending("..")
        }
        return absolute.relative(to: common).map { $0.isEmpty ? steps : steps.appending($0) } ?? absolute
    }

    /// `path:line:column: severity: message [rule]`, with the interpreters that report it if not all do.
    func text(_ located: LocatedDiagnostic) -> String {
        var line = located.diagnostic.rendered(path: shown(located.path))
        if !located.interpreters.isEmpty { line += " (\(located.interpreters.joined(separator: ", ")))" }
        guard usesColor else { return line }
        let word = " \(located.diagnostic.severity.rawValue): "
        let color =
            switch located.diagnostic.severity {
            case .error: "\u{1B}[1;31m"
            case .warning: "\u{1B}[1;33m"
            case .note: "\u{1B}[1;36m"
            }
        guard let range = line.range(of: word) else { return line }
        let place = line[..<range.lowerBound]
        line.replaceSubrange(line.startIndex..<range.lowerBound, with: "\u{1B}[1m\(place)\u{1B}[0m")
        guard let range = line.range(of: word) else { return line }
        line.replaceSubrange(range, with: " \(color)\(located.diagnostic.severity.rawValue):\u{1B}[0m ")
        return line
    }

    /// `::error file=…,line=…::message`
    func github(_ located: LocatedDiagnostic) -> String {
        let diagnostic = located.diagnostic
        var properties = ["file=\(Self.property(shown(located.path).description))"]
        if diagnostic.line > 0 { properties.append("line=\(diagnostic.line)") }
        if diagnostic.endLine > 0 { properties.append("endLine=\(diagnostic.endLine)") }
        if diagnostic.column > 0 { properties.append("col=\(diagnostic.column)") }
        if diagnostic.endColumn > 0, diagnostic.endLine == diagnostic.line {
            properties.append("endColumn=\(diagnostic.endColumn)")
        }
        properties.append("title=\(Self.property("freshpyc: " + diagnostic.rule.rawValue))")
        let command =
            switch diagnostic.severity {
            case .error: "error"
            case .warning: "warning"
            case .note: "notice"
            }
        let interpreters =
            located.interpreters.isEmpty ? "" : " (\(located.interpreters.joined(separator: ", ")))"
        return "::\(command) \(properties.joined(separator: ","))::\(Self.data(diagnostic.message + interpreters))"
    }

    /// Escapes the message of a workflow command. Properties need more: see `property`.
    private static func data(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "%": escaped += "%25"
            case "\r": escaped += "%0D"
            case "\n": escaped += "%0A"
            case "\r\n": escaped += "%0D%0A"
            default: escaped.append(character)
            }
        }
    }

    private static func property(_ text: String) -> String {
        data(text).reduce(into: "") { escaped, character in
            switch character {
            case ":": escaped += "%3A"
            case ",": escaped += "%2C"
            default: escaped.append(character)
            }
        }
    }
}

extension String {
    /// The first occurrence of a text in this one.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
