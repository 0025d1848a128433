// The options that decide what a session answers, so that a daemon can tell whether it may answer for a client.

import BasicTypes
import BuildModel
import Interpreters

/// The options on which the answers of a session depend, as text that travels over a socket.
///
/// What only decides how the work is done (jobs, the store, the place of the database) is not among them, nor is what
/// travels with each request (paths, `--force`). A test goes through every stored property of `SessionConfiguration`, and
/// fails for a new one until it is known whether it belongs here.
package struct AnswerOptions: Sendable, Equatable {
    /// One option, by its key in `freshpyc.json`.
    package enum Key: String, CaseIterable, Sendable {
        case python, optimize, invalidation, exclude, gitignore, timeout
        case sourceRoots = "source-roots"
    }

    private var values: [String: [String]]

    /// All options of a configuration. Finds the interpreters, and starts none.
    package init(_ configuration: SessionConfiguration) throws(SessionError) {
        let pythons: [BytePath]
        do throws(InterpreterError) {
            pythons = try Session.candidates(configuration).map(\.path)
        } catch {
            throw .interpreter(InterpreterProblem(message: error.message))
        }
        values = [:]
        for key in Key.allCases {
            values[key.rawValue] =
                switch key {
                case .python: pythons.map { Self.text($0) }
                case .optimize: configuration.options.levels.map { "\($0.rawValue)" }
                case .invalidation: [configuration.options.invalidation.rawValue]
                case .exclude: configuration.scope.excludeTexts
                case .gitignore: ["\(configuration.scope.honoursGitignore)"]
                case .timeout: ["\(configuration.deadline)"]
                case .sourceRoots: configuration.sourceRoots.map { Self.text($0) }
                }
        }
    }

    /// The same for these keys alone: those that a verb has options for.
    package func keeping(_ keys: Set<Key>) -> AnswerOptions {
        let names = Set(keys.map(\.rawValue))
        var kept = self
        kept.values = values.filter { names.contains($0.key) }
        return kept
    }

    /// The keys of a client's options that have another value here, sorted. What the client does not name does not
    /// matter to it.
    package func differences(from asked: AnswerOptions) -> [String] {
        asked.values.filter { values[$0.key] != $0.value }.keys.sorted()
    }

    private static func text(_ path: BytePath) -> String { path.hexadecimalIfNotText ?? path.description }
}

extension AnswerOptions: Codable {
    package init(from decoder: any Decoder) throws {
        values = try decoder.singleValueContainer().decode([String: [String]].self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}

extension Session {
    /// Where the interpreters of a configuration are. Nothing is started.
    package static func candidates(
        _ configuration: SessionConfiguration
    ) throws(InterpreterError) -> [InterpreterCandidate] {
        try InterpreterFinder(root: configuration.rootPath)
            .candidates(configuration.pythons, relativeTo: configuration.workingDirectory)
    }
}
