// Encodes the facts of the graph as one file, and decodes them. FORMAT.md describes the format.

import BasicTypes
import ImportGraph

/// The scanned facts of one source.
package struct GraphRecord: Sendable {
    package let path: BytePath
    /// The state of the source when the facts were scanned.
    package let state: SourceState
    package let facts: ModuleFacts

    package init(path: BytePath, state: SourceState, facts: ModuleFacts) {
        self.path = path
        self.state = state
        self.facts = facts
    }
}

/// Everything that `graph.json` holds.
package struct GraphContents: Sendable {
    package var root: BytePath
    /// The interpreters that conditions were evaluated for. Facts for other interpreters cannot be used.
    package var interpreters: String
    /// Paths of modules that were removed from the tree, without `.py`.
    package var vanished: [BytePath] = []
    package var modules: [GraphRecord] = []

    package init(root: BytePath, interpreters: String) {
        self.root = root
        self.interpreters = interpreters
    }
}

/// Imports are written with their targets, for people and other programs. Decoding ignores the targets: imports are
/// resolved again, because other files may have been added or removed.
package enum GraphSnapshot {
    /// Raised whenever an older freshpyc could misread what a newer one writes.
    package static let schema = 2

    /// - Parameter leads: the targets of an import, from the positions of its module and of the import in it.
    package static func encode(
        _ contents: GraphContents, names: NameTable, leads: (_ module: Int, _ position: Int) -> [BytePath]
    ) -> [UInt8] {
        var writer = JSONLineWriter(capacity: 512 + contents.modules.count * 1500)
        writer.open("{")
        writer.key("schema")
        writer.value(schema)
        writer.key("root")
        writer.value(contents.root)
        writer.key("interpreters")
        writer.value(contents.interpreters)
        writer.key("vanished")
        writer.open("[")
        for name in contents.vanished { writer.value(name) }
        writer.close("]")
        writer.key("modules")
        writer.open("[")
        for (index, record) in contents.modules.enumerated() {
            writer.newline()
            writer.value(record, names) { leads(index, $0) }
        }
        writer.lastNewline()
        writer.close("]")
        return SealedJSON.seal(&writer)
    }

    /// - Returns: `nil` if the bytes are damaged, or have another schema, root or set of interpreters. All sources are
    ///   then scanned again.
    package static func decode(
        _ bytes: [UInt8], root: BytePath, interpreters: String, names: inout NameTable
    ) -> GraphContents? {
        bytes.withUnsafeBytes { buffer in
            do throws(MalformedState) {
                _ = try SealedJSON.end(of: buffer)
                var reader = JSONLineReader(buffer)
                try reader.expect("{\"schema\":")
                let found: Int = try reader.integer()
                guard found == schema else { return nil }
                try reader.expect(",\"root\":")
                var contents = GraphContents(root: try reader.path(), interpreters: "")
                try reader.expect(",\"interpreters\":")
                contents.interpreters = try reader.text()
                guard contents.root == root, contents.interpreters == interpreters else { return nil }
                try reader.expect(",\"vanished\":[")
                try reader.list(closedBy: "]") { reader throws(MalformedState) in
                    contents.vanished.append(try reader.path())
                }
                try reader.expect(",\"modules\":[\n")
                while !reader.take("]") {
                    contents.modules.append(try reader.graphRecord(&names))
                    _ = reader.take(",")
                    try reader.expect("\n")
                }
                return contents
            } catch {
                return nil
            }
        }
    }
}

extension JSONLineWriter {
    fileprivate mutating func value(
        _ record: GraphRecord, _ names: NameTable, _ leads: (Int) -> [BytePath]
    ) {
        open("{")
        key("path")
        value(record.path)
        state(record.state)
        if record.facts.isOutdated {
            key("outdated")
            value(true)
        }
        key("imports")
        open("[")
        for (position, kept) in record.facts.imports.enumerated() {
            value(kept, record.facts, names, leads(position))
        }
        close("]")
        switch record.facts.bindings {
        case .unread: break
        case .unknowable(let registersModules):
            key("binds")
            null()
            if !registersModules {
                key("registers")
                value(false)
            }
        case .names(let bound):
            key("binds")
            open("[")
            // In the order of the code.
            for name in bound.topLevel { self.name(name, names) }
            close("]")
            if !bound.others.isEmpty {
                key("globals")
                open("[")
                for name in bound.others { self.name(name, names) }
                close("]")
            }
        }
        close("}")
    }

    private mutating func name(_ name: NameID, _ names: NameTable) {
        value(BytePath(names[name]) ?? .empty)
    }

