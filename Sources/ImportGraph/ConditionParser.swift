// Parses version and platform tests: the part of Python's expression grammar that they use.

/// A recursive descent parser for one test. Anything that it does not understand makes the whole test unknown.
struct ConditionParser {
    /// Deeper than any test that people write, but safe for the stack.
    private static let maximumDepth = 50

    private var reader: ExpressionReader
    private let evaluator: ConditionEvaluator
    private var depth = 0
    private var isLost = false

    init(_ reader: ExpressionReader, for evaluator: ConditionEvaluator) {
        self.reader = reader
        self.evaluator = evaluator
    }

    mutating func verdict() -> ConditionEvaluator.Verdict {
        let value = expression()
        return isLost || reader.upcoming != .end ? .unknown : value.verdict
    }

    private mutating func lost() -> ConditionValue {
        isLost = true
        return .unknown
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard reader.upcoming == .symbol(byte) else { return false }
        _ = reader.next()
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        guard case .name(let name) = reader.upcoming, reader.matches(name, word) else { return false }
        _ = reader.next()
        return true
    }

    // MARK: Logic

    /// `a if b else c`, or a disjunction.
    private mutating func expression() -> ConditionValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth, !isLost else { return lost() }
        let value = disjunction()
        guard take(word: "if") else { return value }
        let test = disjunction()
        guard take(word: "else") else { return lost() }
        let other = expression()
        switch test.verdict {
        case .holds: return value
        case .fails: return other
        case .unknown: return value == other ? value : .unknown
        }
    }

    private mutating func disjunction() -> ConditionValue {
        let first = conjunction()
        var verdict = first.verdict
        var isAlone = true
        while !isLost, take(word: "or") {
            isAlone = false
            let next = conjunction().verdict
            if verdict == .holds || next == .holds {
                verdict = .holds
            } else if next == .unknown {
                verdict = .unknown
            }
        }
        return isAlone ? first : ConditionValue(verdict)
    }

    private mutating func conjunction() -> ConditionValue {
        let first = negation()
        var verdict = first.verdict
        var isAlone = true
        while !isLost, take(word: "and") {
            isAlone = false
            let next = negation().verdict
            if verdict == .fails || next == .fails {
                verdict = .fails
            } else if next == .unknown {
                verdict = .unknown
            }
        }
        return isAlone ? first : ConditionValue(verdict)
    }

    private mutating func negation() -> ConditionValue {
        var count = 0
        while take(word: "not") { count += 1 }
        let value = comparison()
        if count == 0 { return value }
        return ConditionValue(count % 2 == 1 ? value.verdict.negated : value.verdict)
    }

    // MARK: Comparison

    private enum Comparison {
        case less, lessOrEqual, equal, notEqual, greater, greaterOrEqual, contained, notContained
    }

    private mutating func takeComparison() -> Comparison? {
        let comparison: Comparison
        switch reader.upcoming {
        case .symbol(UInt8(ascii: "<"), 0): comparison = .less
        case .symbol(UInt8(ascii: "<"), UInt8(ascii: "=")): comparison = .lessOrEqual
        case .symbol(UInt8(ascii: "="), UInt8(ascii: "=")): comparison = .equal
        case .symbol(UInt8(ascii: "!"), UInt8(ascii: "=")), .symbol(UInt8(ascii: "<"), UInt8(ascii: ">")):
            comparison = .notEqual
        case .symbol(UInt8(ascii: ">"), 0): comparison = .greater
        case .symbol(UInt8(ascii: ">"), UInt8(ascii: "=")): comparison = .greaterOrEqual
        case .name(let name) where reader.matches(name, "in"): comparison = .contained
        case .name(let name) where reader.matches(name, "is"):
            _ = reader.next()
            return take(word: "not") ? .notEqual : .equal
        case .name(let name) where reader.matches(name, "not"):
            _ = reader.next()
            guard take(word: "in") else {
                isLost = true
                return nil
            }
            return .notContained
        default: return nil
        }
        _ = reader.next()
        return comparison
    }

    private mutating func comparison() -> ConditionValue {
        var left = operand()
        var verdict = ConditionEvaluator.Verdict.holds
        var isAlone = true
        while !isLost, let comparison = takeComparison() {
            isAlone = false
            let right = operand()
            switch Self.verdict(left, comparison, right) {
            case .holds: break
            case .fails: verdict = .fails
            case .unknown: if verdict == .holds { verdict = .unknown }
            }
            left = right
        }
        return isAlone ? left : ConditionValue(verdict)
    }

    private static func verdict(
        _ left: ConditionValue, _ comparison: Comparison, _ right: ConditionValue
    ) -> ConditionEvaluator.Verdict {
        switch comparison {
        case .contained: return left.isContained(in: right)
        case .notContained: return left.isContained(in: right).negated
        default: break
        }
        guard let order = left.compared(to: right) else { return .unknown }
        let holds =
            switch comparison {
            case .less: order < 0
            case .lessOrEqual: order <= 0
            case .equal: order == 0
            case .notEqual: order != 0
            case .greater: order > 0
            default: order >= 0
            }
        return holds ? .holds : .fails
    }

    // MARK: Operands

    /// A primary, with any arithmetic on it, which makes it unknown.
    private mutating func operand() -> ConditionValue {
        var value = signedPrimary()
        while !isLost, case .symbol(let first, let second) = reader.upcoming, isArithmetic(first, second) {
            _ = reader.next()
            _ = signedPrimary()
            value = .unknown
        }
        return value
    }

    private func isArithmetic(_ first: UInt8, _ second: UInt8) -> Bool {
        switch first {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "^"), UInt8(ascii: "@"):
            true
        case UInt8(ascii: "<"), UInt8(ascii: ">"): second == first
        default: false
        }
    }

    private mutating func signedPrimary() -> ConditionValue {
        var isSigned = false
        while take("-") || take("+") || take("~") { isSigned = true }
        if take(word: "await") { isSigned = true }
        let value = primary()
        return isSigned ? .unknown : value
    }

    private mutating func primary() -> ConditionValue {
        var value: ConditionValue
        switch reader.next() {
        case .name(let name):
            let words: [StaticString] = ["lambda", "and", "or", "not", "if", "else", "in", "is", "for", "yield"]
            if words.contains(where: { reader.matches(name, $0) }) { return lost() }
            value = evaluator.value(of: name, in: reader)
        case .number(let number):
            value = number.map { .integer($0) } ?? .unknown
        case .string(let text):
            value = text.map { .text(reader.bytes($0)) } ?? .unknown
            // Adjacent strings are one.
            while case .string = reader.upcoming {
                _ = reader.next()
                value = .unknown
            }
        case .symbol(UInt8(ascii: "("), 0), .symbol(UInt8(ascii: "["), 0), .symbol(UInt8(ascii: "{"), 0):
            value = display()
        default:
            return lost()
        }
        while !isLost {
            if take(".") {
                guard case .name(let name) = reader.next() else { return lost() }
                value = evaluator.value(of: name, of: value, in: reader)
            } else if take("(") {
                value = value.called(with: list().values)
            } else if take("[") {
                value = subscripted(value)
            } else {
                return value
            }
        }
        return .unknown
    }

    /// What follows an opening bracket: a parenthesized expression, a tuple, a list or a set.
    private mutating func display() -> ConditionValue {
        let (values, hasComma, close) = list()
        if close == UInt8(ascii: ")"), values.count == 1, !hasComma { return values[0] }
        return .tuple(values)
    }

    /// Comma-separated expressions, through the closing bracket.
    private mutating func list() -> (values: [ConditionValue], hasComma: Bool, close: UInt8) {
        var values: [ConditionValue] = []
        var hasComma = false
        while !isLost {
            switch reader.upcoming {
            case .symbol(let close, 0)
            where close == UInt8(ascii: ")") || close == UInt8(ascii: "]") || close == UInt8(ascii: "}"):
                _ = reader.next()
                return (values, hasComma, close)
            case .symbol(UInt8(ascii: ","), 0):
                _ = reader.next()
                hasComma = true
            default:
                values.append(expression())
                // Something else follows the element, such as a keyword argument or a comprehension: not supported.
                guard case .symbol(let next, 0) = reader.upcoming, ",)]}".utf8.contains(next) else {
                    isLost = true
                    return (values, hasComma, 0)
                }
            }
        }
        return (values, hasComma, 0)
    }

    /// `[1]`, `[:2]`, `[0:2]`, after the opening bracket.
    private mutating func subscripted(_ value: ConditionValue) -> ConditionValue {
        var start: ConditionValue = .integer(0)
        if reader.upcoming != .symbol(":") { start = expression() }
        if take("]") {
            guard case .integer(let index) = start else { return .unknown }
            return value.element(at: index)
        }
        guard take(":") else { return lost() }
        var end: ConditionValue?
        if reader.upcoming != .symbol("]") { end = expression() }
        guard take("]") else { return lost() }
        guard case .integer(let first) = start else { return .unknown }
        switch end {
        case nil: return value.slice(from: first, to: nil)
        case .integer(let last): return value.slice(from: first, to: last)
        default: return .unknown
        }
    }
}
