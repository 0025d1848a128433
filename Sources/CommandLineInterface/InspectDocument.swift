// Bytecode files as JSON; OUTPUT.md describes it.
// Knows: names and shape of the machine format. Does not know: how anything is decoded.

import BuildModel
import Bytecode
import Service

/// What `inspect --format json` prints.
///
/// Code objects are a list and not a tree: they can be nested a thousand deep, which readers of JSON refuse.
struct InspectDocument: Encodable {
    /// Characters of a name or constant.
    fileprivate static let limit = 400

    struct Header: Encodable {
        let bytes: Int
        /// `timestamp`, `checked-hash`, `unchecked-hash`, or `unknown`.
        let validation: String
        let seconds: UInt32?
        let time: String?
        let size: UInt32?
        let hash: String?
    }

    struct Constant: Encodable {
        let type: String
        let text: String
        let code: Int?
    }

    struct Arguments: Encodable {
        let positional: Int32
        let positionalOnly: Int32
        let keywordOnly: Int32
    }

    struct Code: Encodable {
        let parent: Int?
        let name: String
        let qualifiedName: String?
        let file: String
        let definedAt: Int32
        let firstLine: Int?
        let lastLine: Int?
        let arguments: Arguments
        let flags: [String]
        let flagBits: UInt32
        let stackSize: Int32
        let instructionBytes: Int
        let names: [String]
        let locals: [String]
        let cells: [String]
        let free: [String]
        let constants: [Constant]
        /// What is not listed here, with the place of the code object that lists it; -1 where none does.
        let elsewhere: [String: Int]?
    }

    struct File: Encodable {
        let path: String
        let magicNumber: UInt16?
        let cacheTag: String?
        let writer: ReportDocument.Python?
        let header: Header?
        let layout: String?
        let codeBytes: Int?
        let trailingBytes: Int?
        let error: String?
        let codes: [Code]
    }

    var schema = ReportDocument.schema
    var verb = Verb.inspect.rawValue
    let files: [File]
    let exitStatus: Int32

    /// 16 digits.
    static func hexadecimal(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}

extension InspectDocument.File {
    init(_ inspected: InspectedFile) {
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
