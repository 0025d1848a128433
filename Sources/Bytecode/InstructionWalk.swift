// Iterates over the instructions of a code object.

/// Yields instructions with EXTENDED_ARG folded into the argument.
struct InstructionWalk: Sequence, IteratorProtocol {
    struct Instruction {
        let opcode: UInt8
        let argument: UInt32
    }

    private let code: UnsafeRawBufferPointer
    private let extendedArgument: UInt8
    /// The first opcode with a two-byte argument; `nil` for `units`.
    private let firstWithArgument: UInt8?
    private var position = 0

    init(_ code: UnsafeRawBufferPointer, _ opcodes: OpcodeTable) {
        self.code = code
        extendedArgument = opcodes.extendedArgument
        switch opcodes.encoding {
        case .units: firstWithArgument = nil
        case .variable(let first): firstWithArgument = first
        }
    }

    /// Ignores an incomplete instruction at the end.
    @inline(__always)
    mutating func next() -> Instruction? {
        var extended: UInt32 = 0
        while position < code.count {
            let opcode = code[position]
            let argument: UInt32
            if let firstWithArgument {
                guard opcode >= firstWithArgument else {
                    position &+= 1
                    return Instruction(opcode: opcode, argument: 0)
                }
                guard code.count &- position >= 3 else { return nil }
                argument = extended &<< 16 | UInt32(code[position &+ 1]) | UInt32(code[position &+ 2]) &<< 8
                position &+= 3
            } else {
                guard code.count &- position >= 2 else { return nil }
                argument = extended &<< 8 | UInt32(code[position &+ 1])
                position &+= 2
            }
            guard opcode == extendedArgument else { return Instruction(opcode: opcode, argument: argument) }
            extended = argument
        }
        return nil
    }
}
