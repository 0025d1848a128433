// Bytecode files as JSON; OUTPUT.md describes it.

import BasicTypes
import BuildModel
import Bytecode

/// One file, decoded.
package struct InspectedFile {
    /// As the user named it; `-` for standard input.
    package let path: BytePath
    package let bytes: [UInt8]
    /// `nil` if the file is too short for any header.
    package let file: PycFile?
    /// The parts of the file's name; `nil` if it is not the name of bytecode in `__pycache__`.
    package let name: CacheName?
    /// `nil` if none of the interpreters found writes this magic number.
    package let writer: Interpreter?

    package init(path: BytePath, bytes: [UInt8], file: PycFile?, name: CacheName?, writer: Interpreter?) {
        self.path = path
        self.bytes = bytes
        self.file = file
        self.name = name
        self.writer = writer
    }

    /// The first problem: one that keeps Python from running the file, or an oddity. `nil` if there is none.
    package var problem: String? {
        guard let file else { return "too short for a header (\(Plural.count(bytes.count, "byte")))" }
        guard file.hasMagicEnding else {
            return "this is not bytecode: its first four bytes are not a magic number"
        }
        switch file.code {
        case .failure(let error):
            return "the code cannot be read: \(error) of the code, which begins at byte \(file.shape.headerLength)"
        case .success(let arena):
            if file.header == nil { return "the header has unknown flags, which Python rejects" }
            if !file.holdsCode {
                let what = file.withBody(bytes) { ConstantText(arena.root, of: arena, body: $0, limit: 40) }
                return "not a module: it contains a \(what.type) instead of a code object"
            }
            guard file.trailing > 0 else { return nil }
            return "\(Plural.count(file.trailing, "byte")) after the code, which Python ignores"
        }
    }
}

/// The output of `inspect --format json`.
///
/// Code objects are a list, not a tree: they can be nested a thousand deep, which JSON parsers refuse.
package struct InspectDocument: Encodable {
    /// Maximum number of characters of a name or constant.
    fileprivate static let limit = 400

    package struct Header: Encodable {
        package let bytes: Int
        /// `timestamp`, `checked-hash`, `unchecked-hash`, or `unknown`.
        package let validation: String
        package let seconds: UInt32?
        package let time: String?
        package let size: UInt32?
        package let hash: String?
    }

    package struct Constant: Encodable {
        package let type: String
        package let text: String
        package let code: Int?
    }

    package struct Arguments: Encodable {
        package let positional: Int32
        package let positionalOnly: Int32
        package let keywordOnly: Int32
    }

    package struct Code: Encodable {
        package let parent: Int?
        package let name: String
        package let qualifiedName: String?
        package let file: String
        package let definedAt: Int32
        package let firstLine: Int?
        package let lastLine: Int?
        package let arguments: Arguments
        package let flags: [String]
        package let flagBits: UInt32
        package let stackSize: Int32
        package let instructionBytes: Int
        package let names: [String]
        package let locals: [String]
        package let cells: [String]
        package let free: [String]
        package let constants: [Constant]
        /// Lists that are omitted here, with the index of the code object that has them; -1 if none has.
        package let elsewhere: [String: Int]?
    }

    package struct File: Encodable {
        package let path: String
        package let magicNumber: UInt16?
        package let cacheTag: String?
        package let writer: ReportDocument.Python?
        package let header: Header?
        package let layout: String?
        package let codeBytes: Int?
        package let trailingBytes: Int?
        package let error: String?
        package let codes: [Code]
    }

    package var schema = ReportDocument.schema
    package var verb = "inspect"
    package let files: [File]
    package let exitStatus: Int32

    package init(files: [File], exitStatus: Int32) {
        self.files = files
        self.exitStatus = exitStatus
    }

    /// 16 hexadecimal digits.
    package static func hexadecimal(_ value: UInt64) -> String {
        Hexadecimal.text(value, digits: 16)
    }
}

extension InspectDocument.File {
    package init(_ inspected: InspectedFile) {
        let file = inspected.file.flatMap { $0.hasMagicEnding ? $0 : nil }
        path = inspected.path.description
        magicNumber = file?.magicNumber
        cacheTag = inspected.name?.tag
        writer = inspected.writer.map { ReportDocument.Python($0) }
        header = file.map { InspectDocument.Header($0) }
        layout = file?.shape.layout.rawValue
        codeBytes = file.map { $0.bodyLength - $0.trailing }
        trailingBytes = file?.trailing
        error = inspected.problem
        codes = file.map { InspectDocument.Code.all($0, inspected.bytes) } ?? []
    }
}

extension InspectDocument.Header {
    fileprivate init(_ file: PycFile) {
        bytes = file.shape.headerLength
        switch file.header?.validation {
        case .timestamp(let seconds, let size)?:
            validation = InvalidationMode.timestamp.rawValue
            self.seconds = seconds
            time = CalendarTime(seconds: seconds).rfc3339
            self.size = size
            hash = nil
        case .hash(let value, let isChecked)?:
            validation = (isChecked ? InvalidationMode.checkedHash : .uncheckedHash).rawValue
            seconds = nil
            time = nil
            size = nil
            hash = InspectDocument.hexadecimal(value)
        case nil:
            validation = "unknown"
            seconds = nil
            time = nil
            size = nil
            hash = nil
        }
    }
}

extension InspectDocument.Code {
    fileprivate static func all(_ file: PycFile, _ bytes: [UInt8]) -> [Self] {
        guard let arena = file.arena, file.holdsCode else { return [] }
        return file.withBody(bytes) { body in
            var outliner = CodeOutliner(arena, body: body, magicNumber: file.magicNumber, limit: InspectDocument.limit)
            return (0..<outliner.count).map { Self(outliner.outline($0), layout: file.shape.layout) }
        }
    }

    private init(_ outline: CodeOutline, layout: CodeLayout) {
        parent = outline.parent
        name = outline.name
        qualifiedName = outline.qualifiedName
        file = outline.fileName
        definedAt = outline.firstLine
        firstLine = outline.lines?.lowerBound
        lastLine = outline.lines?.upperBound
        arguments = InspectDocument.Arguments(
            positional: outline.argumentCount, positionalOnly: outline.positionalOnlyCount,
            keywordOnly: outline.keywordOnlyCount)
        flags = outline.flags.words(in: layout)
        flagBits = outline.flags.bits
        stackSize = outline.stackSize
        instructionBytes = outline.codeLength
        names = outline.names.items
        locals = outline.locals.items
        cells = outline.cells.items
        free = outline.frees.items
        constants = outline.constants.items.map {
            InspectDocument.Constant(type: $0.type, text: $0.text, code: $0.code)
        }
        var elsewhere: [String: Int] = [:]
        func note<Item>(_ label: String, _ list: CodeOutline.List<Item>) {
            if let other = list.sameAs { elsewhere[label] = other } else if list.omitted > 0 { elsewhere[label] = -1 }
        }
        note("names", outline.names)
        note("locals", outline.locals)
        note("cells", outline.cells)
        note("free", outline.frees)
        note("constants", outline.constants)
        self.elsewhere = elsewhere.isEmpty ? nil : elsewhere
    }
}

extension PycFile {
    /// Calls `body` with the bytes after the header.
    package func withBody<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withRawBytes { body(PycFile.body(of: $0, shape)) }
    }
}
