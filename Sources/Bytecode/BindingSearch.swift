// The search behind ModuleBindings.
//
// Any number of code objects can share instructions and tuples of names. Each string and each tuple is examined only
// once, and walking shared instructions again is limited, so the time is linear in the size of the body.

struct BindingSearch {
    /// What is known about a node so far.
    private struct Marks: OptionSet {
        let rawValue: UInt32

        static let exec = Marks(rawValue: 1 << 0)
        static let execfile = Marks(rawValue: 1 << 1)
        static let globals = Marks(rawValue: 1 << 2)
        static let vars = Marks(rawValue: 1 << 3)
        static let locals = Marks(rawValue: 1 << 4)
        static let sys = Marks(rawValue: 1 << 5)
        static let modules = Marks(rawValue: 1 << 6)
        static let path = Marks(rawValue: 1 << 7)
        static let attributes = Marks(rawValue: 1 << 13)
        static let enumeration = Marks(rawValue: 1 << 14)
        static let setter = Marks(rawValue: 1 << 15)
        /// Words that matter because functions have these names.
        static let functions: Marks = [.exec, .execfile, .globals, .vars, .locals]
        static let builtins = Marks(rawValue: 1 << 16)
        static let words = Marks(rawValue: 0x7F | 1 << 7 | 1 << 13 | 1 << 14 | 1 << 15 | 1 << 16)

        /// A tuple that was searched for words.
        static let isSearched = Marks(rawValue: 1 << 8)
        /// Instructions that were walked, and whether they store globals.
        static let isWalked = Marks(rawValue: 1 << 9)
        static let hasGlobals = Marks(rawValue: 1 << 10)
        /// Text that was already recorded as a name, or as a deleted name.
        static let isTaken = Marks(rawValue: 1 << 11)
        static let isTakenDeleted = Marks(rawValue: 1 << 12)
    }

    private let arena: MarshalArena
    private let body: UnsafeRawBufferPointer
    private let opcodes: OpcodeTable
    private var marks: [Marks]
    private var items: [MarshalNodeID: [MarshalNodeID]] = [:]
    /// Bytes of shared instructions that may still be walked again with other names. Starts at the size of the body.
    private var bytesToWalkAgain: Int
    private var seen: Set<[UInt8]> = []
    private var seenDeleted: Set<[UInt8]> = []

    private(set) var names: [[UInt8]] = []
    private(set) var topLevelCount = 0
    private(set) var deletedNames: [[UInt8]] = []
    private(set) var uncertainties: Set<ModuleBindings.Uncertainty> = []

    init(arena: MarshalArena, body: UnsafeRawBufferPointer, opcodes: OpcodeTable) {
        self.arena = arena
        self.body = body
        self.opcodes = opcodes
        bytesToWalkAgain = body.count
        marks = Array(repeating: [], count: arena.count)
    }

    mutating func run() {
        walkTopLevel()
        topLevelCount = names.count
        for code in arena.codes.dropFirst() { walkInner(code) }
        if seen.contains(Array("__getattr__".utf8)) { uncertainties.insert(.bindsGetattr) }
        if importsStar() { uncertainties.insert(.importsStar) }
        searchWords()
    }

    // MARK: Instructions

    private mutating func walkTopLevel() {
        guard let code = bytecode(of: arena.root), let tuple = nameTuple(of: arena.root) else { return }
        marks[Int(code.index)].insert(.isWalked)
        let names = items(of: tuple)
        for instruction in InstructionWalk(bytes(of: code), opcodes) {
            if instruction.opcode == opcodes.storeName || instruction.opcode == opcodes.storeGlobal {
                take(Int(instruction.argument), of: names)
                if instruction.opcode == opcodes.storeGlobal { marks[Int(code.index)].insert(.hasGlobals) }
            } else if instruction.opcode == opcodes.deleteName {
                takeDeleted(Int(instruction.argument), of: names)
            } else if instruction.opcode == opcodes.executeStatement {
                uncertainties.insert(.executesStatements)
            }
        }
    }

    /// Functions and classes bind module names only with STORE_GLOBAL.
    private mutating func walkInner(_ id: MarshalNodeID) {
        guard let code = bytecode(of: id) else { return }
        let place = Int(code.index)
        if marks[place].contains(.isWalked) {
            if marks[place].contains(.hasGlobals) { walkAgain(code, in: id) }
            return
        }
        marks[place].insert(.isWalked)
        let bytes = bytes(of: code)
        guard mayHaveGlobals(bytes), let tuple = nameTuple(of: id) else { return }
        let names = items(of: tuple)
        for instruction in InstructionWalk(bytes, opcodes) {
            if instruction.opcode == opcodes.storeGlobal {
                marks[place].insert(.hasGlobals)
                take(Int(instruction.argument), of: names)
            } else if instruction.opcode == opcodes.executeStatement {
                // It can bind a global of the module even in a function: exec "global x; x = 1".
                uncertainties.insert(.executesStatements)
            }
        }
    }

