// What compiled code tells, with what its interpreter has told of itself.
// Knows: how an interpreter's facts become those of the Bytecode room. Does not know: files.

import BuildModel
import Bytecode
import ImportGraph

extension Interpreter {
    /// How its code is laid out; `nil` where it did not say.
    package var layoutOfCode: CodeLayout? { CodeLayout(rawValue: codeLayout) }

    private var opcodeTable: OpcodeTable? {
        guard opcodes.count == 6 else { return nil }
        return OpcodeTable(
            storeName: opcodes[0], storeGlobal: opcodes[1], deleteName: opcodes[2], extendedArgument: opcodes[3],
            executeStatement: opcodes[4] == 0 ? nil : opcodes[4],
            encoding: opcodes[5] == 0 ? .units : .variable(firstWithArgument: opcodes[5]))
    }

    /// What a module binds, by its marshalled code; `nil` where that cannot be read.
    package func bindings(of code: [UInt8]) -> ModuleBindings? {
        guard let layoutOfCode, let opcodeTable else { return nil }
        return code.withUnsafeBytes { body in
            guard let arena = try? MarshalReader.read(body, layout: layoutOfCode) else { return nil }
            return ModuleBindings(of: arena, body: body, opcodes: opcodeTable)
        }
    }
}

extension Bindings {
    /// What is imported by `*` is no reason to give up: the graph follows it.
    package init(_ bindings: ModuleBindings, names: inout NameTable) {
        let isKnown = bindings.uncertainties.allSatisfy { $0 == .importsStar }
        self = isKnown ? .names(Set(bindings.names.map { names.intern($0) })) : .unknowable
    }
}
