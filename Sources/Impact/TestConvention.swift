// Which sources are tests: as pytest's configuration says, else by the names that pytest, unittest and Django look for.

import BasicTypes
import BuildModel

/// Recognizes tests by their paths.
package struct TestConvention: Sendable {
    private let names: [FileNamePattern]
    /// The directories of `testpaths`; empty for the whole tree.
    private let places: [GlobPattern]
    /// Directories named `tests` or `test` in which no file has the name of a test, so that each may be one.
    private let plainDirectories: PathSet
    private let collectsDoctests: Bool

    /// pytest's default for `python_files`.
    private static let pytestNames = ["test_*.py", "*_test.py"]
    /// unittest and Django look for `test*.py`. Names such as `testing.py` and `testutils.py` are those of helpers.
    private static let allNames = [
        "test.py", "tests.py", "test_*.py", "tests_*.py", "test[A-Z0-9]*.py", "*_test.py", "*_tests.py",
    ]

    /// - Parameters:
    ///   - configuration: pytest's, or `nil` if the project does not configure pytest.
    ///   - sources: all sources of the tree.
    package init(_ configuration: PytestConfiguration?, sources: () -> [BytePath]) {
        let names = configuration.map { $0.pythonFiles.isEmpty ? Self.pytestNames : $0.pythonFiles } ?? Self.allNames
        self.names = names.map { FileNamePattern($0) }
        collectsDoctests = configuration?.collectsDoctests == true
        let operands = Self.patterns(configuration?.operands ?? [], sources)
        places = operands.isEmpty ? Self.patterns(configuration?.testPaths ?? [], sources) : operands
        guard configuration == nil else {
            plainDirectories = PathSet([])
            return
        }
        var directories: Set<BytePath> = []
        var named: Set<BytePath> = []
        for path in sources() {
            guard let directory = Self.testDirectory(of: path) else { continue }
            directories.insert(directory)
            if Self.matches(self.names, path) { named.insert(directory) }
        }
        plainDirectories = PathSet(Array(directories.subtracting(named)))
    }

    /// The patterns of these places; none if that means the whole tree. If `testpaths` names nothing that exists, pytest
    /// searches the whole tree, too.
    private static func patterns(_ places: [String], _ sources: () -> [BytePath]) -> [GlobPattern] {
        let places = places.map { $0.hasPrefix("./") ? String($0.dropFirst(2)) : $0 }
        if places.isEmpty || places.contains(".") { return [] }
        let patterns = places.compactMap { GlobPattern(line: "/\($0)".utf8) }
        return sources().contains { isInPlaces(patterns, $0) } ? patterns : []
    }

    package func isTest(_ path: BytePath) -> Bool {
        if !places.isEmpty {
            guard Self.isInPlaces(places, path) else { return false }
            // pytest collects from a file that is named, whatever its name is.
            if places.contains(where: { $0.matches(path.bytes[...], isDirectory: false) }) { return true }
        }
        if Self.matches(names, path) { return true }
        let name = path.lastComponent
        guard !name.elementsEqual("conftest.py".utf8), !name.elementsEqual("__init__.py".utf8) else { return false }
        return plainDirectories.covers(path)
    }

    /// Whether pytest looks for doctests in a source.
    package func mayHaveDoctests(_ path: BytePath) -> Bool {
        collectsDoctests && (places.isEmpty || Self.isInPlaces(places, path))
    }

    private static func matches(_ patterns: [FileNamePattern], _ path: BytePath) -> Bool {
        patterns.contains { $0.matches(path) }
    }

    private static func isInPlaces(_ patterns: [GlobPattern], _ path: BytePath) -> Bool {
        var place = path
        while !place.isEmpty {
            if patterns.contains(where: { $0.matches(place.bytes[...], isDirectory: true) }) { return true }
            place = place.parent
        }
        return false
    }

    /// The topmost directory above a path that is named `tests` or `test`.
    private static func testDirectory(of path: BytePath) -> BytePath? {
        var found: BytePath?
        var place = path.parent
        while !place.isEmpty {
            if ["tests", "test"].contains(where: { place.lastComponent.elementsEqual($0.utf8) }) { found = place }
            place = place.parent
        }
        return found
    }
}
