// The frames exchanged with `worker.py`, which documents them.

import BasicTypes
import BuildModel

/// One source to compile.
package struct CompileRequest: Sendable {
    package var identifier: UInt32
    package var level: OptimizationLevel
    /// Whether to send back the code. A check only needs to know whether it compiles.
    package var wantsCode: Bool
    /// If set, the reply has the text that `py_compile` prints.
    package var printing: Printing?
    /// `co_filename` of the code.
    package var fileName: BytePath
    package var source: [UInt8]

    package init(
        identifier: UInt32, level: OptimizationLevel, wantsCode: Bool, printing: Printing? = nil, fileName: BytePath,
        source: [UInt8]
    ) {
        self.identifier = identifier
        self.level = level
        self.wantsCode = wantsCode
        self.printing = printing
        self.fileName = fileName
        self.source = source
    }

    /// What the text of CPython's errors and warnings depends on, apart from the source.
    package struct Printing: Sendable {
        /// Whether the file name leads to the source from the user's working directory, so that Python would show its
        /// lines.
        package var hasLines: Bool
        /// As in PYTHONWARNINGS: which warnings are shown, and which are errors.
        package var warningOptions: BytePath

        package init(hasLines: Bool, warningOptions: BytePath) {
            self.hasLines = hasLines
            self.warningOptions = warningOptions
        }
    }

    /// Maximum size of a source, in bytes. A frame's length has 32 bits; far smaller sources exhaust a compiler.
    package static let largestSource: Int64 = 1 << 29

    /// Appends the request as a frame.
    ///
    /// - Parameter levelIsFixed: whether the process was started with its level and cannot change it (Python 2).
    func write(to frame: inout [UInt8], levelIsFixed: Bool) {
        let length = 10 + fileName.count + (printing.map { 4 + $0.warningOptions.count } ?? 0) + source.count
        frame.append(littleEndian: UInt32(length))
        frame.append(littleEndian: identifier)
        frame.append(levelIsFixed ? 255 : level.rawValue)
        frame.append((wantsCode ? 1 : 0) | (printing == nil ? 0 : 2) | (printing?.hasLines == true ? 4 : 0))
        frame.append(littleEndian: UInt32(fileName.count))
        frame.append(contentsOf: fileName.bytes)
        if let printing {
            frame.append(littleEndian: UInt32(printing.warningOptions.count))
            frame.append(contentsOf: printing.warningOptions.bytes)
        }
        frame.append(contentsOf: source)
    }
}

/// The result of compiling one source.
package struct CompileReply: Sendable {
    package var identifier: UInt32
    package var isFailure: Bool
    package var microseconds: UInt32
    package var diagnostics: [Diagnostic]
    /// Marshalled code; empty for checks. After a failure, its text if that was requested. A slice, because the replies
    /// that arrive together share their memory.
    package var code: ArraySlice<UInt8>
}

/// What an interpreter reports about itself.
package struct WorkerHello: Sendable {
    var facts: [String: String]

    /// `sys.version` in hexadecimal, which identifies the build.
    var build: String? { facts["build"] }

    /// - Returns: `nil` if a fact is missing or invalid.
    func interpreter(path: BytePath, executable: Stamp) -> Interpreter? {
        guard let version = facts["version"], let implementation = facts["implementation"], let tag = facts["tag"],
            let magic = facts["magic"].flatMap(Self.word), let magic32 = UInt32(exactly: magic),
            let layout = facts["header"].flatMap({ Int($0) }).flatMap({ HeaderLayout(rawValue: $0) })
        else { return nil }
        // The interpreter hashed a sample. The variant that gives the same hash is the one it uses.
        let sample = facts["hash"].flatMap(Self.word)
        let variants: [SourceHashVariant] = [.sipHash13, .sipHash24]
        let variant = variants.first { variant in
            sample != nil && Self.hashSample.withUnsafeBytes { variant.hash($0, key: magic) } == sample
        }
        return Interpreter(
            path: path, executable: executable, version: version, implementation: implementation, cacheTag: tag,
            magic: magic32, layout: layout, sourceHash: layout == .flagged ? variant : nil,
            codeLayout: facts["code"] ?? "",
            opcodes: (facts["opcodes"] ?? "").split(separator: ".").compactMap { UInt8($0) },
            standardLibrary: facts["stdlib"] ?? "")
    }

    /// The sample that worker.py hashes.
    private static let hashSample = Array("freshpyc".utf8)

    /// The number whose little-endian bytes these hexadecimal digits are.
    private static func word(_ text: String) -> UInt64? {
        guard !text.isEmpty, text.utf8.count <= 16, let bigEndian = UInt64(text, radix: 16) else { return nil }
        return bigEndian.byteSwapped >> UInt64(64 - text.utf8.count * 4)
    }
}

