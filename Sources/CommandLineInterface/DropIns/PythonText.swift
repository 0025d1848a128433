// Text as Python reads and prints it: `repr` and `print` of a path, `int` of a string, `str` of an OSError.

import BasicTypes
import LinuxSystem

/// An OSError or one of its subclasses.
struct PythonException: CustomStringConvertible {
    let type: String
    /// The `str` of the exception.
    let text: String

    init(type: String, text: String) {
        self.type = type
        self.text = text
    }

    /// The exception that Python raises for a failed system call, with the class that PEP 3151 gives it.
    ///
    /// - Parameter path: the path as Python would show it; `nil` if Python shows none.
    init(_ error: SystemError, _ path: BytePath?) {
        let reason = error.reason
        let named = path.map { ": \(PythonText.repr($0))" } ?? ""
        text = "[Errno \(error.code)] \(reason.prefix(1).uppercased())\(reason.dropFirst())\(named)"
        switch true {
        case error.code == SystemError.noSuchFile: type = "FileNotFoundError"
        case error.code == SystemError.isDirectory: type = "IsADirectoryError"
        case error.isNotDirectory: type = "NotADirectoryError"
        case error.isDenied: type = "PermissionError"
        case error.alreadyExists: type = "FileExistsError"
        default: type = "OSError"
        }
    }

    var description: String { "\(type): \(text)" }
}

enum PythonText {
    /// `int(text)`: ignores white space around the number and underscores between digits. A number that is too large is
    /// clamped.
    static func integer(_ text: String) -> Int? {
        let trimmed = String(decoding: DropIn.trimmed(Array(text.utf8)[...]), as: UTF8.self)
        let isSigned = trimmed.hasPrefix("-") || trimmed.hasPrefix("+")
        let digits = trimmed.dropFirst(isSigned ? 1 : 0)
        guard digits.first != "_", digits.last != "_", !digits.contains("__") else { return nil }
        let plain = digits.utf8.filter { $0 != UInt8(ascii: "_") }
        guard !plain.isEmpty, plain.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let number = Int(String(decoding: plain, as: UTF8.self)) ?? .max
        return trimmed.hasPrefix("-") ? -number : number
    }

    /// A path as `print` writes it, with an escape for each byte that is not UTF-8.
    static func shown(_ path: BytePath) -> String {
        path.exactText ?? decoded(path) { String(Character($0)) }
    }

    /// `repr(os.fsdecode(path))`: quotes, escapes, and a lone surrogate for each byte that is not UTF-8 (PEP 383).
    static func repr(_ path: BytePath) -> String {
        let quote: Character = path.bytes.contains(0x27) && !path.bytes.contains(0x22) ? "\"" : "'"
        return String(quote) + decoded(path) { escaped($0, quote) } + String(quote)
    }

    private static func decoded(_ path: BytePath, _ show: (Unicode.Scalar) -> String) -> String {
        var text = ""
        var rest = path.bytes
        while !rest.isEmpty {
            let length = (1...4).first { $0 <= rest.count && isScalar(rest.prefix($0)) }
            guard let length, let scalar = String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars.first
            else {
                text += "\\udc" + String(rest[rest.startIndex], radix: 16)
                rest = rest.dropFirst()
                continue
            }
            text += show(scalar)
            rest = rest.dropFirst(length)
        }
        return text
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

    /// `str.isprintable`: false for the categories Other and Separator, except the space.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}
