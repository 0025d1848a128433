// The lexical class of each byte, for SourceCursor.

import BasicTypes

/// One table lookup per byte decides whether the cursor has to stop there.
enum ByteClass {
    /// Ends a run of code that the cursor can skip.
    static let stopsCode: UInt8 = 1 << 0
    /// The same where a colon can end the code: in the header of a compound statement or a replacement field.
    static let stopsHeader: UInt8 = 1 << 1
    /// Ends a run of text in a string that is not triple-quoted.
    static let stopsString: UInt8 = 1 << 2
    /// The same in a formatted string.
    static let stopsFormatted: UInt8 = 1 << 3
    /// See `PythonName.has`.
    static let isName: UInt8 = 1 << 4
    /// The first byte of a ``Keyword`` that can begin a relevant statement.
    static let opensKeyword: UInt8 = 1 << 5
    static let isDigit: UInt8 = 1 << 6

    static let table: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 256)
        func mark(_ bytes: some Sequence<UInt8>, _ flags: UInt8) {
            for byte in bytes { table[Int(byte)] |= flags }
        }
        mark("()[]{}'\"#;\\\n\r".utf8, stopsCode | stopsHeader)
        mark(":l".utf8, stopsHeader)
        mark("'\"\\\n\r".utf8, stopsString | stopsFormatted)
        mark("{}".utf8, stopsFormatted)
        mark((0...0xFF).filter { PythonName.has($0) }, isName)
        mark(UInt8(ascii: "0")...UInt8(ascii: "9"), isDigit)
        mark("acdefiltw".utf8, opensKeyword)
        return table
    }()
}

/// The relevant keywords, with their bytes packed into a little-endian number. None is longer than eight bytes.
enum Keyword: UInt64 {
    case `as` = 0x7361
    case `assert` = 0x7472_6573_7361
    case `async` = 0x63_6E79_7361
    case `break` = 0x6B_6165_7262
    case `case` = 0x6573_6163
    case `class` = 0x73_7361_6C63
    case `continue` = 0x6575_6E69_746E_6F63
    case `def` = 0x66_6564
    case `del` = 0x6C_6564
    case `elif` = 0x6669_6C65
    case `else` = 0x6573_6C65
    case `except` = 0x7470_6563_7865
    case `finally` = 0x79_6C6C_616E_6966
    case `for` = 0x72_6F66
    case `from` = 0x6D6F_7266
    case `global` = 0x6C61_626F_6C67
    case `if` = 0x6669
    case `import` = 0x7472_6F70_6D69
    case `lazy` = 0x797A_616C
    case `pass` = 0x7373_6170
    case `raise` = 0x65_7369_6172
    case `return` = 0x6E72_7574_6572
    case `try` = 0x79_7274
    case `while` = 0x65_6C69_6877
    case `with` = 0x6874_6977

    /// Whether a line within brackets that begins with this word proves that a bracket was never closed. Words that
    /// also occur in expressions (`if`, `for`, `else`, `from`), and names (`lazy`, `case`), prove nothing.
    var neverOccursInBrackets: Bool {
        switch self {
        case .as, .async, .case, .else, .for, .from, .if, .lazy: false
        default: true
        }
    }
}
