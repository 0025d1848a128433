// What is said over the control socket: JSON-RPC 2.0, one object a line. PROTOCOL.md describes it to people.
// Knows: requests, replies, errors. Does not know: sockets, or how anything is answered.

import Documents
import FoundationEssentials

/// The methods.
package enum ControlMethod: String, Sendable, CaseIterable {
    case build, wait, status, diagnostics, why, graph, affected, cycles, subscribe, stop
}

/// A request's identifier: a number or a string, given back as it came.
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

/// What may accompany a request. Each method takes those that it needs.
package struct ControlParameters: Codable, Sendable {
    /// The client's version; a daemon of another one refuses.
    package var version: String?
    /// What the client would build for; a daemon with another configuration refuses.
    package var configuration: String?
    /// Places relative to the root; none means all of it.
    package var starts: [String]?
    /// `build`: recompile what is up to date as well.
    package var force: Bool?
    /// `why`: a source, relative to the root.
    package var path: String?
    /// `graph`: where to begin; `affected`: what has changed. Relative to the root.
    package var paths: [String]?
    /// `graph`: `dependencies` or `dependents`.
    package var direction: String?
    /// `graph`: steps that are gone at most.
    package var depth: Int?
    /// `graph`, `affected`: kinds of imports that count; none means all.
    package var kinds: [String]?
    /// `affected`: tests alone.
    package var tests: Bool?

    package init(
        version: String? = nil, configuration: String? = nil, starts: [String]? = nil, force: Bool? = nil,
        path: String? = nil
    ) {
        self.version = version
        self.configuration = configuration
        self.starts = starts
        self.force = force
        self.path = path
    }
}

package struct ControlRequest: Codable, Sendable {
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

/// An error as JSON-RPC has them; from -32000 on they are our own.
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
    package static let otherConfiguration = ControlError(
        code: otherConfigurationCode, message: "this daemon keeps the tree for other interpreters, options or paths")
    package static let tooLong = ControlError(code: -32003, message: "a line may have 1 MiB")

    package static let otherVersionCode = -32001
    package static let otherConfigurationCode = -32002
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

    /// An error without a request to answer has the identifier null, and not none (JSON-RPC 2.0, section 5).
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(jsonrpc, forKey: .jsonrpc)
        try container.encode(id, forKey: .id)
        try container.encodeIfPresent(result, forKey: .result)
        try container.encodeIfPresent(error, forKey: .error)
    }
}

/// An event: a wave, as it happens.
package struct ControlEvent: Codable, Sendable {
    package var jsonrpc = "2.0"
    package var method = "wave"
    package var params: ReportDocument

    package init(_ report: ReportDocument) { params = report }
}

/// Nothing more to say than that it was done.
package struct Acknowledgement: Codable, Sendable {
    package var ok = true
    package init() {}
}
