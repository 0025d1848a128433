// Texts as Python shows and reads them.
// Knows: `repr` of a path, `int` of a text. Does not know: why.

import BuildModel
import LinuxSystem

enum PythonText {
    /// `int(text)`: white space around it and underscores between digits do not matter.
    static func integer(_ text: String) -> Int? {
        let trimmed = String(decoding: DropIn.trimmed(Array(text.utf8)[...]), as: UTF8.self)
        guard trimmed.first != "_", trimmed.last != "_", !trimmed.contains("__") else { return nil }
        return Int(trimmed.filter { $0 != "_" })
    }

    /// The class of an OSError (PEP 3151).
    static func errorClass(_ error: SystemError) -> String {
        if error.code == SystemError.noSuchFile { return "FileNotFoundError" }
        if error.isNotDirectory { return "NotADirectoryError" }
        if error.isDenied { return "PermissionError" }
        if error.alreadyExists { return "FileExistsError" }
        return error.code == SystemError.isDirectory ? "IsADirectoryError" : "OSError"
    }

    /// `str(OSError)`
    static func error(_ error: SystemError, _ path: BytePath) -> String {
        let reason = error.reason
        return "[Errno \(error.code)] \(reason.prefix(1).uppercased() + reason.dropFirst()): \(repr(path))"
    }

    /// `repr(os.fsdecode(path))`: quotes, escapes, and a lone surrogate for each byte that is not UTF-8 (PEP 383).
    static func repr(_ path: BytePath) -> String {
        let quote: Character = path.bytes.contains(0x27) && !path.bytes.contains(0x22) ? "\"" : "'"
        var text = String(quote)
        var rest = path.bytes
        while !rest.isEmpty {
            let length = (1...4).first { $0 <= rest.count && isScalar(rest.prefix($0)) }
            guard let length, let scalar = String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars.first
            else {
                text += "\\udc" + String(rest[rest.startIndex], radix: 16)
                rest = rest.dropFirst()
                continue
            }
            text += escaped(scalar, quote)
            rest = rest.dropFirst(length)
        }
        return text + String(quote)
    }

    private static func isScalar(_ bytes: ArraySlice<UInt8>) -> Bool {
        String(validating: bytes, as: UTF8.self)?.unicodeScalars.count == 1
    }

    private static func escaped(_ scalar: Unicode.Scalar, _ quote: Character) -> String {
        switch scalar {
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case _ where Character(scalar) == quote: return "\\" + String(quote)
        case _ where isPrintable(scalar): return String(Character(scalar))
        case _ where scalar.value < 0x100: return "\\x" + padded(scalar, 2)
        case _ where scalar.value < 0x10000: return "\\u" + padded(scalar, 4)
        default: return "\\U" + padded(scalar, 8)
        }
    }

    private static func padded(_ scalar: Unicode.Scalar, _ width: Int) -> String {
        let digits = String(scalar.value, radix: 16)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    /// `str.isprintable`: nothing of the categories Other and Separator, but the space.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}
