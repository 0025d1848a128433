// Parses `# freshpyc: ignore[rule]` comments, and filters findings by them.

import BasicTypes
import BuildModel
import LinuxSystem

/// The rules that a source ignores. A comment at the end of a line applies to that line. A comment on a line of its
/// own, before any code, applies to the whole file. Without brackets, all rules are ignored.
package struct IgnoreComments {
    /// Only this many bytes of a source are searched for comments.
    private static let maximumSize = 8 << 20
    private var lines: [Int: Set<String>] = [:]
    private var wholeFile: Set<String> = []

    /// The contents of a source; empty if it cannot be read, or is too large.
    package static func contents(of path: BytePath, root: Directory) -> [UInt8] {
        guard let file = try? root.fileFollowingLinks(path) else { return [] }
        return (try? file.readAll(expected: 65_536, limit: maximumSize, path: path)) ?? []
    }

    package init(_ bytes: [UInt8]) {
        guard bytes.contains(mark: Self.mark) else { return }
        var isTop = true
        let source = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        for (index, line) in source.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.drop { $0 == 0x20 || $0 == 0x09 }
            let isComment = trimmed.first == UInt8(ascii: "#")
            if let rules = Self.rules(in: line) {
                if isComment, isTop { wholeFile.formUnion(rules) } else { lines[index + 1] = rules }
            }
            if !isComment, !trimmed.isEmpty, trimmed.first != 0x0D { isTop = false }
        }
    }

    private static let mark = Array("freshpyc:".utf8)
    private static let word = Array("ignore".utf8)
    private static let all = "*"

    /// The rules of the first `# freshpyc: ignore` on a line; other comments may precede and follow it.
    private static func rules(in line: ArraySlice<UInt8>) -> Set<String>? {
        var rest = line
        while let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
            rest = rest[(hash + 1)...]
            let comment = rest.drop { $0 == 0x20 || $0 == UInt8(ascii: "#") }
            guard comment.starts(with: mark) else { continue }
            let words = comment.dropFirst(mark.count).drop { $0 == 0x20 }
            guard words.starts(with: word) else { continue }
            let rest = words.dropFirst(word.count)
            let names = rest.drop { $0 == 0x20 }
            guard names.first == UInt8(ascii: "[") else {
                // `ignored` is not a match.
                let ends = rest.isEmpty || [0x20, 0x09, 0x0D, UInt8(ascii: "#")].contains(rest[rest.startIndex])
                return ends ? [all] : nil
            }
            guard let end = names.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            return Set(
                names[(names.startIndex + 1)..<end].split(separator: UInt8(ascii: ",")).map {
                    String(decoding: $0.filter { $0 != 0x20 }, as: UTF8.self)
                })
        }
        return nil
    }

    /// Whether a finding of this rule on one of these lines is ignored.
    package func ignores(_ rule: Rule, on lines: [Int]) -> Bool {
        if self.lines.isEmpty, wholeFile.isEmpty { return false }
        let rules = lines.reduce(wholeFile) { $0.union(self.lines[$1] ?? []) }
        return rules.contains(Self.all) || rules.contains(rule.rawValue)
    }

    /// Warnings about rules in the comments that do not exist.
    package var unknownRules: [Diagnostic] {
        let known = Rule.allCases.map(\.rawValue)
        // A comment is read where a finding about imports is shown.
        let silenced = Rule.allCases.filter(\.isOfImports).map(\.rawValue)
        return lines.sorted { $0.key < $1.key }.flatMap { line, rules in
            rules.sorted().filter { $0 != Self.all && !silenced.contains($0) }.map { name in
                let hint = Suggestion.nearest(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
                let problem =
                    known.contains(name)
                    ? "'\(name)' cannot be ignored by a comment; use --ignore"
                    : "'\(name)' in this comment is not a rule\(hint)"
                return Diagnostic(.unknownRule, .warning, line: line, column: 1, message: problem)
            }
        }
    }
}

extension [UInt8] {
    fileprivate func contains(mark: [UInt8]) -> Bool {
        guard count >= mark.count, let first = mark.first else { return false }
        var rest = self[...]
        while let start = rest.firstIndex(of: first) {
            if rest[start...].starts(with: mark) { return true }
            rest = rest[(start + 1)...]
        }
        return false
    }
}
