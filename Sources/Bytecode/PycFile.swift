// A bytecode file taken apart: its header, and its code as far as the bytes allow.

/// A header's length and the order of the fields of code: what all files of an interpreter have in common.
package struct PycShape: Hashable, Sendable {
    /// Bytes: 8, 12 or 16.
    package let headerLength: Int
    package let layout: CodeLayout

    package init(headerLength: Int, layout: CodeLayout) {
        self.headerLength = headerLength
        self.layout = layout
    }

    /// What Pythons have written so far, the newest first. The header got a size in 3.3 and flags in 3.7 (PEP 552), code
    /// got other fields in 3.0, 3.8 and 3.11.
    package static let all = [
        PycShape(headerLength: 16, layout: .localsPlus), PycShape(headerLength: 16, layout: .positionalOnly),
        PycShape(headerLength: 16, layout: .keywordOnly), PycShape(headerLength: 12, layout: .keywordOnly),
        PycShape(headerLength: 8, layout: .keywordOnly), PycShape(headerLength: 8, layout: .python2),
    ]
}

/// What the bytes of a file are when they are read in one shape.
package struct PycFile: Sendable {
    package let shape: PycShape
    /// The first four bytes, little-endian.
    package let magic: UInt32
    /// `nil` where the flags are none that PEP 552 knows: import refuses such a file.
    package let header: PycHeader?
    package let code: Result<MarshalArena, MarshalError>
    /// Bytes after the header.
    package let bodyLength: Int

    /// Reads the whole file, in one shape. Whatever the bytes are, this takes a time that grows with their number.
    ///
    /// - Returns: `nil` where there are fewer bytes than the header has.
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

    /// What follows the header.
    package static func body(of bytes: UnsafeRawBufferPointer, _ shape: PycShape) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[min(shape.headerLength, bytes.count)...])
    }

    /// Reads a file whose shape nobody has told, by trying: the one in which code ends where the file ends; else the one
    /// in which code is read at all; else the one that gets furthest.
    ///
    /// - Returns: `nil` where there are fewer bytes than any header has.
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

    /// The number by which a Python's bytecode is known: the first two bytes.
    package var magicNumber: UInt16 { UInt16(truncatingIfNeeded: magic) }

    /// Whether the magic number ends as all do, in a carriage return and a line feed, so that a copy which translates
    /// line ends is noticed (Lib/importlib/_bootstrap_external.py).
    package var hasMagicEnding: Bool { magic >> 16 == 0x0A0D }

    /// The objects, where the whole could be read.
    package var arena: MarshalArena? { try? code.get() }

    /// Bytes after the code, which Python never looks at.
    package var trailing: Int { arena.map { bodyLength - $0.length } ?? 0 }

    /// Whether the top object is code, as that of a module must be.
    package var holdsCode: Bool { arena.map { $0[$0.root].type == .code } ?? false }

    /// Whether there is code, and nothing after it.
    package var isWhole: Bool { holdsCode && trailing == 0 }

    // MARK: Guessing

    /// How well the bytes suit the shape.
    private struct Likelihood: Comparable {
        let rank: Int
        let hasHeader: Bool
        /// Bytes from the beginning of the file to where reading stopped.
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
            // A file may begin with a byte that is an object on its own: such a reading says little.
            rank = holdsCode ? (trailing == 0 ? 4 : 3) : (trailing == 0 ? 1 : 0)
        case .failure(let error):
            reached = shape.headerLength + error.offset
            // Code that is broken somewhere is still more likely than bytes that mean something else by chance.
            rank = error.offset > 0 ? 2 : 0
        }
        return Likelihood(rank: rank, hasHeader: header != nil, reached: reached)
    }
}
