// Environment markers of requirements: `python_version < "3.11" and extra == "toml"` (Dependency specifiers, PEP 508).
//
// Values come from the probed interpreter and this machine, so nothing has to be started.

import BuildModel
import Interpreters
import LinuxSystem

/// The values that markers compare.
struct MarkerEnvironment: Sendable {
    private let values: [String: String]

    init(_ interpreter: Interpreter) {
        let series = interpreter.version.split(separator: ".").prefix(2).joined(separator: ".")
        let isPyPy = interpreter.implementation == "pypy"
        let machine = Host.machine
        values = [
            "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux",
            "platform_machine": machine.hardware, "platform_release": machine.release,
            "platform_version": machine.version, "python_version": series, "python_full_version": interpreter.version,
            "implementation_name": interpreter.implementation, "implementation_version": interpreter.version,
            "platform_python_implementation": isPyPy ? "PyPy" : "CPython",
            // Names of early drafts, which old packages still use.
            "os.name": "posix", "sys.platform": "linux", "platform.machine": machine.hardware,
            "python_implementation": isPyPy ? "PyPy" : "CPython",
            "platform.python_implementation": isPyPy ? "PyPy" : "CPython",
        ]
    }

    func value(of variable: String) -> String? { values[variable] }
}

/// Evaluates markers.
struct EnvironmentMarker {
    private enum Token: Equatable {
        case open, close, and, or, not, `in`
        case comparison(String)
        case variable(String)
        case text(String)
    }

    private let environment: MarkerEnvironment
    /// The extra that is asked for; empty for none.
    private let extra: String
    private var tokens: ArraySlice<Token>

    /// Whether a marker holds. One that is no marker holds: a package too many does less harm than one that is missing.
    static func holds(_ text: some StringProtocol, extra: String, _ environment: MarkerEnvironment) -> Bool {
        guard let tokens = tokens(of: text) else { return true }
        var marker = EnvironmentMarker(environment: environment, extra: extra, tokens: tokens[...])
        guard let result = marker.alternatives(), marker.tokens.isEmpty else { return true }
        return result
    }

    private static func tokens(of text: some StringProtocol) -> [Token]? {
        var tokens: [Token] = []
        var rest = Substring(text)
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first == "(" || first == ")" {
                tokens.append(first == "(" ? .open : .close)
                rest.removeFirst()
            } else if first == "\"" || first == "'" {
                rest.removeFirst()
                guard let end = rest.firstIndex(of: first) else { return nil }
                tokens.append(.text(String(rest[..<end])))
                rest = rest[rest.index(after: end)...]
            } else if "<>=!~".contains(first) {
                let text = rest.prefix { "<>=!~".contains($0) }
                tokens.append(.comparison(String(text)))
                rest = rest.dropFirst(text.count)
            } else {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
                guard !word.isEmpty else { return nil }
                rest = rest.dropFirst(word.count)
                switch word {
                case "and": tokens.append(.and)
                case "or": tokens.append(.or)
                case "not": tokens.append(.not)
                case "in": tokens.append(.in)
                default: tokens.append(.variable(String(word)))
                }
            }
        }
        return tokens
    }

    // Parts after a decided one are still parsed: the rest of the marker follows them.

    private mutating func alternatives() -> Bool? {
        guard var result = conjunction() else { return nil }
        while take(.or) {
            guard let next = conjunction() else { return nil }
            result = result || next
        }
        return result
    }

    private mutating func conjunction() -> Bool? {
        guard var result = part() else { return nil }
        while take(.and) {
            guard let next = part() else { return nil }
            result = result && next
        }
        return result
    }

    private mutating func part() -> Bool? {
        if take(.open) {
            guard let result = alternatives(), take(.close) else { return nil }
            return result
        }
        guard let left = operand(), let comparison = comparison(), let right = operand() else { return nil }
        return compare(left, comparison, right)
    }

    private mutating func take(_ token: Token) -> Bool {
        guard tokens.first == token else { return false }
        tokens.removeFirst()
        return true
    }

    private struct Operand {
        let value: String
        let isVersion: Bool
        let isExtra: Bool
    }

    private mutating func operand() -> Operand? {
        switch tokens.popFirst() {
        case .text(let text): return Operand(value: text, isVersion: false, isExtra: false)
        case .variable("extra"): return Operand(value: extra, isVersion: false, isExtra: true)
        case .variable(let name):
            return environment.value(of: name).map {
                Operand(value: $0, isVersion: name.hasSuffix("version") && name != "platform_version", isExtra: false)
            }
        default: return nil
        }
    }

    private mutating func comparison() -> String? {
        switch tokens.popFirst() {
        case .comparison(let text): return text
        case .in: return "in"
        case .not: return take(.in) ? "not in" : nil
        default: return nil
        }
    }

    private func compare(_ left: Operand, _ comparison: String, _ right: Operand) -> Bool? {
        switch comparison {
        case "in": return right.value.contains(left.value)
        case "not in": return !right.value.contains(left.value)
        default: break
        }
        if left.isVersion || right.isVersion {
            // `"3.8" <= python_version` is the other way around.
            let (version, other, operation) =
                left.isVersion
                ? (left.value, right.value, comparison)
                : (right.value, left.value, Self.turned[comparison] ?? comparison)
            // A pre-release in a marker counts as its release.
            let release = other.prefix { $0.isNumber || $0 == "." || $0 == "*" }
            if let specifier = VersionSpecifier(operation + release) { return specifier.contains(version) }
        }
        let isExtra = left.isExtra || right.isExtra
        let (one, two) =
            isExtra
            ? (Distribution.normalized(left.value), Distribution.normalized(right.value)) : (left.value, right.value)
        switch comparison {
        case "==", "===": return one == two
        case "!=": return one != two
        case "<": return one < two
        case "<=": return one <= two
        case ">": return one > two
        case ">=": return one >= two
        default: return nil
        }
    }

    private static let turned = ["<": ">", ">": "<", "<=": ">=", ">=": "<="]
}
