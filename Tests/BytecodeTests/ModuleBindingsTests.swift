// The names that small modules bind, and the cases in which they are not known.

import Testing

@testable import Bytecode

@Suite struct ModuleBindingsTests {
    /// A code object of 3.8, made of instructions and names.
    private static func code(_ instructions: [UInt8], names: [String], constants: [[UInt8]] = []) -> [UInt8] {
        func text(_ text: String) -> [UInt8] { [0x75] + length(text.utf8.count) + Array(text.utf8) }
        func length(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } }
        var bytes: [UInt8] = [0x63] + [UInt8](repeating: 0, count: 24)
        bytes += [0x73] + length(instructions.count) + instructions
        bytes += [0x28] + length(constants.count) + constants.joined()
        bytes += [0x28] + length(names.count) + names.flatMap(text)
        bytes += [0x29, 0, 0x29, 0, 0x29, 0] + text("m.py") + text("<module>") + [1, 0, 0, 0, 0x73, 0, 0, 0, 0]
        return bytes
    }

    private static func bindings(
        _ body: [UInt8], _ layout: CodeLayout = .positionalOnly, _ opcodes: OpcodeTable = MarshalSample.wordcode
    ) throws -> ModuleBindings? {
        try body.withUnsafeBytes { bytes in
            ModuleBindings(of: try MarshalReader.read(bytes, layout: layout), body: bytes, opcodes: opcodes)
        }
    }

    private static func strings(_ names: [[UInt8]]) -> [String] { names.map { String(decoding: $0, as: UTF8.self) } }

    private static let storeName: UInt8 = 90
    private static let storeGlobal: UInt8 = 97
    private static let deleteName: UInt8 = 91
    private static let extended: UInt8 = 144
    private static let pop: UInt8 = 1

    @Test(
        arguments: [
            ([], []), ([storeName, 1, storeName, 0], ["b", "a"]), ([storeName, 1, storeName, 1], ["b"]),
            ([storeGlobal, 2, pop, 0, storeName, 0], ["c", "a"]), ([deleteName, 0, storeName, 1], ["b"]),
            // Arguments are not opcodes.
            ([pop, storeName, pop, storeGlobal, 0, 0], []),
            // EXTENDED_ARG applies only to the next instruction, and a cache entry (0) is an instruction.
            ([extended, 1, pop, 0, storeName, 0], ["a"]), ([storeName, 0, 0, 0, 0, 0, storeName, 1], ["a", "b"]),
            // An incomplete instruction at the end.
            ([storeName, 0, storeName], ["a"]),
        ] as [([UInt8], [String])])
    func topLevelNames(_ instructions: [UInt8], _ names: [String]) throws {
        let found = try #require(try Self.bindings(Self.code(instructions, names: ["a", "b", "c"])))
        #expect(Self.strings(found.names) == names)
        #expect(Self.strings(found.deletedNames) == (instructions.contains(Self.deleteName) ? ["a"] : []))
        #expect(!found.isUnknown)
    }

    @Test func extendedArguments() throws {
        let names = (0..<70_000).map { "n\($0)" }
        let instructions: [UInt8] = [
            Self.extended, 1, Self.storeName, 2, Self.extended, 1, Self.extended, 2, Self.storeName, 3,
        ]
        let found = try #require(try Self.bindings(Self.code(instructions, names: names)))
        #expect(Self.strings(found.names) == ["n258", "n66051"])
    }

    @Test func variableLengthInstructions() throws {
        let opcodes = OpcodeTable(
            storeName: 90, storeGlobal: 97, deleteName: 91, extendedArgument: 145, executeStatement: 85,
            encoding: .variable(firstWithArgument: 90))
        let names = (0..<66_000).map { "n\($0)" }
        // Opcodes below 90 have no argument, arguments are not opcodes, and EXTENDED_ARG holds the upper half.
        let instructions: [UInt8] = [
            1, 90, 44, 1, 100, 90, 90, 1, 97, 0, 0, 91, 3, 0, 145, 1, 0, 90, 2, 0, 90, 4,
        ]
        let found = try #require(try Self.bindings(Self.code(instructions, names: names), .positionalOnly, opcodes))
        #expect(Self.strings(found.names) == ["n300", "n0", "n65538"])
        #expect(Self.strings(found.deletedNames) == ["n3"])
        #expect(!found.isUnknown)
        let executing = try Self.bindings(Self.code([85], names: []), .positionalOnly, opcodes)
        #expect(executing?.uncertainties == [.executesStatements])
        let inner = try Self.bindings(
            Self.code([], names: [], constants: [Self.code([1, 85], names: [])]), .positionalOnly, opcodes)
        #expect(inner?.uncertainties == [.executesStatements])
    }

    @Test func functionsBindGlobalsOnly() throws {
        let innermost = Self.code([Self.storeGlobal, 0], names: ["deep"])
        let inner = Self.code(
            [Self.storeName, 0] + [UInt8](repeating: 0, count: 32) + [Self.storeGlobal, 1],
            names: ["local", "shown"], constants: [innermost])
        let found = try #require(
            try Self.bindings(Self.code([Self.storeName, 0], names: ["f"], constants: [[0x4E], inner])))
        #expect(Self.strings(found.names) == ["f", "shown", "deep"])
        #expect(!found.isUnknown)
    }

    @Test(
        arguments: [
            (["exec"], [.mentionsExec]), (["globals"], [.mentionsGlobals]), (["vars"], [.mentionsVars]),
            (["execfile"], [.mentionsExecfile]), (["sys"], []), (["modules"], []),
            (["sys", "modules"], [.mentionsSysModules]), (["locals"], [.mentionsLocals]),
            (["exe", "global", "var", "local", "globalz", "modulez", "execfiles"], []),
            (["locals", "vars", "exec"], [.mentionsExec, .mentionsVars, .mentionsLocals]),
        ] as [([String], [ModuleBindings.Uncertainty])])
    func wordsThatHideNames(_ words: [String], _ reasons: [ModuleBindings.Uncertainty]) throws {
        let top = try #require(try Self.bindings(Self.code([], names: words)))
        #expect(top.uncertainties == reasons)
        #expect(top.isUnknown == !reasons.isEmpty)
        let nested = Self.code([], names: [], constants: [Self.code([], names: words)])
        #expect(try Self.bindings(nested)?.uncertainties == reasons.filter { $0 != .mentionsLocals })
    }

    @Test func wordsInConstantsHideNothing() throws {
        let text: [UInt8] = [0x7A, 4] + Array("exec".utf8)
        #expect(try Self.bindings(Self.code([], names: ["a"], constants: [text]))?.isUnknown == false)
    }

    @Test func sysAndModulesInDifferentCode() throws {
        let body = Self.code([], names: ["sys"], constants: [Self.code([], names: ["modules"])])
        #expect(try Self.bindings(body)?.uncertainties == [.mentionsSysModules])
    }

    @Test func moduleGetattrAndStar() throws {
        let getattr = try Self.bindings(Self.code([Self.storeName, 0], names: ["__getattr__"]))
        #expect(getattr?.uncertainties == [.bindsGetattr])
        #expect(try Self.bindings(Self.code([], names: ["__getattr__"]))?.isUnknown == false)
        let star: [UInt8] = [0x29, 1, 0x7A, 1, 0x2A]
        #expect(try Self.bindings(Self.code([], names: [], constants: [star]))?.uncertainties == [.importsStar])
        let other: [UInt8] = [0x29, 1, 0x7A, 1, 0x2B]
        #expect(try Self.bindings(Self.code([], names: [], constants: [other]))?.isUnknown == false)
    }

    @Test func namesThatAreNotThere() throws {
        let found = try #require(try Self.bindings(Self.code([Self.storeName, 7, Self.deleteName, 8], names: ["a"])))
        #expect(found.names.isEmpty && found.deletedNames.isEmpty)
        #expect(found.uncertainties == [.hasOddCode])
    }

    @Test func onlyCodeBinds() throws {
        #expect(try Self.bindings([0x4E]) == nil)
    }

    @Test(arguments: MarshalSample.all)
    func realModules(_ sample: MarshalSample) throws {
        let found = try #require(try Self.bindings(sample.body, sample.layout, sample.opcodes))
        let isPython2 = sample.layout == .python2
        #expect(
            Self.strings(found.names)
                == ["o", "sys", "c"] + (isPython2 ? [] : ["é"]) + ["__all__", "f", "K", "i", "g"])
        #expect(Self.strings(found.deletedNames) == ["i"])
        #expect(found.uncertainties == (isPython2 ? [.executesStatements] : []))
    }
}
