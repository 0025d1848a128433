// Reads the module-level names from marshalled code, with the opcodes that its interpreter reported.

import BuildModel
import Bytecode
import ImportGraph

extension Interpreter {
    /// The layout of its code objects; `nil` if the interpreter did not report it.
    package var layoutOfCode: CodeLayout? { CodeLayout(rawValue: codeLayout) }

    private var opcodeTable: OpcodeTable? {
        // A database of an earlier version has six.
        guard opcodes.count == 6 || opcodes.count == 10 else { return nil }
        return OpcodeTable(
            storeName: opcodes[0], storeGlobal: opcodes[1], deleteName: opcodes[2], extendedArgument: opcodes[3],
            executeStatement: opcodes[4] == 0 ? nil : opcodes[4],
            encoding: opcodes[5] == 0 ? .units : .variable(firstWithArgument: opcodes[5]),
            imports: Array(opcodes.dropFirst(6).prefix(2)), loadName: opcodes.count > 8 ? opcodes[8] : nil,
            loadGlobal: opcodes.count > 9 ? opcodes[9] : nil)
    }

    /// The names that a module binds, from its marshalled code; `nil` if the code cannot be read.
    package func bindings(of code: ArraySlice<UInt8>) -> ModuleBindings? {
        guard let layoutOfCode, let opcodeTable else { return nil }
        return code.withUnsafeBytes { body in
            guard let arena = try? MarshalReader.read(body, layout: layoutOfCode) else { return nil }
            return ModuleBindings(of: arena, body: body, opcodes: opcodeTable)
        }
    }
}

extension ModuleBindings.Uncertainty {
    /// Whether modules may become importable that no file has.
    fileprivate var registersModules: Bool {
        switch self {
        // These provide names, and a name is no module.
        case .bindsGetattr, .importsStar: false
        // Code that is not there to be read can do anything, and so can what sets globals by their names: `__path__` is one.
        case .mentionsExec, .executesStatements, .mentionsExecfile, .hasOddCode, .mentionsSysModules, .changesPath,
            .mentionsGlobals, .mentionsVars, .mentionsLocals, .setsByName, .setsByNameInFunction, .exportsMembers:
            true
        }
    }
}

extension Bindings {
    /// Makes graph bindings from those of the code. `import *` is not an uncertainty here: the graph follows it.
    ///
    /// - Parameter importsItself: whether some code of the module imports the module, so that a function can set its names.
    package init(_ bindings: ModuleBindings, importsItself: Bool, names: inout NameTable) {
        let isKnown = bindings.uncertainties.allSatisfy {
            $0 == .importsStar || $0 == .setsByNameInFunction && !importsItself
        }
        guard isKnown else {
            self = .unknowable(registersModules: bindings.uncertainties.contains(where: \.registersModules))
            return
        }
        let ids = bindings.names.map { names.intern($0) }
        self = .names(
            BoundNames(
                topLevel: Array(ids.prefix(bindings.topLevelCount)),
                others: Array(ids.dropFirst(bindings.topLevelCount))))
    }
}
