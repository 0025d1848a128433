// What is known about dependencies other than imports, and about tests. Gathered when it is first asked for, and then kept up to
// date: reading all sources takes much longer than a question may.

import BasicTypes
import ImportGraph

/// The mentions of all sources, and the tests among the sources.
struct ImpactKnowledge {
    private var byPath: [BytePath: SourceMentions] = [:]
    /// Sources to read again for the next question; `nil` before the first one, which reads all.
    private var touched: Set<BytePath>?
    /// What follows from the mentions.
    private var current: (treeRevision: Int, configuration: PytestConfiguration?, answer: Answer)?

    struct Answer {
        fileprivate(set) var mentioned: MentionedModules
        fileprivate(set) var tests: Set<ModuleID>
    }

    /// pytest's configuration, and the stamps of the files that it was read from: reading a long pyproject.toml takes longer
    /// than the rest of an answer.
    private var pytest: (stamps: [Stamp?], configuration: PytestConfiguration?)?

    /// - Returns: `nil` if the project does not configure pytest.
    mutating func pytestConfiguration(root: BytePath) -> PytestConfiguration? {
        let stamps = PytestConfiguration.stamps(root: root)
        if let pytest, pytest.stamps == stamps { return pytest.configuration }
        let configuration = PytestConfiguration.read(root: root)
        pytest = (stamps, configuration)
        return configuration
    }

    /// Notes that the contents of a source have changed, or that it is gone.
    mutating func touch(_ path: BytePath) { touched?.insert(path) }

    /// - Parameters:
    ///   - sources: all sources.
    ///   - configuration: of pytest; `nil` if the project does not configure it.
    ///   - read: reads sources, in parallel; `nil` for one that cannot be read.
    mutating func answer(
        _ graph: inout DependencyGraph, sources: () -> [BytePath], configuration: PytestConfiguration?,
        read: ([BytePath]) -> [SourceMentions?]
    ) -> Answer {
        let stale = touched.map { Array($0) } ?? sources()
        var extendsOther = false
        var hasOtherDoctests = false
        for (path, mentions) in zip(stale, read(stale)) {
            let difference = (byPath[path]?.traits ?? []).symmetricDifference(mentions?.traits ?? [])
            if difference.contains(.extendsPath) { extendsOther = true }
            if difference.contains(.hasDoctests) { hasOtherDoctests = true }
            byPath[path] = mentions
        }
        touched = []
        if var current, current.treeRevision == graph.treeRevision, current.configuration == configuration,
            !extendsOther
        {
            self.current = nil
            for path in stale {
                guard let module = graph.tree.find(path.bytes), let mentions = byPath[path] else { continue }
                current.answer.mentioned.update(module, mentions, &graph)
            }
            if hasOtherDoctests {
                current.answer.tests = Self.tests(in: graph, configuration, current.answer.mentioned)
            }
            self.current = current
            return current.answer
        }
        let mentioned = MentionedModules(&graph, configuration: configuration) { byPath[$0] }
        let answer = Answer(mentioned: mentioned, tests: Self.tests(in: graph, configuration, mentioned))
        current = (graph.treeRevision, configuration, answer)
        return answer
    }

    private static func tests(
        in graph: DependencyGraph, _ configuration: PytestConfiguration?, _ mentioned: MentionedModules
    ) -> Set<ModuleID> {
        let sources = graph.tree.modules.compactMap { module in
            graph.tree[module].flatMap { BytePath($0.path) }.map { (module, $0) }
        }
        let convention = TestConvention(configuration) { sources.map(\.1) }
        let tests = sources.filter { module, path in
            convention.isTest(path)
                || convention.mayHaveDoctests(path) && mentioned.withDoctests.contains(module)
        }
        return Set(tests.map(\.0))
    }
}
