// One pattern of a `.gitignore` file or of `--exclude` (gitignore(5)).

/// A compiled pattern. Matches bytes; `*` and `?` do not match a slash.
package struct GlobPattern: Hashable, Sendable {
    private enum Token: Hashable, Sendable {
        case literal(UInt8)
        /// `?`
        case one
        /// `*`
        case many
        /// `**/`: any number of directories, including none.
        case directories
        /// A trailing `/**`: everything below.
        case everything
        case set(ByteSet, isNegated: Bool)
    }

    private struct ByteSet: Hashable, Sendable {
        private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

        mutating func insert(_ byte: UInt8) {
            let bit = UInt64(1) << UInt64(byte & 63)
            switch byte >> 6 {
            case 0: words.0 |= bit
            case 1: words.1 |= bit
            case 2: words.2 |= bit
            default: words.3 |= bit
            }
        }

        func contains(_ byte: UInt8) -> Bool {
            let bit = UInt64(1) << UInt64(byte & 63)
            switch byte >> 6 {
            case 0: return words.0 & bit != 0
            case 1: return words.1 & bit != 0
            case 2: return words.2 & bit != 0
            default: return words.3 & bit != 0
            }
        }

        static func == (left: ByteSet, right: ByteSet) -> Bool { left.words == right.words }
        func hash(into hasher: inout Hasher) {
            hasher.combine(words.0)
            hasher.combine(words.1)
            hasher.combine(words.2)
            hasher.combine(words.3)
        }
    }

    private var tokens: [Token]
    /// `!pattern`: what matches is included again.
    package let isNegated: Bool
    /// `pattern/`: only directories match.
    package let isDirectoryOnly: Bool
    /// A slash at the beginning or in the middle: the whole path must match, not only its last component.
    package let isAnchored: Bool

    /// Compiles one line; `nil` for blank lines, comments, and patterns that can never match.
    package init?(line: some Sequence<UInt8>) {
        var text = Array(line)
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        // Trailing blanks are ignored unless escaped with a backslash.
        while text.last == UInt8(ascii: " "), text.dropLast().last != UInt8(ascii: "\\") { text.removeLast() }
        guard let first = text.first, first != UInt8(ascii: "#") else { return nil }
        isNegated = first == UInt8(ascii: "!")
        if isNegated { text.removeFirst() }
        isDirectoryOnly = text.last == UInt8(ascii: "/")
        if isDirectoryOnly { text.removeLast() }
        isAnchored = text.contains(UInt8(ascii: "/"))
        if text.first == UInt8(ascii: "/") { text.removeFirst() }
        guard !text.isEmpty, let tokens = Self.tokens(of: text) else { return nil }
        self.tokens = tokens
    }

    private static func tokens(of text: [UInt8]) -> [Token]? {
        var tokens: [Token] = []
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\\"):
                // A backslash at the very end makes the pattern invalid, so that it never matches.
                guard index + 1 < text.count else { return nil }
                tokens.append(.literal(text[index + 1]))
                index += 2
            case UInt8(ascii: "?"):
                tokens.append(.one)
                index += 1
            case UInt8(ascii: "*"):
                var end = index
                while end < text.count, text[end] == byte { end += 1 }
                let startsComponent = index == 0 || text[index - 1] == UInt8(ascii: "/")
                if end - index == 2, startsComponent, end == text.count, index > 0 {
                    tokens.append(.everything)
                } else if end - index == 2, startsComponent, end < text.count, text[end] == UInt8(ascii: "/") {
                    tokens.append(.directories)
                    end += 1
                } else {
                    tokens.append(.many)
                }
                index = end
            case UInt8(ascii: "["):
                if let (token, end) = set(in: text, from: index) {
                    tokens.append(token)
                    index = end
                } else {
                    return nil
                }
            default:
                tokens.append(.literal(byte))
                index += 1
            }
        }
        return tokens
    }

    /// `[a-z]`, `[!a-z]`, `[^a-z]`, `[]x]`, and POSIX classes such as `[[:digit:]]`.
    private static func set(in text: [UInt8], from start: Int) -> (Token, end: Int)? {
        var index = start + 1
        var members = ByteSet()
        var isNegated = false
        if index < text.count, text[index] == UInt8(ascii: "!") || text[index] == UInt8(ascii: "^") {
            isNegated = true
            index += 1
        }
        var isFirst = true
        while index < text.count {
            var byte = text[index]
            if byte == UInt8(ascii: "]"), !isFirst { return (.set(members, isNegated: isNegated), index + 1) }
            isFirst = false
            if byte == UInt8(ascii: "["), index + 1 < text.count, text[index + 1] == UInt8(ascii: ":"),
                let close = text[(index + 2)...].firstIndex(of: UInt8(ascii: ":")), close + 1 < text.count,
                text[close + 1] == UInt8(ascii: "]")
            {
                guard let predicate = posixClass(text[(index + 2)..<close]) else { return nil }
                for member in UInt8.min...UInt8.max where predicate(member) { members.insert(member) }
                index = close + 2
                continue
            }
            if byte == UInt8(ascii: "\\"), index + 1 < text.count {
                index += 1
                byte = text[index]
            }
            if index + 2 < text.count, text[index + 1] == UInt8(ascii: "-"), text[index + 2] != UInt8(ascii: "]") {
                var upper = text[index + 2]
                index += 3
                if upper == UInt8(ascii: "\\"), index < text.count {
                    upper = text[index]
                    index += 1
                }
                if byte <= upper { for member in byte...upper { members.insert(member) } }
            } else {
                members.insert(byte)
                index += 1
            }
        }
        return nil
    }

    private static func posixClass(_ name: ArraySlice<UInt8>) -> (@Sendable (UInt8) -> Bool)? {
        let isLower: @Sendable (UInt8) -> Bool = { (0x61...0x7A).contains($0) }
        let isUpper: @Sendable (UInt8) -> Bool = { (0x41...0x5A).contains($0) }
        let isDigit: @Sendable (UInt8) -> Bool = { (0x30...0x39).contains($0) }
        switch String(decoding: name, as: UTF8.self) {
        case "lower": return isLower
        case "upper": return isUpper
        case "digit": return isDigit
        case "alpha": return { isLower($0) || isUpper($0) }
        case "alnum": return { isLower($0) || isUpper($0) || isDigit($0) }
        case "xdigit": return { isDigit($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0) }
        case "space": return { $0 == 0x20 || (0x09...0x0D).contains($0) }
        case "blank": return { $0 == 0x20 || $0 == 0x09 }
        case "cntrl": return { $0 < 0x20 || $0 == 0x7F }
        case "graph": return { (0x21...0x7E).contains($0) }
        case "print": return { (0x20...0x7E).contains($0) }
        case "punct":
            return { (0x21...0x7E).contains($0) && !isLower($0) && !isUpper($0) && !isDigit($0) }
        default: return nil
        }
    }

    /// Whether the pattern matches, regardless of `isNegated`.
    ///
    /// - Parameter path: relative to the directory of the pattern.
    package func matches(_ path: ArraySlice<UInt8>, isDirectory: Bool) -> Bool {
        if isDirectoryOnly, !isDirectory { return false }
        guard !isAnchored, let slash = path.lastIndex(of: UInt8(ascii: "/")) else {
            return matches(tokens[...], path)
        }
        return matches(tokens[...], path[(slash + 1)...])
    }

    /// Backtracks only to the last star, so the time is at most tokens × bytes; `**/` recurses once per slash.
    private func matches(_ tokens: ArraySlice<Token>, _ path: ArraySlice<UInt8>) -> Bool {
        var token = tokens.startIndex
        var byte = path.startIndex
        var retry: (token: Int, byte: Int)?
        while true {
            if token == tokens.endIndex {
                if byte == path.endIndex { return true }
            } else {
                switch tokens[token] {
                case .many:
                    retry = (token, byte)
                    token += 1
                    continue
                case .directories:
                    let rest = tokens[(token + 1)...]
                    var start = byte
                    while true {
                        if matches(rest, path[start...]) { return true }
                        guard let slash = path[start...].firstIndex(of: UInt8(ascii: "/")) else { return false }
                        start = slash + 1
                    }
                case .everything:
                    if byte < path.endIndex { return true }
                case .one where byte < path.endIndex && path[byte] != UInt8(ascii: "/"),
                    .literal where byte < path.endIndex && tokens[token] == .literal(path[byte]):
                    token += 1
                    byte += 1
                    continue
                case .set(let members, let isNegated)
                where byte < path.endIndex && path[byte] != UInt8(ascii: "/")
                    && members.contains(path[byte]) != isNegated:
                    token += 1
                    byte += 1
                    continue
                default: break
                }
            }
            guard let last = retry, last.byte < path.endIndex, path[last.byte] != UInt8(ascii: "/") else {
                return false
            }
            retry = (last.token, last.byte + 1)
            token = last.token + 1
            byte = last.byte + 1
        }
    }
}
