// The options that the answers of a session depend on. A daemon compares its own with those of a client.

import BasicTypes
import BuildModel
import Interpreters

/// The options that the answers of a session depend on, as text that can be sent over a socket.
///
/// Options that only affect how the work is done (jobs, the store, the location of the database) are not included, nor
/// are those that are part of each request (paths, `--force`). A test lists every stored property of
/// `SessionConfiguration`; it fails for a new property until that is classified.
package struct AnswerOptions: Sendable, Equatable {
    /// One option, by its key in `freshpyc.json`.
    package enum Key: String, CaseIterable, Sendable {
        case python, optimize, invalidation, exclude, gitignore, timeout, affects
        case sourceRoots = "source-roots"
    }

    private var values: [String: [String]]

    /// Takes all options from a configuration. Finds the interpreters, but does not start them.
    package init(_ configuration: SessionConfiguration) throws(SessionError) {
        let pythons: [String]
        do throws(InterpreterError) {
            pythons = try Session.candidates(configuration).map { candidate in
                Self.text(candidate.path) + (candidate.requirement.map { " " + $0.text } ?? "")
            }
        } catch {
            throw .interpreter(InterpreterProblem(message: error.message))
        }
        values = [:]
        for key in Key.allCases {
            values[key.rawValue] =
                switch key {
                case .python: pythons
                case .optimize: configuration.options.levels.map { "\($0.rawValue)" }
                case .invalidation: [configuration.options.invalidation.rawValue]
                case .exclude: configuration.scope.excludeTexts
                case .gitignore: ["\(configuration.scope.honoursGitignore)"]
                case .timeout: ["\(configuration.deadline)"]
                case .affects: configuration.declaredDependencies.map(\.text)
                case .sourceRoots: configuration.sourceRoots.map { Self.text($0) }
                }
        }
    }

    /// Only the options with these keys: those that a command accepts.
    package func keeping(_ keys: Set<Key>) -> AnswerOptions {
        let names = Set(keys.map(\.rawValue))
        var kept = self
        kept.values = values.filter { names.contains($0.key) }
        return kept
    }

    /// The keys, sorted, for which a client's options have other values than these. Keys that the client does not send
    /// are ignored.
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
    /// Finds the interpreters of a configuration, without starting them.
    package static func candidates(
        _ configuration: SessionConfiguration
    ) throws(InterpreterError) -> [InterpreterCandidate] {
        try InterpreterFinder(root: configuration.rootPath)
            .candidates(configuration.pythons, relativeTo: configuration.workingDirectory)
    }
}
