// Answers about imports as JSON, for the control socket and for `--format json`.

import BasicTypes
import BuildModel
import ImportGraph

/// An answer about imports.
package protocol ImportsDocument: Codable, Sendable {
    /// The directories and sources that could not be read, so that imports of them and in them are missing; `nil` if none.
    var unread: [ReportDocument.Finding]? { get set }
}

extension ImportsDocument {
    /// Notes the directories and sources among these findings that could not be read.
    package mutating func note(_ findings: [LocatedDiagnostic]) {
        let found = findings.filter { $0.diagnostic.rule == .unreadable }
        if !found.isEmpty { unread = found.sorted { $0.path < $1.path }.map { ReportDocument.Finding($0) } }
    }
}

/// The answer to `graph`.
package struct GraphDocument: ImportsDocument {
    package struct Import: Codable, Sendable {
        package var line: Int
        package var column: Int
        package var kind: String
        package var statement: String
        /// `resolved`, `external`, `missing`, `ambiguous` or `unknown`.
        package var state: String
        /// Sources that it names.
        package var to: [String]
        /// Packages whose `__init__.py` runs first.
        package var through: [String]
        /// Dotted names of modules that are not in the tree.
        package var external: [String]
        /// Whether it never runs, because it needs a version or platform that is not the interpreter's.
        package var never: Bool

        package init(_ kept: GraphImport) {
            line = kept.line
            column = kept.column
            kind = kept.kind.rawValue
            statement = kept.statement
            state = kept.state
            to = kept.targets
            through = kept.through
            external = kept.external
            never = kept.neverRuns
        }

        /// Accepts missing keys: empty lists and false values are not encoded, because most are empty or false.
        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            line = try container.decode(Int.self, forKey: .line)
            column = try container.decode(Int.self, forKey: .column)
            kind = try container.decode(String.self, forKey: .kind)
            statement = try container.decode(String.self, forKey: .statement)
            state = try container.decode(String.self, forKey: .state)
            to = try container.decodeIfPresent([String].self, forKey: .to) ?? []
            through = try container.decodeIfPresent([String].self, forKey: .through) ?? []
            external = try container.decodeIfPresent([String].self, forKey: .external) ?? []
            never = try container.decodeIfPresent(Bool.self, forKey: .never) ?? false
        }
    }

    package struct Module: Codable, Sendable {
        package var path: String
        /// It does not compile; the imports are those of its last version that did.
        package var outdated: Bool?
        package var imports: [Import]
    }

    package var schema = 1
    package var root: String
    package var modules: [Module]
    package var unread: [ReportDocument.Finding]?

    package init(root: BytePath, _ nodes: [GraphNode]) {
        self.root = root.description
        modules = nodes.map { node in
            Module(path: node.path, outdated: node.isOutdated ? true : nil, imports: node.imports.map { Import($0) })
        }
    }

    /// The document as JSON. For 100,000 imports, this takes a tenth of the time of `JSONEncoder`.
    package var line: [UInt8] {
        var writer = JSONLineWriter(capacity: modules.count * 2000)
        writer.open("{")
        writer.key("modules")
        writer.open("[")
        for module in modules {
            writer.open("{")
            writer.key("imports")
            writer.open("[")
            for kept in module.imports { writer.value(kept) }
            writer.close("]")
            if module.outdated == true {
                writer.key("outdated")
                writer.value(true)
            }
            writer.key("path")
            writer.value(module.path)
            writer.close("}")
        }
        writer.close("]")
        writer.key("root")
        writer.value(root)
        writer.key("schema")
        writer.value(schema)
        if let unread {
            writer.key("unread")
            writer.raw(JSONLine.encode(unread).utf8.dropLast())
        }
        writer.close("}")
        return writer.bytes
    }
}

extension JSONLineWriter {
    fileprivate mutating func value(_ kept: GraphDocument.Import) {
        open("{")
        key("column")
        value(kept.column)
        if !kept.external.isEmpty {
            key("external")
            values(kept.external)
        }
        key("kind")
        value(kept.kind)
        key("line")
        value(kept.line)
        if kept.never {
            key("never")
            value(true)
        }
        key("state")
        value(kept.state)
        key("statement")
        value(kept.statement)
        if !kept.through.isEmpty {
            key("through")
            values(kept.through)
        }
        if !kept.to.isEmpty {
            key("to")
            values(kept.to)
        }
        close("}")
    }

    private mutating func values(_ texts: [String]) {
        open("[")
        for text in texts { value(text) }
        close("]")
    }
}

/// The answer to `affected`.
package struct AffectedDocument: ImportsDocument {
    package struct Step: Codable, Sendable {
        package var path: String
        /// How the next step affects it: `imports`, `package`, `conftest`, `mentions`, `declared` or `assumed`; `changed` for
        /// the last step.
        package var link: String
        /// The line of the import; 0 for other links.
        package var line: Int
    }

    package struct Source: Codable, Sendable {
        package var path: String
        /// From the source to the change; empty if it was not asked for.
        package var chain: [Step]
    }

    package struct Widening: Codable, Sendable {
        package var path: String
        package var reason: String
    }

    package var schema = 1
    package var changed: [String]
    package var affected: [Source]
    /// Changes whose effects are not known exactly, and what was assumed instead.
    package var widened: [Widening]
    /// Files that do not exist and that nothing imports.
    package var unknown: [String]?
    package var unread: [ReportDocument.Finding]?

    /// - Parameter hasChains: whether to say how each source depends on a change.
    package init(changed: [BytePath], _ answer: AffectedAnswer, hasChains: Bool) {
        self.changed = changed.map(\.text)
        affected = answer.sources.map { source in
            Source(
                path: source.path.text,
                chain: !hasChains ? [] : source.chain.map { Step(path: $0.path.text, link: $0.link, line: $0.line) })
        }
        widened = answer.widened.map { Widening(path: $0.path.text, reason: $0.reason) }
        if !answer.unknown.isEmpty { unknown = answer.unknown.map(\.text) }
    }
}

/// The answer to `cycles`.
package struct CyclesDocument: ImportsDocument {
    package struct Step: Codable, Sendable {
        package var path: String
        package var line: Int
        package var kind: String
    }

    package struct Cycle: Codable, Sendable {
        /// Whether importing one of them runs all of them.
        package var eager: Bool
        package var members: [String]
        /// A shortest path through the cycle; the last step imports the first.
        package var chain: [Step]
    }

    package var schema = 1
    /// The number of modules that were searched.
    package var modules: Int
    package var cycles: [Cycle]
    package var unread: [ReportDocument.Finding]?

    package init(_ answers: [CycleAnswer], modules: Int) {
        self.modules = modules
        cycles = answers.map { cycle in
            Cycle(
                eager: cycle.isEager, members: cycle.members.map(\.description),
                chain: cycle.chain.map { Step(path: $0.path.description, line: $0.line, kind: $0.kind.rawValue) })
        }
    }
}
