// The type bytes of the marshal format, versions 0 to 5 (Python/marshal.c of CPython 2.7 to 3.14).

/// The raw value is the type's byte without the bit that numbers the object (FLAG_REF, 0x80).
package enum MarshalType: UInt8, Hashable, Sendable, BitwiseCopyable {
    case none = 0x4E  // N
    case stopIteration = 0x53  // S
    case ellipsis = 0x2E  // .
    case `false` = 0x46  // F
    case `true` = 0x54  // T
    /// Ends a dictionary, and is nothing elsewhere.
    case null = 0x30  // 0
    case integer32 = 0x69  // i
    /// Written by Python 2 and by PyPy; CPython reads it up to 3.3.
    case integer64 = 0x49  // I
    /// A count of 15-bit digits, negative for a negative number, and the digits, 16 bits each.
    case bigInteger = 0x6C  // l
    case floatText = 0x66  // f
    case float = 0x67  // g
    case complexText = 0x78  // x
    case complex = 0x79  // y
    /// `bytes`; `str` in Python 2.
    case bytes = 0x73  // s
    /// Bytes in Python 2, where it is numbered; UTF-8 in Python 3.
    case interned = 0x74  // t
    /// Python 2: the number of an interned string.
    case internedReference = 0x52  // R
    /// UTF-8 in which surrogates are let through.
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
    /// Version 5, 3.14.
    case slice = 0x3A  // :
    case code = 0x63  // c
    /// The number of an object that was flagged.
    case reference = 0x72  // r

    package var isTuple: Bool { self == .tuple || self == .smallTuple }
    package var isContainer: Bool {
        switch self {
        case .tuple, .smallTuple, .list, .dictionary, .set, .frozenSet, .slice, .code: true
        default: false
        }
    }
    package var isReference: Bool { self == .reference || self == .internedReference }

    /// Whether the object is a `str` as names are.
    package func isText(in layout: CodeLayout) -> Bool {
        switch self {
        case .bytes: layout == .python2
        case .interned: true
        case .unicode, .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned: layout != .python2
        default: false
        }
    }

    /// Whether the object is a string of bytes, as code is.
    package func isBytes(in layout: CodeLayout) -> Bool {
        self == .bytes || self == .interned && layout == .python2
    }

    /// Whether an interpreter with this layout knows the type at all. PyPy's `integer64` is let through everywhere:
    /// a layout does not tell PyPy from CPython.
    package func isKnown(in layout: CodeLayout) -> Bool {
        switch self {
        case .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned, .smallTuple, .reference: layout != .python2
        case .internedReference: layout == .python2
        case .slice: layout == .localsPlus
        default: true
        }
    }

    /// What each byte is, or `nil`. In Python 2 the eighth bit is not a flag.
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

    /// Whether CPython numbers the object before it exists (`r_ref_reserve`): it cannot be referred to from inside.
    package var isReservedUntilComplete: Bool { self == .code || self == .frozenSet || self == .slice }

    /// Bytes between the type's byte and the content, where the content is a run of bytes.
    package var lengthWidth: Int {
        switch self {
        case .bytes, .interned, .unicode, .ascii, .asciiInterned, .bigInteger: 4
        case .shortASCII, .shortASCIIInterned, .floatText: 1
        default: 0
        }
    }
}