    private mutating func value(
        _ kept: KeptImport, _ facts: ModuleFacts, _ names: NameTable, _ leads: [BytePath]
    ) {
        open("{")
        key("at")
        open("[")
        value(kept.line)
        value(kept.column)
        close("]")
        key("kind")
        value(kept.kind.rawValue)
        key("traits")
        value(kept.traits.rawValue)
        if kept.neverRuns {
            key("never")
            value(true)
        }
        key("form")
        value(kept.form.rawValue)
        if kept.form != .modules {
            key("level")
            value(kept.level)
            key("module")
            name(kept.module, names)
        }
        if kept.anchor != .enclosingPackage {
            key("anchor")
            value(kept.anchor.rawValue)
            key("package")
            name(kept.anchorName, names)
        }
        key("names")
        open("[")
        for name in facts.names[kept.names] {
            self.name(name.name, names)
            // A colon marks an alias; no name begins with one.
            if name.alias != .empty { value(BytePath([UInt8(ascii: ":")] + names[name.alias]) ?? .empty) }
        }
        close("]")
        if !leads.isEmpty {
            key("to")
            open("[")
            for path in leads { value(path) }
            close("]")
        }
        close("}")
    }
}

extension JSONLineReader {
    fileprivate mutating func graphRecord(_ names: inout NameTable) throws(MalformedState) -> GraphRecord {
        try expect("{\"path\":")
        let path = try path()
        let state = try sourceState()
        var facts = ModuleFacts()
        facts.isOutdated = take(",\"outdated\":true")
        try expect(",\"imports\":[")
        // Not `list`: its closure would have to capture `inout` parameters.
        if !take("]") {
            repeat { try keptImport(&facts, &names) } while take(",")
            try expect("]")
        }
        if take(",\"binds\":null") {
            facts.bindings = .unknowable(registersModules: !take(",\"registers\":false"))
        } else if take(",\"binds\":[") {
            var bound = BoundNames(topLevel: try boundNames(&names))
            if take(",\"globals\":[") { bound.others = try boundNames(&names) }
            facts.bindings = .names(bound)
        }
        try expect("}")
        return GraphRecord(path: path, state: state, facts: facts)
    }

    /// The rest of a list of names, after its bracket.
    private mutating func boundNames(_ names: inout NameTable) throws(MalformedState) -> [NameID] {
        var bound: [NameID] = []
        if take("]") { return bound }
        repeat { bound.append(names.intern(try self.path().bytes)) } while take(",")
        try expect("]")
        return bound
    }

    private mutating func keptImport(
        _ facts: inout ModuleFacts, _ names: inout NameTable
    ) throws(MalformedState) {
        try expect("{\"at\":[")
        let line: UInt32 = try integer()
        try expect(",")
        let column: UInt32 = try integer()
        try expect("],\"kind\":")
        _ = try path()
        try expect(",\"traits\":")
        let traits: UInt8 = try integer()
        let neverRuns = take(",\"never\":true")
        try expect(",\"form\":")
        guard let form = ImportForm(rawValue: try integer()) else { throw MalformedState(offset: position) }
        var level: UInt8 = 0
        var module = NameID.empty
        if take(",\"level\":") {
            level = try integer()
            try expect(",\"module\":")
            module = names.intern(try path().bytes)
        }
        var anchor = KeptImport.Anchor.enclosingPackage
        var anchorName = NameID.empty
        if take(",\"anchor\":") {
            guard let known = KeptImport.Anchor(rawValue: try integer()) else { throw MalformedState(offset: position) }
            anchor = known
            try expect(",\"package\":")
            anchorName = names.intern(try path().bytes)
        }
        try expect(",\"names\":[")
        let first = facts.names.count
        if !take("]") {
            repeat {
                let bytes = try path().bytes
                if bytes.first == UInt8(ascii: ":"), facts.names.count > first {
                    facts.names[facts.names.count - 1].alias = names.intern(bytes.dropFirst())
                } else {
                    facts.names.append(KeptName(name: names.intern(bytes), alias: .empty))
                }
            } while take(",")
            try expect("]")
        }
        if take(",\"to\":[") {
            if !take("]") {
                repeat { _ = try path() } while take(",")
                try expect("]")
            }
        }
        try expect("}")
        facts.imports.append(
            KeptImport(
                line: line, column: column, module: module, anchorName: anchorName, firstName: UInt32(first),
                nameCount: UInt32(facts.names.count - first), level: level, form: form, anchor: anchor,
                traits: ImportTraits(rawValue: traits), neverRuns: neverRuns))
    }
}