    /// Walks instructions again with another code object's names: 3.10 writes equal instructions once.
    private mutating func walkAgain(_ code: MarshalNodeID, in id: MarshalNodeID) {
        guard let tuple = nameTuple(of: id) else { return }
        let bytes = bytes(of: code)
        guard bytes.count <= bytesToWalkAgain else {
            uncertainties.insert(.hasOddCode)
            return
        }
        bytesToWalkAgain -= bytes.count
        let names = items(of: tuple)
        for instruction in InstructionWalk(bytes, opcodes) where instruction.opcode == opcodes.storeGlobal {
            take(Int(instruction.argument), of: names)
        }
    }

    /// Whether the code may store globals: a quick check of eight bytes at a time, since most code does not. Can be
    /// wrongly true.
    private func mayHaveGlobals(_ code: UnsafeRawBufferPointer) -> Bool {
        switch opcodes.encoding {
        case .units:
            // Opcodes are at even offsets, arguments at odd ones.
            return holds(opcodes.storeGlobal, in: code, evenOnly: true)
        case .variable:
            return holds(opcodes.storeGlobal, in: code, evenOnly: false)
                || opcodes.executeStatement.map { holds($0, in: code, evenOnly: false) } ?? false
        }
    }

    private func holds(_ opcode: UInt8, in code: UnsafeRawBufferPointer, evenOnly: Bool) -> Bool {
        let lanes: UInt64 = evenOnly ? 0x0001_0001_0001_0001 : 0x0101_0101_0101_0101
        let pattern = lanes &* UInt64(opcode)
        let considered = lanes &* 0xFF
        var position = 0
        while position &+ 8 <= code.count {
            let word = UInt64(littleEndian: code.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let difference = (word ^ pattern) & considered
            // A zero lane borrows, which sets its top bit.
            let borrowed = (difference &- lanes) & ~difference
            if borrowed & (evenOnly ? 0x8000_8000_8000_8000 : 0x8080_8080_8080_8080) != 0 { return true }
            position &+= 8
        }
        while position < code.count {
            if code[position] == opcode { return true }
            position &+= evenOnly ? 2 : 1
        }
        return false
    }

    private mutating func take(_ place: Int, of tuple: [MarshalNodeID]) {
        guard place < tuple.count else {
            uncertainties.insert(.hasOddCode)
            return
        }
        let text = tuple[place]
        guard marks[Int(text.index)].insert(.isTaken).inserted else { return }
        let name = Array(bytes(of: text))
        if seen.insert(name).inserted { names.append(name) }
    }

    private mutating func takeDeleted(_ place: Int, of tuple: [MarshalNodeID]) {
        guard place < tuple.count else {
            uncertainties.insert(.hasOddCode)
            return
        }
        let text = tuple[place]
        guard marks[Int(text.index)].insert(.isTakenDeleted).inserted else { return }
        let name = Array(bytes(of: text))
        if seenDeleted.insert(name).inserted { deletedNames.append(name) }
    }

    // MARK: Words

    /// Looks for names that let a module bind globals without a visible instruction.
    private mutating func searchWords() {
        guard markWords() else { return }
        var all = Marks()
        for code in arena.codes {
            guard let tuple = nameTuple(of: code) else { continue }
            var words = words(in: tuple)
            if !words.isDisjoint(with: .functions) { words.subtract(notLoaded(by: code, tuple)) }
            all.formUnion(words)
            if code != arena.root, words.contains(.setter) { uncertainties.insert(.setsByNameInFunction) }
            guard code == arena.root else { continue }
            if words.contains(.locals) { uncertainties.insert(.mentionsLocals) }
            if !words.isDisjoint(with: [.attributes, .setter]) { uncertainties.insert(.setsByName) }
        }
        if all.contains(.exec) { uncertainties.insert(.mentionsExec) }
        if all.contains(.execfile) { uncertainties.insert(.mentionsExecfile) }
        if all.contains(.globals) { uncertainties.insert(.mentionsGlobals) }
        if all.contains(.vars) { uncertainties.insert(.mentionsVars) }
        if all.contains(.path) { uncertainties.insert(.changesPath) }
        if all.contains(.enumeration) { uncertainties.insert(.exportsMembers) }
        if all.isSuperset(of: [.sys, .modules]) { uncertainties.insert(.mentionsSysModules) }
    }

    /// The functions that this code only names otherwise: in `from .globals import request` and in `environment.globals`, it is
    /// another thing that has the name.
    private mutating func notLoaded(by code: MarshalNodeID, _ tuple: MarshalNodeID) -> Marks {
        guard opcodes.loadName != nil, let instructions = bytecode(of: code) else { return [] }
        let names = items(of: tuple)
        var loaded = Marks()
        func mark(_ place: UInt32) -> Marks { place < names.count ? marks[Int(names[Int(place)].index)] : [] }
        for instruction in InstructionWalk(bytes(of: instructions), opcodes) {
            if instruction.opcode == opcodes.loadName {
                loaded.formUnion(mark(instruction.argument))
            } else if instruction.opcode == opcodes.loadGlobal {
                // Since Python 3.11, the argument has a flag in its lowest bit.
                loaded.formUnion(mark(instruction.argument).union(mark(instruction.argument >> 1)))
            } else if opcodes.imports.contains(instruction.opcode), mark(instruction.argument).contains(.builtins) {
                // `import builtins`, `from builtins import exec as run`
                return []
            }
        }
        return loaded.contains(.builtins) ? [] : Marks.functions.subtracting(loaded)
    }

    /// - Returns: whether there are any. Most modules have none, and then no tuple has to be searched.
    private mutating func markWords() -> Bool {
        var found = Marks()
        for (index, node) in arena.nodes.enumerated() where node.count >= 3 && node.count <= 17 {
            guard node.type.isText(in: arena.layout) else { continue }
            let word = word(bytes(of: MarshalNodeID(UInt32(truncatingIfNeeded: index))))
            if !word.isEmpty {
                marks[index].formUnion(word)
                found.formUnion(word)
            }
        }
        return !found.isEmpty
    }

    private func word(_ text: UnsafeRawBufferPointer) -> Marks {
        switch (text.count, text[0]) {
        case (3, UInt8(ascii: "s")): text.elementsEqual("sys".utf8) ? .sys : []
        case (4, UInt8(ascii: "e")): text.elementsEqual("exec".utf8) ? .exec : []
        case (4, UInt8(ascii: "v")): text.elementsEqual("vars".utf8) ? .vars : []
        case (6, UInt8(ascii: "l")): text.elementsEqual("locals".utf8) ? .locals : []
        case (7, UInt8(ascii: "g")): text.elementsEqual("globals".utf8) ? .globals : []
        case (7, UInt8(ascii: "m")): text.elementsEqual("modules".utf8) ? .modules : []
        case (3, UInt8(ascii: "d")): text.elementsEqual("dir".utf8) ? .attributes : []
        case (7, UInt8(ascii: "s")): text.elementsEqual("setattr".utf8) ? .setter : []
        case (8, UInt8(ascii: "_")):
            text.elementsEqual("__dict__".utf8)
                ? .attributes
                : text.elementsEqual("__path__".utf8) ? .path : text.elementsEqual("_convert".utf8) ? .enumeration : []
        case (9, UInt8(ascii: "m")): text.elementsEqual("meta_path".utf8) ? .path : []
        case (9, UInt8(ascii: "_")): text.elementsEqual("_convert_".utf8) ? .enumeration : []
        case (11, UInt8(ascii: "g")): text.elementsEqual("global_enum".utf8) ? .enumeration : []
        case (17, UInt8(ascii: "d")): text.elementsEqual("declare_namespace".utf8) ? .path : []
        case (8, UInt8(ascii: "e")): text.elementsEqual("execfile".utf8) ? .execfile : []
        case (8, UInt8(ascii: "b")): text.elementsEqual("builtins".utf8) ? .builtins : []
        case (11, UInt8(ascii: "_")): text.elementsEqual("__builtin__".utf8) ? .builtins : []
        case (12, UInt8(ascii: "_")): text.elementsEqual("__builtins__".utf8) ? .builtins : []
        default: []
        }
    }

    private mutating func words(in tuple: MarshalNodeID) -> Marks {
        let place = Int(tuple.index)
        if !marks[place].contains(.isSearched) {
            var words = Marks()
            for item in arena.children(of: tuple) { words.formUnion(marks[Int(arena.resolved(item).index)]) }
            marks[place].formUnion(words.intersection(.words))
            marks[place].insert(.isSearched)
        }
        return marks[place].intersection(.words)
    }

    private func importsStar() -> Bool {
        guard let constants = arena.field(.constants, of: arena.root) else { return false }
        for item in arena.children(of: arena.resolved(constants)) {
            let tuple = arena.resolved(item)
            guard arena[tuple].type.isTuple, arena[tuple].count == 1 else { continue }
            for only in arena.children(of: tuple) {
                let text = arena.resolved(only)
                if arena[text].type.isText(in: arena.layout), arena[text].count == 1,
                    bytes(of: text).elementsEqual(CollectionOfOne(UInt8(ascii: "*")))
                {
                    return true
                }
            }
        }
        return false
    }

    // MARK: Fields

    private func bytecode(of code: MarshalNodeID) -> MarshalNodeID? {
        arena.field(.code, of: code).map(arena.resolved)
    }

    private func nameTuple(of code: MarshalNodeID) -> MarshalNodeID? {
        arena.field(.names, of: code).map(arena.resolved)
    }

    /// The items of a tuple of names, resolved.
    private mutating func items(of tuple: MarshalNodeID) -> [MarshalNodeID] {
        if let known = items[tuple] { return known }
        var found: [MarshalNodeID] = []
        found.reserveCapacity(Int(arena[tuple].count))
        for item in arena.children(of: tuple) { found.append(arena.resolved(item)) }
        items[tuple] = found
        return found
    }

    private func bytes(of id: MarshalNodeID) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: body[arena.content(of: id)])
    }
}
