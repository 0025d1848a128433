// The part of a plan that the user names: the entry, and what --include adds.

import BasicTypes
import BuildModel
import Impact
import Interpreters
import LinuxSystem
import Waves

extension BundlePlanner {
    /// Where a `__main__.py` that is in no package is kept: the archive needs its own.
    static let mainScript = "_freshpyc/__main__.py"

    mutating func addEntry(to entries: inout [ClosureEntry])
        throws(BundleError)
    {
        if let module = request.module { return try addModule(module, function: nil, to: &entries) }
        guard let entry = request.entry else { return }
        // A name that means both: `cowsay` in the directory of its project.
        if !entry.contains("/"), !entry.hasSuffix(".py"), let console = installed.console(entry).first {
            return try addConsole(console.distribution, console.target, to: &entries)
        }
        let place = (BytePath(entry).isAbsolute ? BytePath(entry) : workingDirectory.appending(entry)).normalized
        let status = (try? Host.status(place)) ?? nil
        if status?.kind == .regular { return try addScript(place, to: &entries) }
        if status?.kind == .directory { return try addDirectory(place, entry, to: &entries) }
        if entry.contains("/") || entry.hasSuffix(".py") {
            throw BundleError(
                "there is no file '\(entry)'; name a script, a package, module:function or a console script")
        }
        if let colon = entry.firstIndex(of: ":") {
            let function = String(entry[entry.index(after: colon)...])
            let names = function.split(separator: ".", omittingEmptySubsequences: false)
            guard names.allSatisfy({ name in !name.isEmpty && name.utf8.allSatisfy { PythonName.has($0) } }) else {
                throw BundleError("'\(entry)' names no function; write module:function")
            }
            if entry[..<colon].hasSuffix(".py") {
                throw BundleError("'\(entry[..<colon])' is a file; write \(entry[..<colon].dropLast(3)):\(function)")
            }
            return try addModule(String(entry[..<colon]), function: function, to: &entries)
        }
        let script = workingDirectory.appending(entry + ".py")
        let isScript = ((try? Host.status(script)) ?? nil)?.kind == .regular
        let hint =
            isScript
            ? "; did you mean '\(entry).py'?"
            : Suggestion.nearest(to: entry, among: installed.consoleNames).map { "; did you mean '\($0)'?" }
        throw BundleError(
            "'\(entry)' is neither a file nor a console script of \(interpreter.path)"
                + (hint ?? "; for a module, use -m MODULE"))
    }

    mutating func addConsole(
        _ distribution: Distribution, _ target: String,
        to entries: inout [ClosureEntry]
    ) throws(BundleError) {
        let (module, function) = target.splitOnce(at: ":")
        take(distribution, extras: [], because: "the entry")
        try addModule(
            String(module.trimmed), function: function.map { String($0.trimmed) } ?? "main", to: &entries)
    }

    mutating func addScript(
        _ place: BytePath, to entries: inout [ClosureEntry]
    ) throws(BundleError) {
        // As for Python: the modules beside the target of a link are imported.
        let path = (try? Host.realPath(place)) ?? place
        guard let relative = path.relative(to: root), path.exactText != nil else {
            throw BundleError(
                "\(place) is not in \(root), or its name is not UTF-8; run freshpyc in the program's project")
        }
        let name = String(decoding: path.lastComponent, as: UTF8.self)
        let inner = name == "__main__.py" ? Self.mainScript : name
        plan.program = .script(inner)
        scriptBase = relative.parent
        scan()
        if session.analysis?.graph.tree.find(relative.bytes) != nil {
            entries.append((relative, relative.parent, "entry"))
        } else {
            // A script without `.py`, or one that the tree's rules exclude.
            add(inner, .file(path), .entry)
            plan.notes.append("\(name) is not a source of \(root), so its imports were not followed; use --include")
        }
    }

