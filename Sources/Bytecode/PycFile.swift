// Parses bytecode files: the header and the code.

/// The header length and the layout of code objects, which all bytecode files of an interpreter share.
package struct PycShape: Hashable, Sendable {
    /// In bytes: 8, 12 or 16.
    package let headerLength: Int
    package let layout: CodeLayout

    package init(headerLength: Int, layout: CodeLayout) {
        self.headerLength = headerLength
        self.layout = layout
    }

    /// All shapes so far, newest first. The header got a size in 3.3 and flags in 3.7 (PEP 552); the fields of code
    /// objects changed in 3.0, 3.8 and 3.11.
    package static let all = [
        PycShape(headerLength: 16, layout: .localsPlus), PycShape(headerLength: 16, layout: .positionalOnly),
        PycShape(headerLength: 16, layout: .keywordOnly), PycShape(headerLength: 12, layout: .keywordOnly),
        PycShape(headerLength: 8, layout: .keywordOnly), PycShape(headerLength: 8, layout: .python2),
    ]
}

/// The bytes of a file, parsed in one shape.
package struct PycFile: Sendable {
    package let shape: PycShape
    /// The first four bytes, little-endian.
    package let magic: UInt32
    /// `nil` if PEP 552 does not define the flags: Python refuses to import such a file.
    package let header: PycHeader?
    package let code: Result<MarshalArena, MarshalError>
    /// Number of bytes after the header.
    package let bodyLength: Int

    /// Parses the whole file in one shape. Takes linear time, whatever the bytes are.
    ///
    /// - Returns: `nil` if there are fewer bytes than the header has.
    package init?(_ bytes: UnsafeRawBufferPointer, shape: PycShape) {
        guard bytes.count >= shape.headerLength, bytes.count >= 4 else { return nil }
        self.shape = shape
        magic = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        header = PycHeader(bytes, length: shape.headerLength)
        let body = Self.body(of: bytes, shape)
        bodyLength = body.count
        do throws(MarshalError) {
            code = .success(try MarshalReader.read(body, layout: shape.layout))
        } catch {
            code = .failure(error)
        }
    }

    /// The bytes after the header.
    package static func body(of bytes: UnsafeRawBufferPointer, _ shape: PycShape) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[min(shape.headerLength, bytes.count)...])
    }

    /// Parses a file of unknown shape by trying all of them. Prefers the shape in which the code ends where the file
    /// ends, then one in which the code can be read, then the one that gets furthest.
    ///
    /// - Returns: `nil` if there are fewer bytes than any header has.
    package static func guessing(_ bytes: UnsafeRawBufferPointer) -> PycFile? {
        var best: PycFile?
        for shape in PycShape.all {
            guard let candidate = PycFile(bytes, shape: shape) else { continue }
            if candidate.isWhole, candidate.header != nil { return candidate }
            guard let other = best, other.likelihood >= candidate.likelihood else {
                best = candidate
                continue
            }
        }
        return best
    }

    /// The number that identifies a Python version's bytecode: the first two bytes.
    package var magicNumber: UInt16 { UInt16(truncatingIfNeeded: magic) }

    /// Whether the magic number ends in a carriage return and a line feed, as all do so that a copy with translated
    /// line endings is noticed (Lib/importlib/_bootstrap_external.py).
    package var hasMagicEnding: Bool { magic >> 16 == 0x0A0D }

    /// The objects; `nil` if the code could not be read.
    package var arena: MarshalArena? { try? code.get() }

    /// Number of bytes after the code. Python ignores them.
    package var trailing: Int { arena.map { bodyLength - $0.length } ?? 0 }

    /// Whether the top object is code, as it must be in a module.
    package var holdsCode: Bool { arena.map { $0[$0.root].type == .code } ?? false }

    /// Whether there is code, and nothing after it.
    package var isWhole: Bool { holdsCode && trailing == 0 }

    // MARK: Guessing

    /// How well the bytes fit the shape.
    private struct Likelihood: Comparable {
        let rank: Int
        let hasHeader: Bool
        /// Offset in the file where reading stopped, in bytes.
        let reached: Int

        static func < (left: Self, right: Self) -> Bool {
            (left.rank, left.hasHeader ? 1 : 0, left.reached) < (right.rank, right.hasHeader ? 1 : 0, right.reached)
        }
    }

    private var likelihood: Likelihood {
        let reached: Int
        let rank: Int
        switch code {
        case .success(let arena):
            reached = shape.headerLength + arena.length
            // A body can begin with a byte that is an object by itself: such a result says little.
            rank = holdsCode ? (trailing == 0 ? 4 : 3) : (trailing == 0 ? 1 : 0)
        case .failure(let error):
            reached = shape.headerLength + error.offset
            // Code with an error somewhere is still more likely than other data that happens to start like code.
            rank = error.offset > 0 ? 2 : 0
        }
        return Likelihood(rank: rank, hasHeader: header != nil, reached: reached)
    }
}
