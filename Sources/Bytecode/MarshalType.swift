// The type bytes of the marshal format, versions 0 to 5 (Python/marshal.c of CPython 2.7 to 3.14).

/// The raw value is the type byte without FLAG_REF (0x80), the bit that gives the object a reference number.
package enum MarshalType: UInt8, Hashable, Sendable, BitwiseCopyable {
    case none = 0x4E  // N
    case stopIteration = 0x53  // S
    case ellipsis = 0x2E  // .
    case `false` = 0x46  // F
    case `true` = 0x54  // T
    /// Ends a dictionary; invalid elsewhere.
    case null = 0x30  // 0
    case integer32 = 0x69  // i
    /// Written by Python 2 and by PyPy; CPython reads it up to 3.3.
    case integer64 = 0x49  // I
    /// A count of 15-bit digits (negative for a negative number), then the digits, 16 bits each.
    case bigInteger = 0x6C  // l
    case floatText = 0x66  // f
    case float = 0x67  // g
    case complexText = 0x78  // x
    case complex = 0x79  // y
    /// `bytes`; `str` in Python 2.
    case bytes = 0x73  // s
    /// Bytes in Python 2, where it always gets a reference number; UTF-8 in Python 3.
    case interned = 0x74  // t
    /// Python 2: a reference to an interned string, by number.
    case internedReference = 0x52  // R
    /// UTF-8 that may contain surrogates.
    case unicode = 0x75  // u
    case ascii = 0x61  // a
    case asciiInterned = 0x41  // A
    case shortASCII = 0x7A  // z
    case shortASCIIInterned = 0x5A  // Z
    case tuple = 0x28  // (
    case smallTuple = 0x29  // )
    case list = 0x5B  // [
    case dictionary = 0x7B  // {
    case set = 0x3C  // <
    case frozenSet = 0x3E  // >
    /// Marshal version 5 (Python 3.14).
    case slice = 0x3A  // :
    case code = 0x63  // c
    /// A reference, by number, to an object that had FLAG_REF.
    case reference = 0x72  // r

    package var isTuple: Bool { self == .tuple || self == .smallTuple }
    package var isContainer: Bool {
        switch self {
        case .tuple, .smallTuple, .list, .dictionary, .set, .frozenSet, .slice, .code: true
        default: false
        }
    }
    package var isReference: Bool { self == .reference || self == .internedReference }

    /// Whether the object is a `str`, the type of names.
    package func isText(in layout: CodeLayout) -> Bool {
        switch self {
        case .bytes: layout == .python2
        case .interned: true
        case .unicode, .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned: layout != .python2
        default: false
        }
    }

    /// Whether the object is a byte string, the type of `co_code`.
    package func isBytes(in layout: CodeLayout) -> Bool {
        self == .bytes || self == .interned && layout == .python2
    }

    /// Whether the type exists in this layout. `integer64` is accepted in all of them: PyPy writes it, and a layout
    /// does not distinguish PyPy from CPython.
    package func isKnown(in layout: CodeLayout) -> Bool {
        switch self {
        case .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned, .smallTuple, .reference: layout != .python2
        case .internedReference: layout == .python2
        case .slice: layout == .localsPlus
        default: true
        }
    }

    /// The type for each of the 256 byte values; `nil` for bytes that are not a type. Python 2 has no FLAG_REF.
    static func byByte(in layout: CodeLayout) -> [MarshalType?] { tables[layout] ?? Array(repeating: nil, count: 256) }

    private static let tables = Dictionary(
        uniqueKeysWithValues: CodeLayout.allCases.map { layout in
            (
                layout,
                (UInt8.min...UInt8.max).map { byte in
                    MarshalType(rawValue: layout == .python2 ? byte : byte & 0x7F)
                        .flatMap { $0.isKnown(in: layout) ? $0 : nil }
                }
            )
        })

    /// Whether CPython reserves the object's number before the object exists (`r_ref_reserve`). The object's own
    /// contents cannot refer to it.
    package var isReservedUntilComplete: Bool { self == .code || self == .frozenSet || self == .slice }

    /// Size in bytes of the length between the type byte and the content; 0 for types without one.
    package var lengthWidth: Int {
        switch self {
        case .bytes, .interned, .unicode, .ascii, .asciiInterned, .bigInteger: 4
        case .shortASCII, .shortASCIIInterned, .floatText: 1
        default: 0
        }
    }
}
