// What is known about one probed Python.

import BasicTypes

/// The SipHash variant with which an interpreter validates hash-based bytecode (1-3 since CPython 3.11, before that
/// 2-4).
package enum SourceHashVariant: String, Sendable {
    case sipHash13 = "siphash13"
    case sipHash24 = "siphash24"
}

/// The header that an interpreter writes before the code. The raw value is its length in bytes.
package enum HeaderLayout: Int, Sendable {
    /// Magic and modification time (Python 2).
    case legacy = 8
    /// Magic, modification time, size (3.3 to 3.6).
    case sized = 12
    /// Magic, flags, then modification time and size, or a hash (PEP 552, 3.7 and newer).
    case flagged = 16
}

/// A probed Python executable. Everything but `path` and `executable` was reported by the interpreter itself.
package struct Interpreter: Hashable, Sendable {
    /// The executable, absolute.
    package var path: BytePath
    /// The stamp of the executable when it was probed. It is probed again if the stamp changes.
    package var executable: Stamp
    /// `3.12.1`.
    package var version: String
    /// `cpython`, `pypy`.
    package var implementation: String
    /// `cpython-312`; empty if bytecode is stored next to its source (Python 2).
    package var cacheTag: String
    /// The first four bytes of its bytecode, little-endian.
    package var magic: UInt32
    package var layout: HeaderLayout
    /// `nil` if the interpreter has no hash-based bytecode, or uses a hash that freshpyc does not support.
    package var sourceHash: SourceHashVariant?
    /// The order of the fields in its marshalled code objects: a raw value of `CodeLayout`.
    package var codeLayout: String
    /// The opcodes STORE_NAME, STORE_GLOBAL, DELETE_NAME, EXTENDED_ARG and EXEC_STMT (0: none), the first opcode with a
    /// two-byte argument (0: none), IMPORT_NAME, IMPORT_FROM, LOAD_NAME and LOAD_GLOBAL.
    package var opcodes: [UInt8]
    /// The top-level names of its standard library, separated by commas. A `!` precedes names that are built in or
    /// loaded before any program starts: no file can shadow them.
    package var standardLibrary: String

    package init(
        path: BytePath, executable: Stamp, version: String, implementation: String, cacheTag: String, magic: UInt32,
        layout: HeaderLayout, sourceHash: SourceHashVariant?, codeLayout: String = "", opcodes: [UInt8] = [],
        standardLibrary: String = ""
    ) {
        self.path = path
        self.executable = executable
        self.version = version
        self.implementation = implementation
        self.cacheTag = cacheTag
        self.magic = magic
        self.layout = layout
        self.sourceHash = sourceHash
        self.codeLayout = codeLayout
        self.opcodes = opcodes
        self.standardLibrary = standardLibrary
    }

    /// The top-level names of its standard library.
    package var standardLibraryNames: Set<[UInt8]> {
        Set(
            standardLibrary.utf8.split(separator: UInt8(ascii: ",")).map {
                Array($0.first == UInt8(ascii: "!") ? $0.dropFirst() : $0)
            })
    }

    /// The standard library's names that no file can shadow.
    package var builtInNames: Set<[UInt8]> {
        Set(
            standardLibrary.utf8.split(separator: UInt8(ascii: ",")).compactMap {
                $0.first == UInt8(ascii: "!") ? Array($0.dropFirst()) : nil
            })
    }

    /// Interpreters with equal identities compile alike, wherever they are installed. Traces and stored code are keyed
    /// by it. Patch releases may compile differently under the same magic number, so the version is part of it.
    package struct Identity: Hashable, Sendable {
        package let version: String
        package let implementation: String
        package let cacheTag: String
        package let magic: UInt32
        package let layout: HeaderLayout
        package let sourceHash: SourceHashVariant?
    }

    package var identity: Identity {
        Identity(
            version: version, implementation: implementation, cacheTag: cacheTag, magic: magic, layout: layout,
            sourceHash: sourceHash)
    }

    /// Whether the code of both is interchangeable.
    package func compilesLike(_ other: Interpreter) -> Bool { identity == other.identity }

    /// Display name: `cpython 3.12.1`.
    package var name: String { "\(implementation) \(version)" }
}

/// An index into the database's list of interpreters.
package struct InterpreterID: RawRepresentable, Hashable, Sendable, Comparable {
    package var rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