/// A frame from a worker.
enum WorkerFrame {
    case hello(WorkerHello)
    case reply(CompileReply)

    static let helloIdentifier: UInt32 = 0xFFFF_FFFF

    /// Decodes one frame's payload; `nil` if worker.py does not write such a frame.
    init?(payload: ArraySlice<UInt8>) {
        guard let frame = payload.withUnsafeBytes({ Self.decode($0, payload) }) else { return nil }
        self = frame
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, _ payload: ArraySlice<UInt8>) -> WorkerFrame? {
        var cursor = Cursor(bytes: bytes)
        guard let identifier = cursor.word() else { return nil }
        if identifier == helloIdentifier {
            var facts: [String: String] = [:]
            for line in String(decoding: cursor.rest(), as: UTF8.self).split(separator: "\n") {
                guard let space = line.firstIndex(of: " ") else { return nil }
                facts[String(line[..<space])] = String(line[line.index(after: space)...])
            }
            return .hello(WorkerHello(facts: facts))
        }
        guard let status = cursor.byte(), status < 2, let microseconds = cursor.word(), let count = cursor.word()
        else { return nil }
        var diagnostics: [Diagnostic] = []
        for _ in 0..<count {
            guard let diagnostic = cursor.diagnostic() else { return nil }
            diagnostics.append(diagnostic)
        }
        return .reply(
            CompileReply(
                identifier: identifier, isFailure: status == 1, microseconds: microseconds, diagnostics: diagnostics,
                code: payload[(payload.startIndex + cursor.offset)...]))
    }

    private struct Cursor {
        let bytes: UnsafeRawBufferPointer
        var offset = 0

        mutating func byte() -> UInt8? {
            guard offset < bytes.count else { return nil }
            defer { offset += 1 }
            return bytes[offset]
        }

        mutating func word() -> UInt32? {
            guard bytes.count - offset >= 4 else { return nil }
            defer { offset += 4 }
            return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }

        mutating func number() -> Int? { word().map { Int(Int32(bitPattern: $0)) } }

        mutating func text() -> String? {
            guard let length = word(), bytes.count - offset >= Int(length) else { return nil }
            defer { offset += Int(length) }
            return String(decoding: bytes[offset..<offset + Int(length)], as: UTF8.self)
        }

        mutating func rest() -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bytes[offset...])
        }

        mutating func diagnostic() -> Diagnostic? {
            guard let kind = byte(), let line = number(), let column = number(), let endLine = number(),
                let endColumn = number(), let type = text(), let message = text()
            else { return nil }
            let (rule, severity): (Rule, Severity)
            switch kind {
            case 0: (rule, severity) = (Self.rule(type: type, message: message), .error)
            case 1: (rule, severity) = (.syntaxWarning, .warning)
            case 2: (rule, severity) = (.deprecationWarning, .warning)
            case 3: (rule, severity) = (.syntaxWarning, .warning)
            default: return nil
            }
            return Diagnostic(
                rule, severity, line: line, column: column, endLine: endLine, endColumn: endColumn, type: type,
                message: message)
        }

        /// Different causes raise the same exception in CPython, and versions differ, so this looks at the message too.
        private static func rule(type: String, message: String) -> Rule {
            if message.contains("null bytes") { return .nullBytes }
            switch type {
            case "UnicodeDecodeError": return .undecodable
            case "SyntaxError":
                let decoding = [
                    "(unicode error) 'utf-8' codec", "unknown encoding", "encoding problem", "Non-UTF-8 code",
                ]
                let isDecoding =
                    decoding.contains { message.lowercased().hasPrefix($0.lowercased()) }
                    || (message.hasPrefix("'") && message.contains("codec can't decode"))
                return isDecoding ? .undecodable : .syntaxError
            case "IndentationError", "TabError": return .syntaxError
            default: return .compilerError
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian word: UInt32) {
        Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
    }
}
