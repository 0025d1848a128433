// `# freshpyc: ignore[rule]` in a source.
// Knows: the form of the comment. Does not know: how findings come about.

import BuildModel
import LinuxSystem

/// What a source wants to hear nothing of: on a line, what the comment at its end names; in the whole file, what a
/// comment on a line of its own at the top (before any code) names. Without brackets: all rules.
struct IgnoreComments {
    private static let largest = 8 << 20
    private var lines: [Int: Set<String>] = [:]
    private var wholeFile: Set<String> = []

    init(of path: BytePath, root: Directory) {
        guard let file = try? root.fileFollowingLinks(path),
            let bytes = try? file.readAll(expected: 65_536, limit: Self.largest, path: path)
        else {
            self.init([])
            return
        }
        self.init(bytes)
    }

    init(_ bytes: [UInt8]) {
        guard bytes.contains(mark: Self.mark) else { return }
        var isTop = true
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.drop { $0 == 0x20 || $0 == 0x09 }
            let isComment = trimmed.first == UInt8(ascii: "#")
            if let rules = Self.rules(in: line) {
                if isComment, isTop { wholeFile.formUnion(rules) } else { lines[index + 1] = rules }
            }
            if !isComment, !trimmed.isEmpty, trimmed.first != 0x0D { isTop = false }
        }
    }

    private static let mark = Array("freshpyc: ignore".utf8)
    private static let all = "*"

    private static func rules(in line: ArraySlice<UInt8>) -> Set<String>? {
        guard let hash = line.lastIndex(of: UInt8(ascii: "#")) else { return nil }
        let comment = line[(hash + 1)...].drop { $0 == 0x20 }
        guard comment.starts(with: mark) else { return nil }
        let rest = comment.dropFirst(mark.count)
        guard rest.first == UInt8(ascii: "["), let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return [all] }
        let names = rest[(rest.startIndex + 1)..<end].split(separator: UInt8(ascii: ","))
        return Set(names.map { String(decoding: $0.filter { $0 != 0x20 }, as: UTF8.self) })
    }

    /// Without what is not wanted.
    func filter(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        if lines.isEmpty, wholeFile.isEmpty { return diagnostics }
        return diagnostics.filter { diagnostic in
            let rules = wholeFile.union(lines[diagnostic.line] ?? [])
            return !rules.contains(Self.all) && !rules.contains(diagnostic.rule.rawValue)
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
