// Conditions on version and platform, for CPython 3.8.2 on Linux unless a test uses another interpreter.

import Testing

@testable import ImportGraph

struct ConditionEvaluatorTests {
    @Test(arguments: [
        ("sys.version_info >= (3, 8)", ConditionEvaluator.Verdict.holds),
        ("sys.version_info >= (3, 9)", .fails),
        ("sys.version_info >= (3,)", .holds),
        ("sys.version_info > (3,)", .holds),
        ("sys.version_info == (3, 8)", .fails),
        ("sys.version_info <= (3, 8)", .fails),
        ("sys.version_info < (3, 8, 2)", .fails),
        ("sys.version_info >= (3, 8, 2, 'final')", .unknown),
        ("(3, 7) <= sys.version_info < (3, 9)", .holds),
        ("(3, 7) <= sys.version_info < (3, 8)", .fails),
        ("sys.version_info[0] == 2", .fails),
        ("sys.version_info[0] == 3", .holds),
        ("sys.version_info[:2] == (3, 8)", .holds),
        ("sys.version_info[0:2] in [(3, 7), (3, 8)]", .holds),
        ("sys.version_info[7] == 1", .unknown),
        ("sys.version_info.major < 3", .fails),
        ("sys.version_info.minor >= 8", .holds),
        ("sys.version_info.major == 3 and sys.version_info.minor < 8", .fails),
        ("version_info > (3, 0)", .holds),
        ("sys.version_info != (2, 7)", .holds),
        ("sys.version_info <> (2, 7)", .holds),
        ("sys.platform == \"win32\"", .fails),
        ("sys.platform == 'linux'", .holds),
        ("sys.platform != 'linux'", .fails),
        ("'linux' == sys.platform", .holds),
        ("sys.platform.startswith(\"linux\")", .holds),
        ("sys.platform.startswith(('win', 'cygwin'))", .fails),
        ("sys.platform.startswith(x)", .unknown),
        ("sys.platform.endswith('x')", .holds),
        ("sys.platform[:3] == 'win'", .fails),
        ("sys.platform in ('linux', 'darwin')", .holds),
        ("sys.platform not in {'linux', 'darwin'}", .fails),
        ("'win' in sys.platform", .fails),
        ("sys.platform in (x, 'darwin')", .unknown),
        ("sys.platform.lower() == 'linux'", .unknown),
        ("os.name == 'nt'", .fails),
        ("os.name == 'posix'", .holds),
        ("sys.implementation.name == 'cpython'", .holds),
        ("platform.python_implementation() != 'PyPy'", .holds),
        ("platform.system() == 'Linux'", .holds),
        ("platform.machine() == 'x86_64'", .unknown),
        ("six.PY2", .fails),
        ("PY3", .holds),
        ("not PY3", .fails),
        ("not not PY3", .holds),
        ("not (PY3 and x)", .unknown),
        ("not (PY2 and x)", .holds),
        ("x and PY2", .fails),
        ("x and PY3", .unknown),
        ("x or PY3", .holds),
        ("x(y, *z) or PY3", .unknown),
        ("x.y[1:2](3) or PY3", .holds),
        ("PY2 or x", .unknown),
        ("(PY3)", .holds),
        ("((sys.version_info)) >= ((3, 8))", .holds),
        ("(\n  sys.platform # why\n  == 'linux'\n)", .holds),
        ("PY2 if PY3 else PY3", .fails),
        ("x if PY2 else PY3", .holds),
        ("TYPE_CHECKING or PY3", .holds),
        ("typing.TYPE_CHECKING and x", .fails),
        ("sys.version_info + 1 > 3", .unknown),
        ("sys.hexversion >= 0x03080000", .unknown),
        ("True", .holds), ("False", .fails), ("1", .holds), ("0", .fails), ("''", .fails), ("()", .fails),
        ("f'{x}'", .unknown), ("1.5 > 1", .unknown), ("0x10 == 16", .holds), ("1 < 2 < 3", .holds),
        ("1 < 2 > 3", .fails),
        ("1 is not 1", .fails), ("-1 < 0", .unknown), ("lambda: 1", .unknown), ("x := 1", .unknown),
        ("", .unknown), (")", .unknown), ("not", .unknown), ("PY3 PY3", .unknown), ("PY3 or", .unknown),
        ("...", .unknown),
        ("[x for x in y] or PY3", .unknown), ("PY3 not 3", .unknown), ("'a", .unknown),
    ])
    func verdicts(_ test: String, _ expected: ConditionEvaluator.Verdict) {
        let evaluator = ConditionEvaluator(version: [3, 8, 2], platform: "linux", implementation: "cpython")
        #expect(evaluator.evaluate(test) == expected)
    }

    @Test func otherInterpreters() {
        let old = ConditionEvaluator(version: [2, 7, 18], platform: "linux2")
        #expect(old.evaluate("sys.version_info[0] == 2") == .holds)
        #expect(old.evaluate("sys.platform.startswith('linux')") == .holds)
        #expect(old.evaluate("sys.platform == 'linux'") == .fails)
        #expect(old.evaluate("sys.implementation.name == 'cpython'") == .unknown)
        let windows = ConditionEvaluator(version: [3], platform: "win32")
        #expect(windows.evaluate("os.name == 'nt' and sys.version_info > (2, 7)") == .holds)
        #expect(windows.evaluate("sys.version_info >= (3, 8)") == .unknown)
        let nothing = ConditionEvaluator(version: [], platform: nil)
        #expect(nothing.evaluate("sys.platform == 'linux' or os.name == 'nt'") == .unknown)
        #expect(nothing.evaluate("sys.version_info[0] == 3") == .unknown)
    }

    @Test func allConditionsOfAnImport() {
        let evaluator = ConditionEvaluator(version: [3, 8, 2], platform: "linux")
        func verdict(_ source: String) -> ConditionEvaluator.Verdict? {
            ImportScanner.scan(Array(source.utf8)).last.map { evaluator.evaluate($0.conditions) }
        }
        #expect(verdict("import a") == .holds)
        #expect(verdict("if PY2: import a") == .fails)
        #expect(verdict("if PY2: pass\nelse: import a") == .holds)
        #expect(verdict("if PY2: pass\nelif sys.platform == 'linux': import a") == .holds)
        #expect(verdict("if PY3: pass\nelif sys.platform == x: import a") == .fails)
        #expect(verdict("if sys.platform == x: import a") == .unknown)
    }

    @Test func nestingIsBounded() {
        let evaluator = ConditionEvaluator(version: [3], platform: nil)
        #expect(evaluator.evaluate(String(repeating: "(", count: 100_000) + "PY3") == .unknown)
        #expect(evaluator.evaluate(String(repeating: "not ", count: 100_000) + "PY3") == .holds)
        #expect(
            evaluator.evaluate(String(repeating: "(", count: 40) + "PY3" + String(repeating: ")", count: 40)) == .holds)
    }
}
