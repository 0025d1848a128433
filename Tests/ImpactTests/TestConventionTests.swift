// Which files are tests: pytest's configuration in all of its files, and the names that tools know without it.

import BasicTypes
import Testing

@testable import Impact

@Suite struct TestConventionTests {
    @Test(arguments: [
        ("[pytest]\npython_files = check_*.py *_spec.py\ntestpaths =\n    tests\n    more/tests  # why\n", ["pytest"]),
        (
            "[tool:pytest]\npython_files: check_*.py\n\t*_spec.py\ntestpaths=tests more/tests\n[other]\npython_files = x\n",
            ["tool:pytest"]
        ),
        (
            "[tool.pytest.ini_options]\npython_files = [\n  \"check_*.py\", # one\n  '*_spec.py',\n]\ntestpaths = [\"tests\", \"more/tests\"]\n",
            ["tool.pytest.ini_options"]
        ),
        (
            "[ tool . pytest . ini_options ]\npython_files = \"check_*.py *_spec.py\"\ntestpaths = ['tests','more/tests']\n",
            ["tool.pytest.ini_options"]
        ),
    ])
    func configurations(_ text: String, _ sections: [String]) throws {
        let configuration = try #require(PytestConfiguration(text, sections: sections))
        #expect(configuration.pythonFiles == ["check_*.py", "*_spec.py"])
        #expect(configuration.testPaths == ["tests", "more/tests"])
    }

    @Test func otherSectionsDoNotCount() {
        #expect(PytestConfiguration("[tox]\npython_files = x\n", sections: ["pytest"]) == nil)
        #expect(PytestConfiguration("", sections: ["pytest"]) == nil)
        #expect(PytestConfiguration("[pytest]\n", sections: ["pytest"]) == PytestConfiguration())
    }

    private static func tests(_ configuration: PytestConfiguration?, _ paths: [String]) -> [String] {
        let convention = TestConvention(configuration) { paths.map { BytePath($0) } }
        return paths.filter { convention.isTest(BytePath($0)) }
    }

    @Test func withoutAConfigurationTheUsualNamesCount() {
        #expect(
            Self.tests(
                nil,
                [
                    "a/test_x.py", "a/x_test.py", "a/tests.py", "a/testing.py", "a/x_tests.py", "a/x.py",
                    "a/conftest.py",
                    "b/tests/test_y.py", "b/tests/helper.py", "c/tests/basic.py", "c/tests/__init__.py",
                    "c/tests/conftest.py",
                ]) == [
                    "a/test_x.py", "a/x_test.py", "a/tests.py", "a/x_tests.py", "b/tests/test_y.py",
                    "c/tests/basic.py",
                ])
    }

    @Test(arguments: [
        ("tests/*test_*.py", "tests/cache/test_region.py", true),
        ("tests/*test_*.py", "tests/cache/mytest_data.py", true),
        ("tests/test_*.py", "deep/tests/test_a.py", true), ("tests/test_*.py", "tests/a.py", false),
        ("test[A-Z]*.py", "a/testZODB.py", true), ("test[A-Z]*.py", "a/testing.py", false),
        ("test[!a-z]*.py", "test_a.py", true),
        ("[[]a.py", "[a.py", true), ("[a.py", "[a.py", true), ("*", "a/b.py", true), ("?.py", "ab.py", false),
        ("*a*a*a*b", "aaaaaaaaaaaaaaaa", false),
    ])
    func patternsMatchAsInPytest(_ pattern: String, _ path: String, _ expected: Bool) {
        #expect(FileNamePattern(pattern).matches(BytePath(path)) == expected)
    }

    @Test func theConfigurationDecides() {
        var configuration = PytestConfiguration()
        #expect(
            Self.tests(configuration, ["test_a.py", "a_test.py", "tests.py", "c/tests/basic.py"]) == [
                "test_a.py", "a_test.py",
            ])
        configuration.pythonFiles = ["check_*.py", "spec/*.py"]
        configuration.testPaths = ["t*", "./spec", "src/*/tests"]
        #expect(
            Self.tests(
                configuration,
                [
                    "tests/check_a.py", "tests/test_a.py", "other/check_a.py", "spec/x.py",
                    "src/p/tests/deep/check_b.py",
                ]) == ["tests/check_a.py", "spec/x.py", "src/p/tests/deep/check_b.py"])
    }
}