    mutating func addDirectory(
        _ place: BytePath, _ entry: String, to entries: inout [ClosureEntry]
    ) throws(BundleError) {
        let real = (try? Host.realPath(place)) ?? place
        guard let relative = real.relative(to: root) else {
            throw BundleError("\(entry) is not in \(root); run freshpyc in the program's project")
        }
        scan()
        guard let analysis = session.analysis, analysis.graph.tree.find(relative.appending("__main__.py").bytes) != nil
        else { throw BundleError("\(entry) has no __main__.py; name a script, -m MODULE or module:function") }
        let main = relative.appending("__main__.py")
        guard analysis.graph.tree.find(relative.appending("__init__.py").bytes) != nil else {
            // As for zipapp: the directory is on sys.path.
            plan.program = .script(Self.mainScript)
            scriptBase = relative
            entries.append((main, relative, "entry"))
            return
        }
        let base = analysis.base(of: main)
        plan.program = .module(Self.name(of: main, below: base))
        entries.append((main, base, "entry"))
    }

    /// A module of the tree or of the environment.
    mutating func addModule(
        _ name: String, function: String?, to entries: inout [ClosureEntry]
    ) throws(BundleError) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if name.hasSuffix(".py") {
            let module = name.dropLast(3).replacing("/", with: ".")
            throw BundleError("'\(name)' is a file; write \(name) without -m, or -m \(module)")
        }
        guard !name.isEmpty, parts.allSatisfy({ !$0.isEmpty }) else {
            throw BundleError("'\(name)' is no name of a module")
        }
        var program = name
        if !isKnownOutside(name) || request.includes.isEmpty { scan() }
        if let found = session.analysis?.source(named: name), Self.name(of: found.path, below: found.base) == name {
            var path = found.path
            if function == nil, path.lastComponent.elementsEqual("__init__.py".utf8) {
                path = path.parent.appending("__main__.py")
                program = name + ".__main__"
                guard session.analysis?.graph.tree.find(path.bytes) != nil else {
                    throw BundleError("\(name) is a package without __main__.py; name one of its modules with -m")
                }
            }
            if let function { try checkFunction(function, in: found.path) }
            if excluded.covers(module: name) { throw BundleError("the entry is excluded: \(name) (--exclude)") }
            entries.append((path, found.base, "entry"))
        } else if resolveOutside(name, because: "the entry") {
            if function == nil {
                let isPackage = paths[name.replacing(".", with: "/") + "/__init__.py"] != nil
                if isPackage { program = name + ".__main__" }
                guard paths[program.replacing(".", with: "/") + ".py"] != nil else {
                    throw BundleError(
                        isPackage
                            ? "\(name) is a package without __main__.py; name one of its modules with -m"
                            : "there is no module '\(name)' in \(interpreter.path)'s environment; install it, or use --path"
                    )
                }
            } else {
                try checkOutside(name, function: function ?? "")
            }
        } else if interpreter.standardLibraryNames.contains(Array(parts[0].utf8)) {
            throw BundleError(
                "'\(name)' is a module of the standard library, which every Python has; write a script that uses it")
        } else {
            throw BundleError(
                "there is no module '\(name)' in \(root) or in the environment of \(interpreter.path); install it, or use --path"
            )
        }
        plan.program = function.map { .call(module: name, function: $0) } ?? .module(program)
    }

    /// A module of a distribution, and the function in it.
    private func checkOutside(_ module: String, function: String) throws(BundleError) {
        let stem = module.replacing(".", with: "/")
        let isNative = paths.keys.contains { $0.hasPrefix(stem + ".") && $0.hasSuffix(".so") }
        guard let index = paths[stem + ".py"] ?? paths[stem + "/__init__.py"] else {
            if isNative { return }
            throw BundleError(
                "there is no module '\(module)' in the environment of \(interpreter.path); name another, or use --path")
        }
        if case .file(let path) = plan.files[index].origin { try checkFunction(function, in: path) }
    }

    /// A name that the source never mentions is not defined there.
    func checkFunction(_ function: String, in path: BytePath) throws(BundleError) {
        let name = String(function.prefix { $0 != "." })
        let place = path.isAbsolute ? path : root.appending(path)
        guard let bytes = Host.contents(place, limit: 1 << 26) else { return }
        var words: Set<String> = []
        for word in bytes.split(whereSeparator: { !PythonName.has($0) }) {
            words.insert(String(decoding: word, as: UTF8.self))
        }
        guard !words.contains(name), !words.contains("__getattr__"), bytes.firstRange(of: Array("import *".utf8)) == nil
        else { return }
        let hint = Suggestion.nearest(to: name, among: words.sorted()).map { "; did you mean '\($0)'?" }
        throw BundleError("\(path) does not define '\(name)'\(hint ?? "; name a function that it has")")
    }

    func isKnownOutside(_ name: String) -> Bool { !installed.providers(of: name).isEmpty }

    // MARK: Includes

    mutating func include(
        _ pattern: String, _ entries: inout [ClosureEntry]
    ) throws(BundleError) {
        scan()
        let option = "--include \(pattern)"
        if let path = existingPath(pattern) { return include(path: path, option, &entries) }
        if pattern.contains("/") || pattern.contains("*") {
            var found = false
            let selection = try BundleSelection([pattern], option: "--include")
            for path in session.analysis?.sources(at: .empty) ?? [] where selection.covers(path: path.text) {
                found = true
                entries.append((path, base(of: path), option))
            }
            for path in FileTree.files(in: root) where selection.covers(path: path) && !path.hasSuffix(".py") {
                found = true
                add(self.place(of: BytePath(path)), .file(root.appending(path)), .included(by: option))
            }
            guard found else { throw BundleError("no file of \(root) matches '\(pattern)' (--include)") }
            return
        }
        if let source = session.analysis?.source(named: pattern) {
            guard Self.name(of: source.path, below: source.base) == pattern else {
                throw BundleError(
                    "there is no module '\(pattern)' (--include): \(source.path) is there, and has no such module")
            }
            let isPackage = source.path.lastComponent.elementsEqual("__init__.py".utf8)
            for path in isPackage ? session.analysis?.sources(at: source.path.parent) ?? [] : [source.path] {
                entries.append((path, source.base, option))
            }
        } else if let distribution = installed.find(Distribution.normalized(pattern)) {
            take(distribution, extras: [], because: option)
        } else if !resolveOutside(pattern, because: option) {
            throw BundleError("there is no module or distribution '\(pattern)' (--include); install it, or use --path")
        }
    }

    /// A file or directory of the project that the user named by its path, relative to the root.
    func existingPath(_ text: String) -> BytePath? {
        guard !text.contains("*") else { return nil }
        let place = (BytePath(text).isAbsolute ? BytePath(text) : workingDirectory.appending(text)).normalized
        guard let status = (try? Host.status(place)) ?? nil, status.kind == .regular || status.kind == .directory,
            let real = try? Host.realPath(place), let relative = real.relative(to: root), !relative.isEmpty
        else { return nil }
        // `--include shop` means the package, not its files alone.
        if status.kind == .directory, !text.contains("/"), session.analysis?.source(named: text) != nil { return nil }
        return relative
    }

    mutating func include(
        path: BytePath, _ option: String, _ entries: inout [ClosureEntry]
    ) {
        let place = root.appending(path)
        let isDirectory = ((try? Host.status(place)) ?? nil)?.kind == .directory
        for source in session.analysis?.sources(at: path) ?? [] {
            entries.append((source, base(of: source), option))
        }
        for file in isDirectory ? FileTree.files(in: place).map({ path.appending($0) }) : [path]
        where !file.hasSuffix(".py") {
            guard file.exactText != nil else { continue }
            add(self.place(of: file), .file(root.appending(file)), .included(by: option))
        }
    }
}
