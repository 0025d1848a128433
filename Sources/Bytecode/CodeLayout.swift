// The order of the fields in a marshalled code object: the four orders of CPython (w_complex_object in Python/marshal.c
// of 2.7, 3.6, 3.8 and 3.11). The worker reports which one an interpreter writes.

/// A number of a code object: 32 bits, signed.
package enum CodeNumber: Hashable, Sendable {
    case argumentCount, positionalOnlyCount, keywordOnlyCount, localCount, stackSize, flags
    /// `co_firstlineno`: the only one that stands between objects.
    case firstLine
}

/// An object of a code object.
package enum CodeField: Hashable, Sendable {
    case code, constants, names
    case localNames, freeNames, cellNames
    /// Since 3.11 the three before are one tuple, and a byte for each name says which kind it is.
    case localsPlusNames, localsPlusKinds
    case filename, name, qualifiedName
    /// `co_lnotab`; `co_linetable` since 3.10.
    case lineTable
    case exceptionTable

    /// What a field must be for the code object to be one: what `_PyCode_Validate` asks as well.
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

/// The raw values are what worker.py sends.
package enum CodeLayout: String, CaseIterable, Hashable, Sendable {
    /// Python 2.7. Its strings are bytes, interned ones are numbered, and there are no other references.
    case python2
    /// 3.0 to 3.7.
    case keywordOnly = "keyword-only"
    /// 3.8 to 3.10, and PyPy from 3.8 on.
    case positionalOnly = "positional-only"
    /// 3.11 and later.
    case localsPlus = "locals-plus"

    /// What comes first: numbers, without anything between them.
    package var leadingNumbers: [CodeNumber] {
        switch self {
        case .python2: [.argumentCount, .localCount, .stackSize, .flags]
        case .keywordOnly: [.argumentCount, .keywordOnlyCount, .localCount, .stackSize, .flags]
        case .positionalOnly:
            [.argumentCount, .positionalOnlyCount, .keywordOnlyCount, .localCount, .stackSize, .flags]
        case .localsPlus: [.argumentCount, .positionalOnlyCount, .keywordOnlyCount, .stackSize, .flags]
        }
    }

    /// The objects, in order; the number of the first line stands before the line table.
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

    /// How many objects are still to come where the number of the first line stands.
    package var fieldsAfterFirstLine: Int { self == .localsPlus ? 2 : 1 }
}
