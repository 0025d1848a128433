// Prints a decoded bytecode file as text.

import BasicTypes
import BuildModel
import Bytecode
import Documents
import LinuxSystem

/// Writes one file to standard output.
struct InspectPrinter {
    /// Maximum number of characters of a name or constant.
    private static let limit = 80
    private static let width = 100
    /// Code objects nested deeper are not indented further.
    private static let deepest = 16

    private let inspected: InspectedFile
    private let output: StandardOutput

    init(_ inspected: InspectedFile, output: StandardOutput) {
        self.inspected = inspected
        self.output = output
    }

    func write() {
        var text = inspected.path.description + "\n"
        if let file = inspected.file, file.hasMagicEnding {
            text += entry("written by", writer(file), indent: "  ")
            text += entry("header", header(file), indent: "  ")
            if let arena = file.arena {
                let count = arena.codes.count
                text += entry(
                    "code",
                    "\(Plural.count(file.bodyLength - file.trailing, "byte")), \(Plural.count(count, "code object")), with the layout of \(Self.authors(file.shape.layout))",
                    indent: "  ")
            } else {
                text += entry("code", Plural.count(file.bodyLength, "byte"), indent: "  ")
            }
        }
        if let problem = inspected.problem {
            text +=
                Diagnostic(.damagedBytecode, .error, message: problem).rendered(path: inspected.path) + "\n"
        }
        output.write(text)
        if let file = inspected.file, file.holdsCode { writeCode(file) }
    }

    // MARK: The header

    private func writer(_ file: PycFile) -> String {
        guard let writer = inspected.writer else {
            return "magic number \(file.magicNumber), of no Python found here"
        }
        return "\(writer.name) (magic number \(file.magicNumber)), \(writer.path)"
    }

    private func header(_ file: PycFile) -> String {
        let length = "\(file.shape.headerLength) bytes; "
        guard let header = file.header else { return length + "unknown flags" }
        switch header.validation {
        case .timestamp(let seconds, let size):
            let source = size.map { " (\(Plural.count($0, "byte")))" } ?? ""
            return length + "timestamp: valid for a source modified at \(CalendarTime(seconds: seconds).text)\(source)"
        case .hash(let hash, let isChecked):
            let meaning =
                isChecked
                ? "checked hash: valid for a source with the hash" : "unchecked hash: import never compares it;"
            return length + "\(meaning) 0x\(InspectDocument.hexadecimal(hash))"
        }
    }

    private static func authors(_ layout: CodeLayout) -> String {
        switch layout {
        case .python2: "Python 2"
        case .keywordOnly: "Python 3.0 to 3.7"
        case .positionalOnly: "Python 3.8 to 3.10"
        case .localsPlus: "Python 3.11 and later"
        }
    }

    // MARK: Code objects

    private func writeCode(_ file: PycFile) {
        guard let arena = file.arena else { return }
        file.withBody(inspected.bytes) { body in
            var outliner = CodeOutliner(
                arena, body: body, magicNumber: file.magicNumber, limit: Self.limit)
            var names: [String] = []
            var text = ""
            for place in 0..<outliner.count {
                let outline = outliner.outline(place)
                let name = outline.qualifiedName ?? outline.name
                text += "\n" + self.text(outline, name, names)
                names.append(name)
                if text.utf8.count > 65_536 {
                    output.write(text)
                    text = ""
                }
            }
            output.write(text)
        }
    }

    private func text(_ outline: CodeOutline, _ name: String, _ names: [String]) -> String {
        let indent = String(repeating: "  ", count: min(outline.depth, Self.deepest))
        let inner = indent + "  "
        let lines =
            outline.lines.map { $0.count == 1 ? "line \($0.lowerBound)" : "lines \($0.lowerBound)-\($0.upperBound)" }
            ?? "no lines"
        let parent = outline.depth > Self.deepest ? outline.parent.map { " in \(names[$0])" } ?? "" : ""
        var text = "\(indent)\(name)\(parent), \(lines)\n"
        if outline.parent == nil { text += entry("file", outline.fileName, indent: inner) }
        if !outline.arguments.isEmpty { text += entry("arguments", outline.arguments, indent: inner) }
        let flags = outline.flags.words(in: inspected.file?.shape.layout ?? .localsPlus)
        if !flags.isEmpty { text += entry("flags", flags.joined(separator: ", "), indent: inner) }
        text += entry("size", "\(outline.codeLength) bytes of instructions, stack \(outline.stackSize)", indent: inner)
        text += list("names", outline.names, indent: inner, names)
        text += list("locals", outline.locals, indent: inner, names)
        text += list("cells", outline.cells, indent: inner, names)
        text += list("free", outline.frees, indent: inner, names)
        return text + constants(outline.constants, indent: inner, names)
    }

    private func list(
        _ label: String, _ list: CodeOutline.List<String>, indent: String, _ names: [String]
    ) -> String {
        if let other = list.sameAs {
            return entry(label, "the \(list.count) of \(Self.name(other, names))", indent: indent)
        }
        guard list.count > 0 else { return "" }
        let rest = list.omitted > 0 ? ["… \(list.omitted) more"] : []
        return entry(label, (list.items + rest).joined(separator: ", "), indent: indent)
    }

    private func constants(
        _ list: CodeOutline.List<ConstantText>, indent: String, _ names: [String]
    ) -> String {
        if let other = list.sameAs {
            return entry("constants", "the \(list.count) of \(Self.name(other, names))", indent: indent)
        }
        var text = list.count == 0 ? "" : "\(indent)constants\n"
        for (place, constant) in list.items.enumerated() {
            let number = String(place)
            let pad = String(repeating: " ", count: max(0, 4 - number.count))
            let type = constant.type + String(repeating: " ", count: max(0, 9 - constant.type.count))
            text += "\(indent)\(pad)\(number)  \(type) \(constant.text)\n"
        }
        if list.omitted > 0 { text += "\(indent)      … \(list.omitted) more\n" }
        return text
    }

    private static func name(_ place: Int, _ names: [String]) -> String {
        place < names.count ? names[place] : "this code object"
    }

    // MARK: Columns

    /// A label and its text, wrapped at spaces.
    private func entry(_ label: String, _ value: String, indent: String) -> String {
        let column = indent.utf8.count + 12
        var text = indent + label + String(repeating: " ", count: max(1, 12 - label.utf8.count))
        // Counts bytes instead of columns, which is close enough and ten times as fast.
        guard column + value.utf8.count > Self.width else { return text + value + "\n" }
        var used = column
        var isFirst = true
        for word in value.split(separator: " ", omittingEmptySubsequences: false) {
            let length = word.utf8.count
            if !isFirst, used + length + 1 > Self.width {
                text += "\n" + String(repeating: " ", count: column)
                used = column
                isFirst = true
            }
            text += (isFirst ? "" : " ") + word
            used += length + (isFirst ? 0 : 1)
            isFirst = false
        }
        return text + "\n"
    }
}
