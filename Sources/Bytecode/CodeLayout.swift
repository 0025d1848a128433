// The order of the fields in a marshalled code object: the four orders of CPython (w_complex_object in Python/marshal.c
// of 2.7, 3.6, 3.8 and 3.11). The worker reports which one an interpreter writes.

/// An integer field of a code object: 32 bits, signed.
package enum CodeNumber: Hashable, Sendable {
    case argumentCount, positionalOnlyCount, keywordOnlyCount, localCount, stackSize, flags
    /// `co_firstlineno`: the only one stored between objects.
    case firstLine
}

/// An object field of a code object.
package enum CodeField: Hashable, Sendable {
    case code, constants, names
    case localNames, freeNames, cellNames
    /// Since 3.11 one tuple replaces the three above, with a byte for each name that gives its kind.
    case localsPlusNames, localsPlusKinds
    case filename, name, qualifiedName
    /// `co_lnotab`; `co_linetable` since 3.10.
    case lineTable
    case exceptionTable

    /// The required type of a field, as in CPython's `_PyCode_Validate`.
    package enum Kind: Hashable, Sendable {
        case bytes, text, tuple, tupleOfText
    }

    package var kind: Kind {
        switch self {
        case .code, .localsPlusKinds, .lineTable, .exceptionTable: .bytes
        case .filename, .name, .qualifiedName: .text
        case .constants: .tuple
        case .names, .localNames, .freeNames, .cellNames, .localsPlusNames: .tupleOfText
        }
    }
}

/// The raw values are the strings that worker.py sends.
package enum CodeLayout: String, CaseIterable, Hashable, Sendable {
    /// Python 2.7. Strings are bytes; only interned ones are numbered, and there are no other references.
    case python2
    /// 3.0 to 3.7.
    case keywordOnly = "keyword-only"
    /// 3.8 to 3.10, and PyPy from 3.8 on.
    case positionalOnly = "positional-only"
    /// 3.11 and later.
    case localsPlus = "locals-plus"

    /// The numbers that come first, before any object.
    package var leadingNumbers: [CodeNumber] {
        switch self {
        case .python2: [.argumentCount, .localCount, .stackSize, .flags]
        case .keywordOnly: [.argumentCount, .keywordOnlyCount, .localCount, .stackSize, .flags]
        case .positionalOnly:
            [.argumentCount, .positionalOnlyCount, .keywordOnlyCount, .localCount, .stackSize, .flags]
        case .localsPlus: [.argumentCount, .positionalOnlyCount, .keywordOnlyCount, .stackSize, .flags]
        }
    }

    /// The objects, in order. The first line number comes before the line table.
    package var fields: [CodeField] {
        switch self {
        case .python2, .keywordOnly, .positionalOnly:
            [.code, .constants, .names, .localNames, .freeNames, .cellNames, .filename, .name, .lineTable]
        case .localsPlus:
            [
                .code, .constants, .names, .localsPlusNames, .localsPlusKinds, .filename, .name, .qualifiedName,
                .lineTable, .exceptionTable,
            ]
        }
    }

    /// Number of objects after the first line number.
    package var fieldsAfterFirstLine: Int { self == .localsPlus ? 2 : 1 }
}
