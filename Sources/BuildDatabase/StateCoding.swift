// Encodes and decodes each value of the database. FORMAT.md describes the format.

import BasicTypes
import BuildModel

extension JSONLineWriter {
    mutating func value(_ stamp: Stamp) {
        open("[")
        value(stamp.device)
        value(stamp.inode)
        value(stamp.size)
        value(stamp.modified)
        value(stamp.changed)
        close("]")
    }

    /// Nanoseconds since 1970. Distant years need more than 64 bits.
    private mutating func value(_ time: FileTime) {
        if let nanoseconds = Int64(exactly: time.wideNanoseconds) {
            value(nanoseconds)
        } else {
            wideValue(time.wideNanoseconds)
        }
    }

    mutating func value(_ interpreter: Interpreter) {
        open("{")
        key("path")
        value(interpreter.path)
        key("executable")
        value(interpreter.executable)
        key("version")
        value(interpreter.version)
        key("implementation")
        value(interpreter.implementation)
        key("cacheTag")
        value(interpreter.cacheTag)
        key("magic")
        value(interpreter.magic)
        key("header")
        value(interpreter.layout.rawValue)
        key("sourceHash")
        value(interpreter.sourceHash?.rawValue ?? "")
        key("codeLayout")
        value(interpreter.codeLayout)
        key("opcodes")
        open("[")
        for opcode in interpreter.opcodes { value(opcode) }
        close("]")
        key("standardLibrary")
        value(interpreter.standardLibrary)
        close("}")
    }

    mutating func value(_ diagnostic: Diagnostic) {
        open("{")
        key("rule")
        value(diagnostic.rule.rawValue)
        key("severity")
        value(diagnostic.severity.rawValue)
        key("place")
        open("[")
        value(diagnostic.line)
        value(diagnostic.column)
        value(diagnostic.endLine)
        value(diagnostic.endColumn)
        close("]")
        key("type")
        value(diagnostic.type)
        key("message")
        value(diagnostic.message)
        close("}")
    }

    /// The state of a source when it was read: keys of an object, `racy` only if true.
    mutating func state(_ state: SourceState) {
        key("stamp")
        value(state.stamp)
        key("fingerprint")
        hexadecimal(state.fingerprint.high, state.fingerprint.low)
        if state.isRacy {
            key("racy")
            value(true)
        }
    }

    private mutating func value(_ trace: Trace, in record: ModuleRecord) {
        open("{")
        key("interpreter")
        value(trace.key.interpreter.rawValue)
        key("level")
        value(trace.key.level.rawValue)
        if trace.fingerprint != record.source.fingerprint {
            key("fingerprint")
            hexadecimal(trace.fingerprint.high, trace.fingerprint.low)
        }
        key("outcome")
        switch trace.outcome {
        case .failed: value("failed")
        case .compiles: value("compiles")
        case .published(let artifact):
            value("published")
            key("mode")
            value(artifact.mode.rawValue)
            key("artifact")
            value(artifact.stamp)
            key("body")
            hexadecimal(artifact.body)
            key("header")
            open("[")
            value(artifact.seconds)
            value(artifact.size)
            close("]")
            if artifact.isGuarded {
                key("guarded")
                value(true)
            }
        }
        key("microseconds")
        value(trace.microseconds)
        key("clock")
        value(trace.clock)
        if !trace.diagnostics.isEmpty {
            key("diagnostics")
            open("[")
            for diagnostic in trace.diagnostics { value(diagnostic) }
            close("]")
        }
        close("}")
    }

    mutating func value(_ record: ModuleRecord) {
        open("{")
        key("path")
        value(record.path)
        state(record.source)
        key("traces")
        open("[")
        for trace in record.traces { value(trace, in: record) }
        close("]")
        close("}")
    }
}

extension JSONLineReader {
    /// The number of a wave. Larger numbers are refused, because counting on from them could overflow.
    mutating func clock() throws(MalformedState) -> UInt64 {
        let clock: UInt64 = try integer()
        guard clock < 1 << 62 else { throw MalformedState(offset: position) }
        return clock
    }

    mutating func stamp() throws(MalformedState) -> Stamp {
        try expect("[")
        let device: UInt64 = try integer()
        try expect(",")
        let inode: UInt64 = try integer()
        try expect(",")
        let size: Int64 = try integer()
        try expect(",")
        let modified = try time()
        try expect(",")
        let changed = try time()
        try expect("]")
        return Stamp(device: device, inode: inode, size: size, modified: modified, changed: changed)
    }

    private mutating func time() throws(MalformedState) -> FileTime {
        let nanoseconds = try wideInteger()
        if let narrow = Int64(exactly: nanoseconds) { return FileTime(nanoseconds: narrow) }
        guard let time = FileTime(wideNanoseconds: nanoseconds) else { throw MalformedState(offset: position) }
        return time
    }

    private mutating func fingerprint() throws(MalformedState) -> Fingerprint {
        try expect("\"")
        let high = try hexadecimal()
        let low = try hexadecimal()
        try expect("\"")
        return Fingerprint(high: high, low: low)
    }

