// A path as the kernel sees it: bytes without an encoding. Nothing here accesses the file system.

/// A path of any bytes except NUL, stored with the terminator that system calls need.
///
/// Linux paths have no encoding (path_resolution(7)); they are decoded only for display.
package struct BytePath: Sendable {
    /// The bytes, then one NUL.
    private let terminated: [UInt8]

    /// The empty path: a root relative to itself.
    package static let empty = BytePath(terminated: [0])

    private init(terminated: [UInt8]) {
        self.terminated = terminated
    }

    /// A path of these bytes, or `nil` if one of them is NUL.
    package init?(_ bytes: some Collection<UInt8>) {
        self.init(Array(bytes))
    }

    // Overloads for the types that most callers have. Generic functions are not specialized for callers in other
    // modules, and a walk creates several paths for each file.

    package init?(_ bytes: [UInt8]) {
        guard let path = bytes.withUnsafeBytes({ BytePath($0) }) else { return nil }
        self = path
    }

    package init?(_ bytes: ArraySlice<UInt8>) {
        guard let path = bytes.withUnsafeBytes({ BytePath($0) }) else { return nil }
        self = path
    }

    package init?(_ bytes: UnsafeRawBufferPointer) {
        // No early exit, so that the loop is vectorized.
        var hasNUL = false
        for index in bytes.indices { hasNUL = hasNUL || bytes[index] == 0 }
        guard !hasNUL else { return nil }
        terminated = [UInt8](unsafeUninitializedCapacity: bytes.count + 1) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw.copyMemory(from: bytes)
            raw[bytes.count] = 0
            count = bytes.count + 1
        }
    }

    /// The UTF-8 bytes of a string, up to its first NUL.
    package init(_ string: String) {
        var terminated = Array(string.utf8.prefix { $0 != 0 })
        terminated.append(0)
        self.terminated = terminated
    }

    /// The bytes of a C string, in any encoding.
    package init(cString: UnsafePointer<CChar>) {
        var length = 0
        while cString[length] != 0 { length += 1 }
        terminated = cString.withMemoryRebound(to: UInt8.self, capacity: length + 1) {
            Array(UnsafeBufferPointer(start: $0, count: length + 1))
        }
    }

    /// The bytes, without the terminator.
    package var bytes: ArraySlice<UInt8> { terminated.dropLast() }
    package var count: Int { terminated.count - 1 }
    package var isEmpty: Bool { terminated.count == 1 }
    package var isAbsolute: Bool { terminated[0] == UInt8(ascii: "/") }

    /// Runs `body` on the bytes, without the terminator and without a copy.
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        terminated.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0.dropLast())) }
    }

    /// Runs `body` on a NUL-terminated pointer, without a copy.
    package func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try terminated.withUnsafeBufferPointer { buffer throws(Failure) in
            // An array of one byte or more always has a base address.
            guard let base = buffer.baseAddress else { preconditionFailure("a path holds its terminator") }
            return try body(UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self))
        }
    }

    /// `self/component`; either side may be empty.
    package func appending(_ component: some Collection<UInt8>) -> BytePath {
        appending(Array(component))
    }

    package func appending(_ component: [UInt8]) -> BytePath {
        component.withUnsafeBytes { appending($0) }
    }

    package func appending(_ component: ArraySlice<UInt8>) -> BytePath {
        component.withUnsafeBytes { appending($0) }
    }

    private func appending(_ component: UnsafeRawBufferPointer) -> BytePath {
        guard !component.isEmpty else { return self }
        let needsSlash = count > 0 && terminated[count - 1] != UInt8(ascii: "/")
        let start = count + (needsSlash ? 1 : 0)
        return terminated.withUnsafeBytes { own in
            BytePath(
                terminated: [UInt8](unsafeUninitializedCapacity: start + component.count + 1) { buffer, initialized in
                    let joined = UnsafeMutableRawBufferPointer(buffer)
                    joined.copyMemory(from: UnsafeRawBufferPointer(rebasing: own.dropLast()))
                    if needsSlash { joined[start - 1] = UInt8(ascii: "/") }
                    UnsafeMutableRawBufferPointer(rebasing: joined[start...]).copyMemory(from: component)
                    joined[start + component.count] = 0
                    initialized = start + component.count + 1
                })
        }
    }

    package func appending(_ other: BytePath) -> BytePath { appending(other.bytes) }
    package func appending(_ string: String) -> BytePath { appending(Array(string.utf8)) }

    /// The part after the last slash.
    package var lastComponent: ArraySlice<UInt8> {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return bytes }
        return bytes[(slash + 1)...]
    }

    /// The part before the last slash: empty for a bare name, `/` for `/name`.
    package var parent: BytePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return .empty }
        return BytePath(terminated: Array(bytes[..<max(slash, isAbsolute ? 1 : 0)]) + [0])
    }

    /// The components between slashes, without empty ones.
    package var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

    /// Whether `self` is `directory` or below it. Every relative path is below the empty one.
    package func isWithin(_ directory: BytePath) -> Bool {
        if directory.isEmpty { return !isAbsolute }
        let isPrefix = terminated.withUnsafeBytes { own in
            directory.terminated.withUnsafeBytes { prefix in
                guard own.count >= prefix.count else { return false }
                for index in 0..<(prefix.count - 1) where own[index] != prefix[index] { return false }
                return true
            }
        }
        guard isPrefix else { return false }
        return count == directory.count || directory.bytes.last == UInt8(ascii: "/")
            || terminated[directory.count] == UInt8(ascii: "/")
    }

    /// Whether `self` is directly in `directory`, not in a subdirectory.
    package func isDirectly(in directory: BytePath) -> Bool {
        guard count > directory.count, isWithin(directory) else { return false }
        let start = directory.isEmpty || directory.terminated[directory.count - 1] == UInt8(ascii: "/") ? 0 : 1
        return !bytes.dropFirst(directory.count + start).contains(UInt8(ascii: "/"))
    }

    /// `self` relative to `directory`; `nil` if it is not within.
    package func relative(to directory: BytePath) -> BytePath? {
        guard isWithin(directory) else { return nil }
        let rest = bytes.dropFirst(directory.count)
        return BytePath(terminated: Array(rest.drop { $0 == UInt8(ascii: "/") }) + [0])
    }

    /// The path without `.` and empty components; `..` removes the component before it, even if that is a link.
    package var normalized: BytePath {
        var kept: [ArraySlice<UInt8>] = []
        for component in components {
            if component.elementsEqual([0x2E]) { continue }
            if component.elementsEqual([0x2E, 0x2E]), let last = kept.last, !last.elementsEqual([0x2E, 0x2E]) {
                kept.removeLast()
                continue
            }
            if component.elementsEqual([0x2E, 0x2E]), isAbsolute { continue }
            kept.append(component)
        }
        let joined = Array(kept.joined(separator: [UInt8(ascii: "/")]))
        return BytePath(terminated: (isAbsolute ? [UInt8(ascii: "/")] : []) + joined + [0])
    }

    package func hasSuffix(_ suffix: StaticString) -> Bool {
        let length = suffix.utf8CodeUnitCount
        guard count >= length else { return false }
        return bytes.suffix(length).elementsEqual(UnsafeBufferPointer(start: suffix.utf8Start, count: length))
    }

    /// The exact text; `nil` if the bytes are not UTF-8.
    package var exactText: String? { String(validating: bytes, as: UTF8.self) }

    /// For another program: the exact text, if there is one.
    package var text: String { exactText ?? description }
}

