// Evaluates version and platform tests for one interpreter.

/// Decides tests such as `sys.version_info >= (3, 8) and sys.platform != "win32"` without Python.
///
/// Never guesses: a test that depends on anything else is unknown, unless `and` or `or` makes that irrelevant.
/// `TYPE_CHECKING` is false, as it always is at run time.
package struct ConditionEvaluator: Sendable {
    package enum Verdict: String, Hashable, Sendable {
        case holds, fails, unknown

        var negated: Verdict {
            switch self {
            case .holds: .fails
            case .fails: .holds
            case .unknown: .unknown
            }
        }
    }

    /// The known leading components of `sys.version_info`.
    package let version: [Int]
    /// `sys.platform`: `linux`, `darwin`, `win32`; `linux2` in Python 2.
    package let platform: [UInt8]?
    /// `sys.implementation.name`: `cpython`, `pypy`.
    package let implementation: [UInt8]?
    let typeCheckingNames: [[UInt8]]

    package init(version: [Int], platform: String?, implementation: String? = nil) {
        self.version = version
        self.platform = platform.map { Array($0.utf8) }
        self.implementation = implementation.map { Array($0.utf8) }
        typeCheckingNames = []
    }

    /// Evaluates only type-checking constants, without an interpreter.
    init(typeCheckingNames: [[UInt8]]) {
        version = []
        platform = nil
        implementation = nil
        self.typeCheckingNames = typeCheckingNames
    }

    /// - Parameter test: the text between `if` and the colon.
    package func evaluate(_ test: [UInt8]) -> Verdict {
        test.withUnsafeBufferPointer { evaluate(ExpressionReader($0)) }
    }

    package func evaluate(_ test: String) -> Verdict { evaluate(Array(test.utf8)) }

    /// Whether all conditions of an import hold.
    package func evaluate(_ conditions: [ImportCondition]) -> Verdict {
        var verdict = Verdict.holds
        for condition in conditions {
            let plain = evaluate(condition.text)
            switch condition.isNegated ? plain.negated : plain {
            case .fails: return .fails
            case .unknown: verdict = .unknown
            case .holds: break
            }
        }
        return verdict
    }

    func evaluate(_ test: ExpressionReader) -> Verdict {
        var parser = ConditionParser(test, for: self)
        return parser.verdict()
    }

    // MARK: Names

    /// The value of a name that is not an attribute.
    func value(of name: Range<Int>, in reader: ExpressionReader) -> ConditionValue {
        if typeCheckingNames.contains(where: { reader.source[name].elementsEqual($0) }) { return .truth(false) }
        switch String(decoding: reader.source[name], as: UTF8.self) {
        case "True": return .truth(true)
        case "False", "TYPE_CHECKING", "MYPY": return .truth(false)
        case "sys", "_sys": return .module(.sys)
        case "os": return .module(.os)
        case "platform": return .module(.platform)
        case "six": return .module(.six)
        case "cython": return .module(.cython)
        case "version_info": return .version(version)
        case "PY2": return isMajor(2)
        case "PY3": return isMajor(3)
        default: return .unknown
        }
    }

    /// The value of an attribute.
    func value(of name: Range<Int>, of owner: ConditionValue, in reader: ExpressionReader) -> ConditionValue {
        let attribute = String(decoding: reader.source[name], as: UTF8.self)
        switch (owner, attribute) {
        case (_, "TYPE_CHECKING"): return .truth(false)
        case (.module(.sys), "version_info"): return .version(version)
        case (.module(.sys), "platform"): return text(platform)
        case (.module(.sys), "implementation"): return .module(.implementation)
        case (.module(.implementation), "name"): return text(implementation)
        case (.module(.os), "name"): return text(operatingSystemFamily)
        case (.module(.six), "PY2"): return isMajor(2)
        case (.module(.six), "PY3"): return isMajor(3)
        case (.module(.cython), "compiled"): return .truth(false)
        case (.module(.platform), "system"): return .function(result: systemName)
        case (.module(.platform), "python_implementation"): return .function(result: implementationName)
        case (.version(let version), "major"): return version.count > 0 ? .integer(version[0]) : .unknown
        case (.version(let version), "minor"): return version.count > 1 ? .integer(version[1]) : .unknown
        case (.version(let version), "micro"): return version.count > 2 ? .integer(version[2]) : .unknown
        case (.text(let text), "startswith"): return .affixTest(of: text, isPrefix: true)
        case (.text(let text), "endswith"): return .affixTest(of: text, isPrefix: false)
        default: return .unknown
        }
    }

    private func text(_ bytes: [UInt8]?) -> ConditionValue { bytes.map { .text($0) } ?? .unknown }

    private func isMajor(_ major: Int) -> ConditionValue { version.first.map { .truth($0 == major) } ?? .unknown }

    /// `os.name`: one of `posix`, `nt`, `java` (The Python Library Reference, os).
    private var operatingSystemFamily: [UInt8]? {
        platform.map { platform in
            if platform.elementsEqual("win32".utf8) { return Array("nt".utf8) }
            return Array((platform.starts(with: "java".utf8) ? "java" : "posix").utf8)
        }
    }

    /// `platform.system()`, if it follows from `sys.platform`.
    private var systemName: ConditionValue {
        guard let platform else { return .unknown }
        if platform.starts(with: "linux".utf8) { return .text(Array("Linux".utf8)) }
        if platform.elementsEqual("darwin".utf8) { return .text(Array("Darwin".utf8)) }
        if platform.elementsEqual("win32".utf8) { return .text(Array("Windows".utf8)) }
        return .unknown
    }

    /// `platform.python_implementation()`
    private var implementationName: ConditionValue {
        guard let implementation else { return .unknown }
        if implementation.elementsEqual("cpython".utf8) { return .text(Array("CPython".utf8)) }
        if implementation.elementsEqual("pypy".utf8) { return .text(Array("PyPy".utf8)) }
        return .unknown
    }
}
