// Whether two sessions would do the same.
// Knows: which parts of a configuration decide what is built. Does not know: who compares.

import BuildModel
import Interpreters

extension Session {
    /// Where the interpreters of a configuration are. Nothing is started.
    package static func candidates(
        _ configuration: SessionConfiguration
    ) throws(InterpreterError) -> [InterpreterCandidate] {
        try InterpreterFinder(root: configuration.rootPath)
            .candidates(configuration.pythons, relativeTo: configuration.workingDirectory)
    }
}

extension SessionConfiguration {
    /// A text that is equal for two configurations that want the same artifacts of the same sources, wherever they come
    /// from. What is asked of a single run (jobs, time-outs, force, the paths of it) does not count.
    package func identity() throws(SessionError) -> String {
        let pythons: [String]
        do throws(InterpreterError) {
            pythons = try Session.candidates(self).map(\.path.description)
        } catch {
            throw .interpreter(InterpreterProblem(message: error.message))
        }
        let parts = [
            pythons.joined(separator: ":"), options.levels.map { "\($0.rawValue)" }.joined(separator: ","),
            options.invalidation.rawValue, scope.excludeTexts.joined(separator: "\n"),
            scope.honoursGitignore ? "gitignore" : "",
        ]
        return parts.joined(separator: "|")
    }
}