    private mutating func name<Name: RawRepresentable<String>>() throws(MalformedState) -> Name {
        guard let name = Name(rawValue: try text()) else { throw MalformedState(offset: position) }
        return name
    }

    mutating func interpreter() throws(MalformedState) -> Interpreter {
        try expect("{\"path\":")
        let path = try path()
        try expect(",\"executable\":")
        let executable = try stamp()
        try expect(",\"version\":")
        let version = try text()
        try expect(",\"implementation\":")
        let implementation = try text()
        try expect(",\"cacheTag\":")
        let cacheTag = try text()
        try expect(",\"magic\":")
        let magic: UInt32 = try integer()
        try expect(",\"header\":")
        guard let layout = HeaderLayout(rawValue: try integer()) else { throw MalformedState(offset: position) }
        try expect(",\"sourceHash\":")
        let sourceHash = SourceHashVariant(rawValue: try text())
        try expect(",\"codeLayout\":")
        let codeLayout = try text()
        try expect(",\"opcodes\":[")
        var opcodes: [UInt8] = []
        try list(closedBy: "]") { reader throws(MalformedState) in opcodes.append(try reader.integer()) }
        try expect(",\"standardLibrary\":")
        let standardLibrary = try text()
        try expect("}")
        return Interpreter(
            path: path, executable: executable, version: version, implementation: implementation, cacheTag: cacheTag,
            magic: magic, layout: layout, sourceHash: sourceHash, codeLayout: codeLayout, opcodes: opcodes,
            standardLibrary: standardLibrary)
    }

    private mutating func diagnostic() throws(MalformedState) -> Diagnostic {
        try expect("{\"rule\":")
        let rule: Rule = try name()
        try expect(",\"severity\":")
        let severity: Severity = try name()
        try expect(",\"place\":[")
        let line: Int = try integer()
        try expect(",")
        let column: Int = try integer()
        try expect(",")
        let endLine: Int = try integer()
        try expect(",")
        let endColumn: Int = try integer()
        try expect("],\"type\":")
        let type = try text()
        try expect(",\"message\":")
        let message = try text()
        try expect("}")
        return Diagnostic(
            rule, severity, line: line, column: column, endLine: endLine, endColumn: endColumn, type: type,
            message: message)
    }

    private mutating func published() throws(MalformedState) -> PublishedArtifact {
        try expect(",\"mode\":")
        // Fast path: recognize the most common mode without creating a string.
        let mode: InvalidationMode
        if take("\"timestamp\"") { mode = .timestamp } else { mode = try name() }
        try expect(",\"artifact\":")
        let stamp = try stamp()
        try expect(",\"body\":\"")
        let body = try hexadecimal()
        try expect("\",\"header\":[")
        let seconds: UInt32 = try integer()
        try expect(",")
        let size: UInt32 = try integer()
        try expect("]")
        let isGuarded = take(",\"guarded\":true")
        return PublishedArtifact(
            stamp: stamp, body: body, mode: mode, seconds: seconds, size: size, isGuarded: isGuarded)
    }

    private mutating func trace(of source: Fingerprint) throws(MalformedState) -> Trace {
        try expect("{\"interpreter\":")
        let interpreter = InterpreterID(rawValue: try integer())
        try expect(",\"level\":")
        guard let level = OptimizationLevel(rawValue: try integer()) else { throw MalformedState(offset: position) }
        var fingerprint = source
        if take(",\"fingerprint\":") { fingerprint = try self.fingerprint() }
        let outcome: Outcome
        if take(",\"outcome\":\"published\"") {
            outcome = .published(try published())
        } else if take(",\"outcome\":\"failed\"") {
            outcome = .failed
        } else {
            try expect(",\"outcome\":\"compiles\"")
            outcome = .compiles
        }
        try expect(",\"microseconds\":")
        let microseconds: UInt32 = try integer()
        try expect(",\"clock\":")
        let clock: UInt64 = try integer()
        var diagnostics: [Diagnostic] = []
        if take(",\"diagnostics\":[") {
            try list(closedBy: "]") { reader throws(MalformedState) in diagnostics.append(try reader.diagnostic()) }
        }
        try expect("}")
        return Trace(
            key: ArtifactKey(interpreter: interpreter, level: level), fingerprint: fingerprint, outcome: outcome,
            diagnostics: diagnostics, microseconds: microseconds, clock: clock)
    }

    mutating func sourceState() throws(MalformedState) -> SourceState {
        try expect(",\"stamp\":")
        let stamp = try stamp()
        try expect(",\"fingerprint\":")
        let fingerprint = try fingerprint()
        return SourceState(stamp: stamp, fingerprint: fingerprint, isRacy: take(",\"racy\":true"))
    }

    mutating func moduleRecord() throws(MalformedState) -> ModuleRecord {
        try expect("{\"path\":")
        let path = try path()
        let state = try sourceState()
        try expect(",\"traces\":[")
        var traces: [Trace] = []
        try list(closedBy: "]") { reader throws(MalformedState) in
            traces.append(try reader.trace(of: state.fingerprint))
        }
        try expect("}")
        return ModuleRecord(path: path, source: state, traces: traces)
    }
}
