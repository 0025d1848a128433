// The values of expressions in a test: comparison, indexing and truth as in Python.

/// A value that the evaluator understands, or `unknown`.
indirect enum ConditionValue: Hashable {
    enum Module { case sys, os, platform, six, implementation, cython }

    case unknown
    case truth(Bool)
    case integer(Int)
    case text([UInt8])
    case tuple([ConditionValue])
    /// `sys.version_info`: these numbers, then unknown ones.
    case version([Int])
    case module(Module)
    /// A function that returns this, whatever the arguments.
    case function(result: ConditionValue)
    /// `text.startswith` or `text.endswith`
    case affixTest(of: [UInt8], isPrefix: Bool)

    var verdict: ConditionEvaluator.Verdict {
        switch self {
        case .truth(let value): value ? .holds : .fails
        case .integer(let value): value != 0 ? .holds : .fails
        case .text(let value): value.isEmpty ? .fails : .holds
        case .tuple(let value): value.isEmpty ? .fails : .holds
        case .version, .module, .function, .affixTest: .holds
        case .unknown: .unknown
        }
    }

    init(_ verdict: ConditionEvaluator.Verdict) {
        switch verdict {
        case .holds: self = .truth(true)
        case .fails: self = .truth(false)
        case .unknown: self = .unknown
        }
    }

    // MARK: Operations

    func called(with arguments: [ConditionValue]) -> ConditionValue {
        switch self {
        case .function(let result): return result
        case .affixTest(let text, let isPrefix):
            guard arguments.count == 1 else { return .unknown }
            let affixes: [ConditionValue]
            if case .tuple(let several) = arguments[0] { affixes = several } else { affixes = arguments }
            var found = false
            for affix in affixes {
                guard case .text(let affix) = affix else { return .unknown }
                let end = isPrefix ? text.prefix(affix.count) : text.suffix(affix.count)
                found = found || end.elementsEqual(affix)
            }
            return .truth(found)
        default: return .unknown
        }
    }

    /// `self[index]`
    func element(at index: Int) -> ConditionValue {
        switch self {
        case .version(let version): version.indices.contains(index) ? .integer(version[index]) : .unknown
        case .tuple(let tuple): tuple.indices.contains(index) ? tuple[index] : .unknown
        case .text(let text): text.indices.contains(index) ? .text([text[index]]) : .unknown
        default: .unknown
        }
    }

    /// `self[start:end]`; negative indices give `unknown`.
    func slice(from start: Int, to end: Int?) -> ConditionValue {
        guard start >= 0, end ?? start >= start else { return .unknown }
        switch self {
        case .version(let version):
            guard let end, end <= version.count else { return .unknown }
            return .tuple(version[start..<end].map { .integer($0) })
        case .text(let text):
            let end = min(end ?? text.count, text.count)
            return .text(start < end ? Array(text[start..<end]) : [])
        default:
            return .unknown
        }
    }

    // MARK: Comparison

    /// -1, 0 or 1; `nil` if unknown.
    func compared(to other: ConditionValue) -> Int? {
        switch (self, other) {
        case (.integer(let left), .integer(let right)):
            return left < right ? -1 : left == right ? 0 : 1
        case (.text(let left), .text(let right)):
            return left.lexicographicallyPrecedes(right) ? -1 : left == right ? 0 : 1
        case (.truth(let left), .truth(let right)):
            return left == right ? 0 : left ? 1 : -1
        case (.tuple(let left), .tuple(let right)):
            return Self.compare(left, isOpen: false, right)
        case (.version(let left), .tuple(let right)):
            return Self.compare(left.map { .integer($0) }, isOpen: true, right)
        case (.tuple, .version):
            return other.compared(to: self).map { -$0 }
        default:
            return nil
        }
    }

    /// Compares lexicographically. If `isOpen`, `left` continues with unknown values.
    private static func compare(_ left: [ConditionValue], isOpen: Bool, _ right: [ConditionValue]) -> Int? {
        for index in right.indices {
            guard index < left.count else { return isOpen ? nil : -1 }
            guard let order = left[index].compared(to: right[index]) else { return nil }
            if order != 0 { return order }
        }
        return isOpen || left.count > right.count ? 1 : 0
    }

    /// `self in other`
    func isContained(in other: ConditionValue) -> ConditionEvaluator.Verdict {
        switch (self, other) {
        case (.text(let part), .text(let whole)):
            guard part.count <= whole.count else { return .fails }
            for start in 0...(whole.count - part.count) where whole[start...].starts(with: part) { return .holds }
            return .fails
        case (_, .tuple(let members)):
            var verdict = ConditionEvaluator.Verdict.fails
            for member in members {
                switch compared(to: member) {
                case 0: return .holds
                case nil: verdict = .unknown
                default: break
                }
            }
            return verdict
        default:
            return .unknown
        }
    }
}
