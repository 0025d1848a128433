// Imports that are calls: `importlib.import_module("a")`, `__import__("a")`; and calls that list the modules of a package, which
// are imported next: `pkgutil.iter_modules(package.__path__)`.

extension ImportScanner {
    private enum Function { case importModule, dunderImport, listModules }

    /// An argument, as far as the scanner understands it.
    private enum Argument {
        case text([UInt8])
        /// A text that begins with this: `"a.b." + name`, `f"a.b.{name}"`.
        case prefix([UInt8])
        case number(Int)
        case list([[UInt8]])
        /// `__name__`
        case ownName
        /// `__package__`
        case ownPackage
        case other
    }

    /// Examines the call whose opening parenthesis is at the cursor.
    mutating func call() {
        guard let (function, start, isConfirmed) = callee(before: cursor.position) else { return }
        if function == .listModules {
            record(everythingBelow: package(after: cursor.position + 1, attribute: "__path__") ?? .own, at: start)
            return
        }
        let arguments = arguments(after: cursor.position + 1, of: function)
        let text: [UInt8]
        var names: [ImportedName] = []
        switch arguments.first {
        case .text(let whole)?: text = whole
        case .prefix(let beginning)? where beginning.contains(UInt8(ascii: ".")):
            // The module is any below the package that the text names for certain.
            let dot = beginning.lastIndex(of: UInt8(ascii: ".")) ?? 0
            let isRelative = beginning[...dot].allSatisfy { $0 == UInt8(ascii: ".") }
            text = Array(isRelative ? beginning[...dot] : beginning[..<dot])
            names = Self.everything
        default:
            // `f"{package.__name__}.{name}"`, `__package__ + "." + name`
            let package =
                package(after: cursor.position + 1, attribute: "__name__")
                ?? package(after: cursor.position + 1, attribute: "__package__")
            if let package { record(everythingBelow: package, at: start) }
            return
        }
        let level = text.prefix { $0 == UInt8(ascii: ".") }.count
        let module = ModuleName(text.dropFirst(level))
        var traits = self.traits.union(.dynamic)
        if !isConfirmed {
            traits.insert(.unconfirmed)
            hasUnconfirmed = true
        }
        switch function {
        case .importModule:
            guard !text.isEmpty else { return }
            let anchor: ImportAnchor =
                switch arguments.count > 1 ? arguments[1] : .other {
                case .text(let name): .named(ModuleName(name))
                case .ownName: .ownName
                case .ownPackage: .enclosingPackage
                default: .unknown
                }
            record(
                .call, at: start, level: level, module: module, names: names,
                anchor: level > 0 ? anchor : .enclosingPackage, traits: traits)
        case .dunderImport:
            // Here the level is a separate argument. Python 2's default of -1 (relative, then absolute) becomes 0.
            guard level == 0 else { return }
            var level = 0
            if arguments.count > 4, case .number(let number) = arguments[4] { level = max(0, min(number, 1000)) }
            guard !text.isEmpty || level > 0 else { return }
            if arguments.count > 3, case .list(let list) = arguments[3] {
                names = list.map { ImportedName(name: ModuleName($0)) }
            }
            record(.call, at: start, level: level, module: module, names: names, traits: traits)
        case .listModules: break
        }
    }

    // MARK: All modules of a package

    /// Stands for all modules below a package.
    private static let everything = [ImportedName(name: ModuleName(Array("**".utf8)))]

    private enum Package {
        /// The package of this source.
        case own
        case named([UInt8])
    }

    private mutating func record(everythingBelow package: Package, at start: Int) {
        let traits = traits.union(.dynamic)
        switch package {
        case .own:
            record(
                .call, at: start, level: 1, module: ModuleName([]), names: Self.everything, anchor: .enclosingPackage,
                traits: traits)
        case .named(let name):
            record(.call, at: start, level: 0, module: ModuleName(name), names: Self.everything, traits: traits)
        }
    }

