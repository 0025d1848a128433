// Version specifiers for Python: `>=3.9,<3.13`, as in `requires-python` (PEP 440).

/// Conditions on a version, all of which must hold.
package struct VersionSpecifier: Hashable, Sendable {
    private struct Clause: Hashable, Sendable {
        let comparison: Comparison
        let version: PythonVersion
        /// `==3.9.*`
        let isPrefix: Bool
    }

    private enum Comparison: String, CaseIterable {
        // Longer operators first, because the first matching prefix is used.
        case identical = "==="
        case compatible = "~="
        case equal = "=="
        case different = "!="
        case atMost = "<="
        case atLeast = ">="
        case below = "<"
        case above = ">"
    }

    private let clauses: [Clause]
    package let text: String

    /// `nil` if this is not a version specifier.
    package init?(_ text: String) {
        guard Self.isMeant(by: text) else { return nil }
        var clauses: [Clause] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let part = part.filter { !$0.isWhitespace }
            guard let comparison = Comparison.allCases.first(where: { part.hasPrefix($0.rawValue) }) else { return nil }
            var number = part.dropFirst(comparison.rawValue.count)
            let isPrefix = number.hasSuffix(".*")
            if isPrefix {
                guard comparison == .equal || comparison == .different else { return nil }
                number = number.dropLast(2)
            }
            guard let version = PythonVersion(String(number)) else { return nil }
            // PEP 440 does not allow `~=` with a single number.
            if comparison == .compatible, version.parts.count < 2 { return nil }
            clauses.append(Clause(comparison: comparison, version: version, isPrefix: isPrefix))
        }
        self.clauses = clauses
        self.text = text
    }

    /// Whether a text begins like a version specifier rather than a path or a command.
    package static func isMeant(by text: String) -> Bool { text.first.map { "<>=!~".contains($0) } ?? false }

    /// Splits a comma-separated list whose specifiers may contain commas themselves: `3.8,>=3.10,<3.13` has two items.
    package static func separate(_ list: String) -> [String] {
        var items: [String] = []
        for part in list.split(separator: ",").map(String.init) {
            if isMeant(by: part), let last = items.last, isMeant(by: last) {
                items[items.count - 1] = last + "," + part
            } else {
                items.append(part)
            }
        }
        return items
    }

    /// - Parameter version: an interpreter's version, such as `3.14.0rc1`; a pre-release suffix is ignored.
    package func contains(_ version: String) -> Bool {
        let fields = version.split(separator: ".").map { $0.prefix { $0.isASCII && $0.isNumber } }
        guard let version = PythonVersion(fields.prefix(3).joined(separator: ".")) else { return false }
        return clauses.allSatisfy { clause in
            let order = Self.compare(version, clause.version)
            let isEqual = clause.isPrefix ? clause.version.covers(version) : order == 0
            switch clause.comparison {
            case .identical, .equal: return isEqual
            case .different: return !isEqual
            case .atMost: return order <= 0
            case .atLeast: return order >= 0
            case .below: return order < 0
            case .above: return order > 0
            case .compatible:
                return order >= 0 && version.parts.starts(with: clause.version.parts.dropLast())
            }
        }
    }

    /// Missing numbers count as zero: 3.9 is 3.9.0.
    private static func compare(_ left: PythonVersion, _ right: PythonVersion) -> Int {
        for place in 0..<3 {
            let (one, other) = (left.number(place), right.number(place))
            if one != other { return one < other ? -1 : 1 }
        }
        return 0
    }
}