extension BytePath: Hashable, Comparable {
    package static func == (left: BytePath, right: BytePath) -> Bool {
        left.terminated.withUnsafeBytes { left in
            right.terminated.withUnsafeBytes { right in
                guard left.count == right.count else { return false }
                // Eight bytes at a time: every lookup in a table of paths ends here.
                var index = 0
                while index &+ 8 <= left.count {
                    guard
                        left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                            == right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    else { return false }
                    index &+= 8
                }
                while index < left.count {
                    guard left[index] == right[index] else { return false }
                    index &+= 1
                }
                return true
            }
        }
    }

    package func hash(into hasher: inout Hasher) {
        terminated.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// By bytes, like `LC_ALL=C sort`.
    package static func < (left: BytePath, right: BytePath) -> Bool {
        left.terminated.withUnsafeBytes { left in
            right.terminated.withUnsafeBytes { right in
                // Eight bytes at a time, as big-endian numbers. The terminator is less than any other byte, so a path
                // comes before those that it is a prefix of.
                var index = 0
                let shared = min(left.count, right.count)
                while index &+ 8 <= shared {
                    let own = left.loadUnaligned(fromByteOffset: index, as: UInt64.self).bigEndian
                    let other = right.loadUnaligned(fromByteOffset: index, as: UInt64.self).bigEndian
                    if own != other { return own < other }
                    index &+= 8
                }
                while index < shared {
                    if left[index] != right[index] { return left[index] < right[index] }
                    index &+= 1
                }
                return left.count < right.count
            }
        }
    }
}

extension BytePath: CustomStringConvertible {
    /// For display: invalid UTF-8 becomes U+FFFD, and control characters are escaped, so that a name cannot control the
    /// terminal or add a line.
    package var description: String { Self.shown(String(decoding: bytes, as: UTF8.self)) }

    /// A text with its control characters escaped.
    package static func shown(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        return text.unicodeScalars.reduce(into: "") { shown, scalar in
            switch scalar {
            case "\n": shown += "\\n"
            case "\t": shown += "\\t"
            case "\r": shown += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                shown += "\\x" + Hexadecimal.text(scalar.value, digits: 2)
            default: shown.unicodeScalars.append(scalar)
            }
        }
    }
}