    /// The package whose attribute occurs in the arguments, in code or in an f-string: `shop` in
    /// `shop.__path__` or `f"{shop.__name__}.{name}"`, and the own package in `__path__`.
    private func package(after start: Int, attribute: StaticString) -> Package? {
        let count = attribute.utf8CodeUnitCount
        var index = start
        var depth = 0
        // Longer arguments are not worth the time.
        let end = min(cursor.end, start + 200)
        while index < end {
            switch source[index] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                if depth == 0 { return nil }
                depth -= 1
            case UInt8(ascii: "_") where index + count <= end && cursor.matches(attribute, in: index..<index + count):
                var first = index
                while first > start,
                    source[first - 1] == UInt8(ascii: ".") || cursor.has(ByteClass.isName, at: first - 1)
                {
                    first -= 1
                }
                return first == index ? .own : .named(Array(source[first..<index - 1]))
            default: break
            }
            index += 1
        }
        return nil
    }

    // MARK: Who is called

    /// The function, and the start of the expression that names it.
    private func callee(before parenthesis: Int) -> (function: Function, start: Int, isConfirmed: Bool)? {
        let end = skipBlanks(before: parenthesis)
        let name = nameStart(before: end)..<end
        guard !name.isEmpty else { return nil }
        var start = name.lowerBound
        // `importlib.import_module`, `a.importlib.import_module`: the last owner decides.
        var owner: Range<Int>?
        while true {
            let dot = skipBlanks(before: start) - 1
            guard dot >= 0, source[dot] == UInt8(ascii: ".") else { break }
            let ownerEnd = skipBlanks(before: dot)
            let ownerStart = nameStart(before: ownerEnd)
            guard ownerStart < ownerEnd else { return nil }
            owner = owner ?? ownerStart..<ownerEnd
            start = ownerStart
        }
        let isImportModule = cursor.matches("import_module", in: name)
        let isDunderImport = cursor.matches("__import__", in: name)
        if cursor.matches("iter_modules", in: name) || cursor.matches("walk_packages", in: name) {
            return (.listModules, start, true)
        }
        if let owner {
            if isImportModule || isDunderImport, isImportlib(owner) {
                return (isImportModule ? .importModule : .dunderImport, start, true)
            }
            let isBuiltins =
                cursor.matches("builtins", in: owner) || cursor.matches("__builtin__", in: owner)
                || cursor.matches("__builtins__", in: owner)
            return isDunderImport && isBuiltins ? (.dunderImport, start, true) : nil
        }
        let wordEnd = skipBlanks(before: start)
        if cursor.matches("def", in: nameStart(before: wordEnd)..<wordEnd) { return nil }
        if isDunderImport { return (.dunderImport, start, true) }
        if isImportModule { return (.importModule, start, isImportModuleImported) }
        return importFunctionNames.contains { source[name].elementsEqual($0) } ? (.importModule, start, true) : nil
    }

    private func isImportlib(_ owner: Range<Int>) -> Bool {
        cursor.matches("importlib", in: owner) || importlibNames.contains { source[owner].elementsEqual($0) }
    }

    /// Only within the line: the line before may end in a comment.
    private func skipBlanks(before index: Int) -> Int {
        var index = index
        while index > 0, source[index - 1] == UInt8(ascii: " ") || source[index - 1] == UInt8(ascii: "\t") {
            index -= 1
        }
        return index
    }

    private func nameStart(before index: Int) -> Int {
        var index = index
        while index > 0, cursor.has(ByteClass.isName, at: index - 1) { index -= 1 }
        return index
    }

    // MARK: Arguments

    /// The arguments in parameter order, up to the first that is not simple. Never reads into another call that the
    /// cursor has to examine, so that the same bytes are not read over and over.
    private func arguments(after start: Int, of function: Function) -> [Argument] {
        let parameters: [StaticString] =
            function == .importModule ? ["name", "package"] : ["name", "globals", "locals", "fromlist", "level"]
        var found = [Argument](repeating: .other, count: parameters.count)
        var reader = ExpressionReader(source, from: start)
        var index = 0
        while true {
            var parameter = index
            if index == 0, let range = reader.formattedPrefix() {
                found[0] = .prefix(reader.bytes(range))
                guard Self.skipsToComma(&reader) else { return found }
                index += 1
                continue
            }
            var token = reader.next()
            if token == .symbol(")") { return found }
            if case .name(let name) = token, reader.upcoming == .symbol("=") {
                guard let named = parameters.firstIndex(where: { reader.matches(name, $0) }) else { return found }
                parameter = named
                _ = reader.next()
                token = reader.next()
            }
            guard parameter < found.count, let argument = Self.argument(from: token, in: &reader) else {
                return found
            }
            switch reader.next() {
            case .symbol(UInt8(ascii: ","), 0): found[parameter] = argument
            case .symbol(UInt8(ascii: ")"), 0):
                found[parameter] = argument
                return found
            case .symbol(UInt8(ascii: "+"), 0), .symbol(UInt8(ascii: "%"), 0), .symbol(UInt8(ascii: "."), 0):
                guard case .text(let text) = argument else { return found }
                // Up to the first placeholder of `%` or `format`.
                found[parameter] = .prefix(Array(text.prefix { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "{") }))
                guard Self.skipsToComma(&reader) else { return found }
            default:
                return found
            }
            index += 1
        }
    }

    /// Skips the rest of an argument.
    ///
    /// - Returns: whether another one follows.
    private static func skipsToComma(_ reader: inout ExpressionReader) -> Bool {
        var depth = 0
        while true {
            switch reader.next() {
            case .end: return false
            case .symbol(UInt8(ascii: "("), 0), .symbol(UInt8(ascii: "["), 0), .symbol(UInt8(ascii: "{"), 0): depth += 1
            case .symbol(UInt8(ascii: ")"), 0), .symbol(UInt8(ascii: "]"), 0), .symbol(UInt8(ascii: "}"), 0):
                if depth == 0 { return false }
                depth -= 1
            case .symbol(UInt8(ascii: ","), 0) where depth == 0: return true
            default: break
            }
        }
    }

    private static func argument(
        from token: ExpressionReader.Token, in reader: inout ExpressionReader
    ) -> Argument? {
        switch token {
        case .string:
            return text(from: token, in: &reader).map { .text($0) }
        case .number(let value):
            return value.map { .number($0) }
        case .symbol(UInt8(ascii: "-"), 0):
            guard case .number(let value?) = reader.next(), value <= Int(Int32.max) else { return nil }
            return .number(-value)
        case .symbol(UInt8(ascii: "["), 0), .symbol(UInt8(ascii: "("), 0), .symbol(UInt8(ascii: "{"), 0):
            var list: [[UInt8]] = []
            while true {
                let item = reader.next()
                switch item {
                case .symbol(UInt8(ascii: "]"), 0), .symbol(UInt8(ascii: ")"), 0), .symbol(UInt8(ascii: "}"), 0):
                    return .list(list)
                case .symbol(UInt8(ascii: ","), 0):
                    continue
                default:
                    guard let text = text(from: item, in: &reader) else { return nil }
                    list.append(text)
                }
            }
        case .name(let name):
            if reader.matches(name, "__name__") { return .ownName }
            if reader.matches(name, "__package__") { return .ownPackage }
            // `globals()` and `locals()`: nothing else is ever passed there.
            if reader.matches(name, "globals") || reader.matches(name, "locals"), reader.upcoming == .symbol("(") {
                _ = reader.next()
                guard reader.next() == .symbol(")") else { return nil }
            }
            return .other
        default:
            return nil
        }
    }

    /// A string, or several adjacent ones.
    private static func text(
        from first: ExpressionReader.Token, in reader: inout ExpressionReader
    ) -> [UInt8]? {
        guard case .string(let range?) = first else { return nil }
        var text = reader.bytes(range)
        while case .string(let next) = reader.upcoming {
            guard let next else { return nil }
            text.append(contentsOf: reader.bytes(next))
            _ = reader.next()
        }
        return text
    }
}
