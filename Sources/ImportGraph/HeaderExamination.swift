// Examines the headers of compound statements for what affects the imports below them: version and platform tests, type
// checking, and handlers of failing imports.

/// Examines the text between a keyword and its colon.
enum HeaderExamination {
    /// What a test depends on.
    struct Subject: OptionSet {
        let rawValue: UInt8
        /// `TYPE_CHECKING`, or nothing but a constant.
        static let constant = Subject(rawValue: 1 << 0)
        /// The interpreter's version, implementation or platform.
        static let environment = Subject(rawValue: 1 << 1)
        /// Whether the module is the program: `__name__ == "__main__"`, perhaps with more conditions.
        static let program = Subject(rawValue: 1 << 2)
    }

    /// - Parameter typeCheckingNames: aliases under which `TYPE_CHECKING` was imported.
    static func subject(of test: ExpressionReader, typeCheckingNames: [[UInt8]]) -> Subject {
        var reader = test
        var subject: Subject = []
        // The name before a dot, and whether a dot came last.
        var owner: Range<Int>?
        var isAttribute = false
        var count = 0
        var comparesName = false
        var isAlternative = false
        var isNegated = false
        while true {
            let token = reader.next()
            count += 1
            switch token {
            case .end:
                if comparesName, !isAlternative { return .program }
                return subject
            case .name(let name) where reader.matches(name, "__name__") && !isAttribute:
                if isNegated { isAlternative = true }
                if case .symbol(UInt8(ascii: "="), UInt8(ascii: "=")) = reader.upcoming { comparesName = true }
            case .name(let name) where reader.matches(name, "or"):
                isAlternative = true
            case .name(let name) where reader.matches(name, "not"):
                // Negates a comparison with `__name__` only if that follows: `not x and __name__ == "__main__"`.
                if reader.upcoming == .symbol("(") { isAlternative = true }
                isNegated = true
                continue
            case .string(let text?) where reader.matches(text, "__main__"):
                // `"__main__" == __name__`
                if case .symbol(UInt8(ascii: "="), UInt8(ascii: "=")) = reader.upcoming { comparesName = true }
            case .name(let name):
                if isAttribute {
                    subject.formUnion(Self.subject(ofAttribute: name, owner: owner, in: reader))
                } else if reader.matches(name, "TYPE_CHECKING") || reader.matches(name, "MYPY")
                    || typeCheckingNames.contains(where: { reader.source[name].elementsEqual($0) })
                {
                    subject.insert(.constant)
                } else if reader.matches(name, "PY2") || reader.matches(name, "PY3")
                    || reader.matches(name, "version_info")
                {
                    subject.insert(.environment)
                } else if count == 1, reader.matches(name, "False") || reader.matches(name, "True"),
                    reader.upcoming == .end
                {
                    subject.insert(.constant)
                }
                owner = isAttribute ? nil : name
                isAttribute = false
            case .number where count == 1 && reader.upcoming == .end:
                subject.insert(.constant)
            case .symbol(UInt8(ascii: "."), 0):
                isAttribute = true
            default:
                owner = nil
                isAttribute = false
            }
            isNegated = false
        }
    }

    private static func subject(
        ofAttribute name: Range<Int>, owner: Range<Int>?, in reader: ExpressionReader
    ) -> Subject {
        // As in mypy (mypy/reachability.py), the name counts on any object.
        if reader.matches(name, "TYPE_CHECKING") { return .constant }
        guard let owner else { return [] }
        // False in a module that Python runs; true only in the C code that Cython makes of it.
        if reader.matches(owner, "cython"), reader.matches(name, "compiled") { return .constant }
        let attributes: [StaticString]
        switch owner {
        case _ where reader.matches(owner, "sys"), _ where reader.matches(owner, "_sys"):
            attributes = ["version_info", "platform", "implementation", "hexversion", "version"]
        case _ where reader.matches(owner, "os"):
            attributes = ["name"]
        case _ where reader.matches(owner, "six"):
            attributes = ["PY2", "PY3"]
        case _ where reader.matches(owner, "platform"):
            // Only the module's functions: `platform` is a common variable name.
            attributes = [
                "system", "machine", "python_implementation", "python_version", "python_version_tuple", "release",
                "version", "architecture", "processor", "uname", "mac_ver", "win32_ver", "libc_ver", "platform",
            ]
        default:
            return []
        }
        return attributes.contains { reader.matches(name, $0) } ? .environment : []
    }

    /// Built-in exceptions that a failing import does not raise. Any other name may be a tuple of types, or an alias.
    private static let otherExceptions: [StaticString] = [
        "ArithmeticError", "AssertionError", "AttributeError", "ConnectionError", "DeprecationWarning", "EOFError",
        "EnvironmentError", "FileNotFoundError", "IOError", "IndexError", "KeyError", "KeyboardInterrupt",
        "LookupError",
        "MemoryError", "NameError", "NotImplementedError", "OSError", "PermissionError", "RecursionError",
        "RuntimeError",
        "StopIteration", "SyntaxError", "SystemError", "SystemExit", "TimeoutError", "TypeError", "UnicodeDecodeError",
        "UnicodeEncodeError", "UnicodeError", "UserWarning", "ValueError", "Warning", "ZeroDivisionError",
    ]

    /// Whether a header handles failing imports.
    enum Handling {
        case none
        /// `Exception`, `BaseException`, a bare `except`, or a name that may stand for these: failing imports among others.
        case anything
        /// `ImportError` or `ModuleNotFoundError`
        case imports
    }

    /// What an `except` clause handles, given its text: `(ValueError, ImportError) as e`, Python 2's `ImportError, e`.
    static func handling(ofHandler types: ExpressionReader) -> Handling {
        var reader = types
        return reader.upcoming == .end ? .anything : strongest(in: &reader, untilClosed: false)
    }

    /// What a `with` statement suppresses, given its text: `contextlib.suppress(ImportError)`.
    static func handling(ofContexts contexts: ExpressionReader) -> Handling {
        var reader = contexts
        var handling = Handling.none
        while true {
            switch reader.next() {
            case .end: return handling
            case .name(let name)
            where reader.matches(name, "suppress") && reader.upcoming == .symbol("("):
                let found = strongest(in: &reader, untilClosed: true)
                if found == .imports || handling == .none { handling = found }
            case .name(let name)
            where reader.matches(name, "ImportError") || reader.matches(name, "ModuleNotFoundError"):
                // `suppress` by another name, or a context manager of the project's own.
                handling = .imports
            default: break
            }
        }
    }

    private static func strongest(in reader: inout ExpressionReader, untilClosed: Bool) -> Handling {
        var handling = Handling.none
        var depth = 0
        while true {
            switch reader.next() {
            case .end:
                return handling
            case .symbol(UInt8(ascii: "("), 0):
                depth += 1
            case .symbol(UInt8(ascii: ")"), 0):
                depth -= 1
                if untilClosed, depth <= 0 { return handling }
            case .name(let name):
                if reader.matches(name, "as"), !untilClosed { return handling }
                // Only the last part of a dotted name counts.
                if reader.upcoming == .symbol(".") { break }
                if reader.matches(name, "ImportError") || reader.matches(name, "ModuleNotFoundError") {
                    handling = .imports
                } else if handling == .none, !otherExceptions.contains(where: { reader.matches(name, $0) }) {
                    handling = .anything
                }
            default: break
            }
        }
    }
}
