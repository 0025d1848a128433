// Finds the imports of one source without running Python, and the circumstances in which they run.

/// Scans a source in one pass. Accepts any bytes: what is not Python has no imports, and the imports after it are
/// found.
package struct ImportScanner {
    /// A compound statement that affects the imports in its current clause.
    private struct Block {
        enum Shape {
            case plain
            /// A clause of an `if`.
            case branch
            /// The body of a `try`, then its handlers.
            case guarded
        }

        let indentation: Int
        var shape: Shape
        /// The traits of all enclosing blocks, and its own.
        var traits: ImportTraits
        /// Number of conditions outside this block.
        var outerConditions: Int
        /// The range in `imports` of the body of the `try`. The end is unknown until the first handler.
        var guardedStart: Int
        var guardedEnd: Int?
        /// Branch: this one or an earlier one is always taken, so the later ones are dead.
        /// Handler: this one or an earlier one has made the body's imports optional.
        var isSettled = false
        /// Branch: the test of this one or of an earlier one cannot be decided.
        var isUndecided = false
    }

    /// Branches beyond this many in one `if` share a condition that is never decided.
    private static let maximumConditions = 64
    /// Further aliases are ignored, so that looking them up stays cheap whatever the source is.
    private static let maximumAliases = 16

    var cursor: SourceCursor
    var imports: [ImportStatement] = []
    let source: UnsafeBufferPointer<UInt8>
    private var blocks: [Block] = []
    /// The conditions of all open blocks, which must hold here.
    private(set) var conditions: [ImportCondition] = []
    /// The block that this line may continue with another clause, and its own conditions.
    private var predecessor: Block?
    private var predecessorConditions: [ImportCondition] = []

    /// Aliases in this source for `importlib`, its functions, and `TYPE_CHECKING`.
    var importlibNames: [[UInt8]] = []
    var importFunctionNames: [[UInt8]] = []
    var isImportModuleImported = false
    private var typeCheckingNames: [[UInt8]] = []
    var hasUnconfirmed = false
    /// A statement at the top level has ended the module: what follows may be reached only in ways that a scan cannot see.
    private var hasEnded = false

    private var lines = LineCounter()

    /// All imports of the source, in order.
    package static func scan(_ source: UnsafeRawBufferPointer) -> [ImportStatement] {
        ByteClass.table.withUnsafeBufferPointer { classes in
            guard var scanner = ImportScanner(source, classes: classes) else { return [] }
            scanner.run()
            return scanner.imports
        }
    }

    package static func scan(_ source: [UInt8]) -> [ImportStatement] {
        source.withUnsafeBytes { scan($0) }
    }

    private init?(_ source: UnsafeRawBufferPointer, classes: UnsafeBufferPointer<UInt8>) {
        guard let cursor = SourceCursor(source: source, classes: classes) else { return nil }
        self.cursor = cursor
        self.source = UnsafeBufferPointer(start: cursor.base, count: cursor.end)
        lines.skipMark(to: cursor.position)
    }

    private mutating func run() {
        while let indentation = cursor.enterLine() {
            leaveBlocks(to: indentation)
            var stop = statement(indentation)
            while stop == .semicolon || stop == .colon {
                predecessor = nil
                cursor.skipBlanks()
                stop = statement(indentation)
            }
        }
        guard hasUnconfirmed else { return }
        if !isImportModuleImported { imports.removeAll { $0.traits.contains(.unconfirmed) } }
        for index in imports.indices { imports[index].traits.remove(.unconfirmed) }
    }

    // MARK: Blocks

    /// The traits of a statement at this point.
    var traits: ImportTraits { hasEnded ? outerTraits.union(.undecided) : outerTraits }

    private var outerTraits: ImportTraits { blocks.last?.traits ?? [] }

    private mutating func leaveBlocks(to indentation: Int) {
        predecessor = nil
        while let block = blocks.last, block.indentation >= indentation {
            blocks.removeLast()
            if block.indentation == indentation {
                predecessor = block
                predecessorConditions = Array(conditions[block.outerConditions...])
            }
            conditions.removeSubrange(block.outerConditions...)
        }
    }

    private mutating func enterBlock(_ indentation: Int, _ shape: Block.Shape, adding added: ImportTraits) {
        blocks.append(
            Block(
                indentation: indentation, shape: shape, traits: traits.union(added),
                outerConditions: conditions.count, guardedStart: imports.count))
    }

    // MARK: Statements

    /// Scans one statement, or one header through its colon.
    private mutating func statement(_ indentation: Int) -> SourceCursor.Stop {
        let start = cursor.position
        guard start < cursor.end, cursor.has(ByteClass.opensKeyword, at: start) else {
            if indentation == 0, blocks.isEmpty, cursor.endsModule(at: start) { hasEnded = true }
            return rest()
        }
        let (keyword, wordEnd) = cursor.word(at: start)
        cursor.position = wordEnd
        switch keyword {
        case .import:
            return importStatement(at: start, traits: traits)
        case .from:
            return fromStatement(at: start, traits: traits)
        case .lazy:
            return lazyStatement(at: start)
        case .def:
            return block(indentation, adding: .deferred)
        case .async:
            cursor.skipBlanks()
            let (second, end) = cursor.word(at: cursor.position)
            guard second == .def || second == .with || second == .for else { return rest() }
            cursor.position = end
            return second == .def ? block(indentation, adding: .deferred) : header().stop
        case .if:
            return branch(indentation, after: nil, hasTest: true)
        case .elif:
            return branch(indentation, after: predecessor, hasTest: true)
        case .else:
            guard let block = predecessor, block.shape == .branch else { return header().stop }
            return branch(indentation, after: block, hasTest: false)
        case .try:
            let stop = header().stop
            if stop == .colon { enterBlock(indentation, .guarded, adding: []) }
            return stop
        case .except:
            return handler(indentation)
        case .with:
            let (stop, text) = header()
            if stop == .colon, HeaderExamination.handling(ofContexts: text) != .none {
                enterBlock(indentation, .plain, adding: .optional)
            }
            return stop
        case .for, .while, .case:
            return block(indentation, adding: .undecided)
        case .class, .finally:
            return header().stop
        default:
            return rest()
        }
    }

    /// Skips the rest of a simple statement.
    mutating func rest() -> SourceCursor.Stop { skip(toColon: false) }

    private mutating func skip(toColon: Bool) -> SourceCursor.Stop {
        while true {
            let stop = cursor.skip(toColon: toColon)
            guard stop == .call else { return stop }
            call()
            cursor.enterCall()
        }
    }

    /// Skips the rest of a header. Returns the text before its colon as well.
    private mutating func header() -> (stop: SourceCursor.Stop, text: ExpressionReader) {
        let start = cursor.position
        cursor.beginHeader()
        let stop = skip(toColon: true)
        return (stop, ExpressionReader(source, from: start, to: max(start, cursor.position - 1)))
    }

    private mutating func block(_ indentation: Int, adding added: ImportTraits) -> SourceCursor.Stop {
        let stop = header().stop
        if stop == .colon { enterBlock(indentation, .plain, adding: added) }
        return stop
    }

    private mutating func lazyStatement(at start: Int) -> SourceCursor.Stop {
        cursor.skipBlanks()
        let (second, end) = cursor.word(at: cursor.position)
        switch second {
        case .import:
            cursor.position = end
            return importStatement(at: start, traits: traits.union(.lazy))
        case .from:
            cursor.position = end
            return fromStatement(at: start, traits: traits.union(.lazy))
        default:
            return rest()
        }
    }

    /// `if`, `elif` and `else`: each branch requires its own test to hold and the tests before it to fail.
    private mutating func branch(
        _ indentation: Int, after earlier: Block?, hasTest: Bool
    ) -> SourceCursor.Stop {
        let earlier = earlier?.shape == .branch ? earlier : nil
        var own = earlier == nil ? [] : predecessorConditions
        if let last = own.last, !last.isNegated {
            own[own.count - 1] = ImportCondition(text: last.text, isNegated: true)
        }
        let (stop, text) = header()
        guard stop == .colon else { return stop }

        var isDead = earlier?.isSettled ?? false
        var isSettled = isDead
        var isUndecided = earlier?.isUndecided ?? false
        var added: ImportTraits = []
        if hasTest {
            let subject = HeaderExamination.subject(of: text, typeCheckingNames: typeCheckingNames)
            if subject.contains(.constant) {
                switch ConditionEvaluator(typeCheckingNames: typeCheckingNames).evaluate(text) {
                case .holds: isSettled = true
                case .fails: isDead = true
                case .unknown: break
                }
            }
            if subject.contains(.program) {
                // Runs when the module is the program, not when it is imported.
                added.insert(.deferred)
            } else if subject.isEmpty {
                isUndecided = true
            }
            if subject.contains(.environment) {
                if own.count < Self.maximumConditions {
                    own.append(ImportCondition(text: text.trimmedText))
                } else if own.count == Self.maximumConditions {
                    // A condition that is always unknown.
                    own.append(ImportCondition(text: Array("...".utf8)))
                }
            }
        }
        if isDead { added.insert(.typeOnly) }
        if isUndecided { added.insert(.undecided) }
        if !own.isEmpty { added.insert(.conditional) }
        enterBlock(indentation, .branch, adding: added)
        blocks[blocks.count - 1].isSettled = isSettled
        blocks[blocks.count - 1].isUndecided = isUndecided
        conditions.append(contentsOf: own)
        return stop
    }

    /// `except`: a handler also affects the imports in the body of its `try`.
    private mutating func handler(_ indentation: Int) -> SourceCursor.Stop {
        let earlier = predecessor?.shape == .guarded ? predecessor : nil
        // At the first handler, all imports since `try` belong to its body.
        let guarded = (earlier?.guardedStart ?? imports.count)..<(earlier?.guardedEnd ?? imports.count)
        let (stop, text) = header()
        guard stop == .colon else { return stop }

        let handling = HeaderExamination.handling(ofHandler: text)
        // A handler for everything counts only if the body has imports.
        let isFallback = handling == .imports || handling == .anything && !guarded.isEmpty
        if handling != .none, earlier?.isSettled == false {
            for index in guarded { imports[index].traits.insert(.optional) }
        }
        enterBlock(indentation, .guarded, adding: isFallback ? .optional : .undecided)
        blocks[blocks.count - 1].guardedStart = guarded.lowerBound
        blocks[blocks.count - 1].guardedEnd = guarded.upperBound
        blocks[blocks.count - 1].isSettled = handling != .none || earlier?.isSettled ?? false
        return stop
    }

    // MARK: Findings

    /// Adds an import, and learns the aliases that it defines for names the scanner looks for.
    mutating func record(
        _ form: ImportForm, at start: Int, level: Int = 0, module: ModuleName = .empty, names: [ImportedName],
        anchor: ImportAnchor = .enclosingPackage, traits: ImportTraits
    ) {
        let place = lines.place(of: start, in: source)
        imports.append(
            ImportStatement(
                form: form, line: place.line, column: place.column, level: level, module: module, names: names,
                anchor: anchor, traits: traits, conditions: conditions))
        switch form {
        case .call: break
        case .modules:
            for name in names {
                if let alias = name.alias, name.name.bytes.elementsEqual("importlib".utf8) {
                    Self.learn(alias, in: &importlibNames)
                }
            }
        case .names:
            let isImportlib = level == 0 && module.bytes.elementsEqual("importlib".utf8)
            for name in names {
                if isImportlib, name.name.bytes.elementsEqual("import_module".utf8) {
                    isImportModuleImported = isImportModuleImported || name.alias == nil
                    if let alias = name.alias {
                        Self.learn(alias, in: &importFunctionNames)
                        cursor.stopsAtEveryCall = true
                    }
                } else if let alias = name.alias, name.name.bytes.elementsEqual("TYPE_CHECKING".utf8) {
                    Self.learn(alias, in: &typeCheckingNames)
                }
            }
        }
    }

    private static func learn(_ alias: [UInt8], in names: inout [[UInt8]]) {
        if names.count < maximumAliases, !names.contains(alias) { names.append(alias) }
    }
}
