// The messages of the control socket: JSON-RPC 2.0, one object per line. PROTOCOL.md describes them.

import Documents
import FoundationEssentials
import Waves

/// The methods.
package enum ControlMethod: String, Sendable, CaseIterable {
    case build, wait, status, diagnostics, why, graph, affected, cycles, subscribe, stop
}

/// A request's identifier: a number or a string, repeated in the reply.
package enum RequestIdentifier: Codable, Sendable, Equatable {
    case number(Int)
    case text(String)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        }
    }
}

/// The parameters of all methods. Each method uses those that it needs.
package struct ControlParameters: Codable, Sendable {
    /// The client's version; a daemon of another version refuses.
    package var version: String?
    /// The options that the answer must be for. A daemon with other values refuses; omitted options may have any value.
    package var options: AnswerOptions?
    /// Paths relative to the root, which the daemon must keep up to date; if omitted, all paths that it keeps up to date.
    package var starts: [String]?
    /// `build`: also recompile modules that are up to date.
    package var force: Bool?
    /// `why`: a source, relative to the root.
    package var path: String?
    /// `graph`: the paths to start from; `affected`: the files that have changed. Relative to the root.
    package var paths: [String]?
    /// `graph`: `dependencies` or `dependents`.
    package var direction: String?
    /// `graph`: the maximum number of steps.
    package var depth: Int?
    /// `graph`, `affected`: the kinds of imports to follow; all if omitted.
    package var kinds: [String]?
    /// `affected`: also how each file depends on a change; so by default.
    package var chains: Bool?
    /// `affected`: only tests.
    package var tests: Bool?

    package init(
        version: String? = nil, options: AnswerOptions? = nil, starts: [String]? = nil, force: Bool? = nil,
        path: String? = nil
    ) {
        self.version = version
        self.options = options
        self.starts = starts
        self.force = force
        self.path = path
    }
}

package struct ControlRequest: Codable, Sendable {
    /// Maximum length in bytes of a line that a daemon accepts.
    package static let longestLine = 1 << 20

    package var jsonrpc = "2.0"
    /// `nil` for a notification, which is not answered.
    package var id: RequestIdentifier?
    package var method: String
    package var params: ControlParameters?

    package init(_ method: ControlMethod, _ params: ControlParameters? = nil) {
        id = .number(1)
        self.method = method.rawValue
        self.params = params
    }
}

/// A JSON-RPC error. Codes from -32000 to -32099 are our own.
package struct ControlError: Codable, Error, Sendable, Equatable {
    package var code: Int
    package var message: String

    package static let notJSON = ControlError(code: -32700, message: "not a JSON object on one line")
    package static let notRequest = ControlError(code: -32600, message: "not a JSON-RPC 2.0 request")
    package static func unknownMethod(_ name: String) -> ControlError {
        let known = ControlMethod.allCases.map(\.rawValue).joined(separator: ", ")
        return ControlError(code: -32601, message: "unknown method '\(name)'; there are \(known)")
    }
    package static func badParameters(_ message: String) -> ControlError {
        ControlError(code: -32602, message: message)
    }
    package static func otherVersion(_ version: String) -> ControlError {
        ControlError(code: otherVersionCode, message: "this daemon is freshpyc \(version)")
    }
    /// - Parameter keys: the keys of `AnswerOptions` whose values differ.
    package static func otherOptions(_ keys: [String]) -> ControlError {
        let names = keys.joined(separator: ", ")
        return ControlError(
            code: -32002, message: "the daemon of this tree has different options: \(names)")
    }
    /// - Parameter place: a path that the daemon does not keep up to date.
    package static func otherPaths(_ place: String) -> ControlError {
        ControlError(code: -32002, message: "the daemon of this tree was started for other paths than \(place)")
    }
    package static let tooLong = ControlError(code: -32003, message: "a request may have at most 1 MiB")
    package static func tooManyQuestions(_ most: Int) -> ControlError {
        ControlError(code: -32004, message: "at most \(most) requests of a connection may wait for an answer")
    }
    /// - Parameter problem: why the daemon has no session.
    package static func noSession(_ problem: String) -> ControlError {
        ControlError(code: -32005, message: "the daemon cannot build: \(problem)")
    }

    package static let otherVersionCode = -32001
}

/// A reply, or an event of a subscription (`method` and no `id`).
package struct ControlReply<Result: Codable & Sendable>: Codable, Sendable {
    package var jsonrpc = "2.0"
    package var id: RequestIdentifier?
    package var result: Result?
    package var error: ControlError?

    package init(id: RequestIdentifier?, result: Result) {
        self.id = id
        self.result = result
    }

    package init(id: RequestIdentifier?, error: ControlError) {
        self.id = id
        self.error = error
    }

    private enum CodingKeys: CodingKey {
        case jsonrpc, id, result, error
    }

    /// An error that belongs to no request has the identifier null, which must not be omitted (JSON-RPC 2.0, section 5).
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(jsonrpc, forKey: .jsonrpc)
        try container.encode(id, forKey: .id)
        try container.encodeIfPresent(result, forKey: .result)
        try container.encodeIfPresent(error, forKey: .error)
    }
}

/// An event: the report of a wave that has just ended.
package struct ControlEvent: Codable, Sendable {
    package var jsonrpc = "2.0"
    package var method = "wave"
    package var params: ReportDocument

    package init(_ report: ReportDocument) { params = report }
}

/// The result of a method that returns no data.
package struct Acknowledgement: Codable, Sendable {
    package var ok = true
    package init() {}
}
