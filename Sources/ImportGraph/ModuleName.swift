// The dotted name of a module.

/// A dotted module name, as the bytes in the source.
///
/// Python names need not be ASCII, and sources need not be UTF-8, so names are compared by bytes.
package struct ModuleName: Hashable, Sendable {
    package let bytes: [UInt8]

    /// The empty name: the one between the dots and `import` in `from . import x`.
    package static let empty = ModuleName([])

    package init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// The parts between dots.
    package var components: [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).filter { !$0.isEmpty }
    }

    /// The part after the last dot.
    package var lastComponent: ArraySlice<UInt8> {
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")) else { return bytes[...] }
        return bytes[(dot + 1)...]
    }

    /// The package that contains it; `nil` for a name without a dot.
    package var parent: ModuleName? {
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        return ModuleName(bytes[..<dot])
    }

    /// `self.other`; either side may be empty.
    package func appending(_ other: ModuleName) -> ModuleName {
        if isEmpty { return other }
        if other.isEmpty { return self }
        var joined = [UInt8]()
        joined.reserveCapacity(bytes.count + other.bytes.count + 1)
        joined.append(contentsOf: bytes)
        joined.append(UInt8(ascii: "."))
        joined.append(contentsOf: other.bytes)
        return ModuleName(joined)
    }

    /// Whether `self` is `ancestor` or is inside it.
    package func isWithin(_ ancestor: ModuleName) -> Bool {
        guard bytes.starts(with: ancestor.bytes) else { return false }
        return ancestor.isEmpty || bytes.count == ancestor.bytes.count
            || bytes[ancestor.bytes.count] == UInt8(ascii: ".")
    }
}

extension ModuleName: Comparable {
    /// By bytes.
    package static func < (left: ModuleName, right: ModuleName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension ModuleName: CustomStringConvertible {
    package var description: String { String(decoding: bytes, as: UTF8.self) }
}
