// Decides what goes into a bundle: what the entry reaches in the tree, the data of its packages, and whole distributions from the
// environment for what it imports from there.

import BasicTypes
import BuildModel
import FileWatching
import Impact
import Interpreters
import LinuxSystem
import Waves

/// What the user asked for.
package struct BundleRequest: Sendable {
    /// A script, a directory, `module:function`, or the name of a console script.
    package var entry: String?
    /// `-m`
    package var module: String?
    package var includes: [String] = []
    package var excludes: [String] = []
    package var isWhole = false
    /// The bundle, as an absolute path.
    package var target: BytePath?
    /// Directories with more modules, before those of the environment.
    package var searchPaths: [BytePath] = []
    package var isSourceless = false

    package init() {}
}

/// Makes a plan from a session of the tree and the environment of its first interpreter.
package struct BundlePlanner {
    private let request: BundleRequest
    private let session: Session
    private let installed: InstalledDistributions
    private let interpreter: Interpreter
    private let workingDirectory: BytePath
    private let excluded: BundleSelection
    private var plan = BundlePlan(program: .none)
    private var paths: [String: Int] = [:]
    private var isScanned = false
    /// The output, if it is a file of the program.
    private var overwritten: BytePath?
    /// Distributions that are in, with the extras that were followed.
    private var taken: [String: Set<String>] = [:]

    package init(_ request: BundleRequest, session: Session, workingDirectory: BytePath) throws(BundleError) {
        guard let interpreter = session.selectedInterpreters.first else {
            throw BundleError("no interpreter is selected; name one with --python")
        }
        self.request = request
        self.session = session
        self.interpreter = interpreter
        self.workingDirectory = workingDirectory
        installed = InstalledDistributions(interpreter, more: request.searchPaths)
        excluded = try BundleSelection(request.excludes, option: "--exclude")
    }

    private var root: BytePath { session.configuration.rootPath }

    package mutating func make() throws(BundleError) -> BundlePlan {
        var entries: [(path: BytePath, base: BytePath, link: String)] = []
        try addEntry(to: &entries)
        if request.isWhole {
            scan()
            for path in session.analysis?.sources(at: .empty) ?? [] {
                entries.append((path, session.analysis?.base(of: path) ?? .empty, "--whole"))
            }
        }
        for pattern in request.includes { try include(pattern, &entries) }
        if !entries.isEmpty { follow(entries) }
        takeOwnDistributions()
        for other in session.selectedInterpreters.dropFirst() { try addExtensions(for: other) }
        if let overwritten { throw BundleError("\(overwritten) is a file of this program; name another file with -o") }
        noteUnused()
        plan.files.sort { $0.path < $1.path }
        plan.distributions.sort { $0.name < $1.name }
        return plan
    }

    // MARK: The entry

    /// The name of a `__main__.py` that is in no package: the archive needs its own.
    private static let mainScript = "_main"

    private mutating func addEntry(to entries: inout [(path: BytePath, base: BytePath, link: String)])
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

    private mutating func addConsole(
        _ distribution: Distribution, _ target: String,
        to entries: inout [(path: BytePath, base: BytePath, link: String)]
    ) throws(BundleError) {
        let (module, function) = target.splitOnce(at: ":")
        take(distribution, extras: [], because: "the entry")
        try addModule(
            String(module.trimmed), function: function.map { String($0.trimmed) } ?? "main", to: &entries)
    }

    private mutating func addScript(
        _ place: BytePath, to entries: inout [(path: BytePath, base: BytePath, link: String)]
    ) throws(BundleError) {
        let real = (try? Host.realPath(place.parent)) ?? place.parent
        let path = real.appending(place.lastComponent)
        let name = String(decoding: path.lastComponent, as: UTF8.self)
        guard let relative = path.relative(to: root), path.exactText != nil else {
            throw BundleError("\(place) is not in \(root); run freshpyc in the program's project")
        }
        let stem = name.hasSuffix(".py") ? String(name.dropLast(3)) : name
        plan.program = .script(stem == "__main__" ? Self.mainScript : stem)
        scan()
        if session.analysis?.graph.tree.find(relative.bytes) != nil {
            entries.append((relative, relative.parent, "entry"))
        } else {
            // A script without `.py`, or one that the tree's rules exclude.
            add(stem + ".py", .file(path), .entry)
            plan.notes.append("\(name) is not a source of \(root), so its imports were not followed; use --include")
        }
    }

    private mutating func addDirectory(
        _ place: BytePath, _ entry: String, to entries: inout [(path: BytePath, base: BytePath, link: String)]
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
            entries.append((main, relative, "entry"))
            return
        }
        let base = analysis.base(of: main)
        plan.program = .module(Self.name(of: main, below: base))
        entries.append((main, base, "entry"))
    }

    /// A module of the tree or of the environment.
    private mutating func addModule(
        _ name: String, function: String?, to entries: inout [(path: BytePath, base: BytePath, link: String)]
    ) throws(BundleError) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if name.hasSuffix(".py") {
            throw BundleError("'\(name)' is a file; write \(name) without -m, or -m \(name.dropLast(3))")
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

    /// A name that the source never mentions is not defined there.
    private func checkFunction(_ function: String, in path: BytePath) throws(BundleError) {
        let name = String(function.prefix { $0 != "." })
        guard let bytes = Host.contents(root.appending(path), limit: 1 << 26) else { return }
        var words: Set<String> = []
        for word in bytes.split(whereSeparator: { !PythonName.has($0) }) {
            words.insert(String(decoding: word, as: UTF8.self))
        }
        guard !words.contains(name), !words.contains("__getattr__"), bytes.firstRange(of: Array("import *".utf8)) == nil
        else { return }
        let hint = Suggestion.nearest(to: name, among: words.sorted()).map { "; did you mean '\($0)'?" }
        throw BundleError("\(path) does not define '\(name)'\(hint ?? "; name a function that it has")")
    }

    private func isKnownOutside(_ name: String) -> Bool { !installed.providers(of: name).isEmpty }

    private mutating func scan() {
        guard !isScanned else { return }
        isScanned = true
        for problem in session.scanImports() { plan.findings.append(problem) }
    }

    // MARK: Includes

    private mutating func include(
        _ pattern: String, _ entries: inout [(path: BytePath, base: BytePath, link: String)]
    ) throws(BundleError) {
        scan()
        let option = "--include \(pattern)"
        if let path = existingPath(pattern) { return include(path: path, option, &entries) }
        if pattern.contains("/") || pattern.contains("*") {
            var found = false
            let selection = try BundleSelection([pattern], option: "--include")
            for path in session.analysis?.sources(at: .empty) ?? [] where selection.covers(path: path.text) {
                found = true
                entries.append((path, session.analysis?.base(of: path) ?? .empty, option))
            }
            for path in FileTree.files(in: root) where selection.covers(path: path) && !path.hasSuffix(".py") {
                found = true
                add(path, .file(root.appending(path)), .included(by: option))
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
    private func existingPath(_ text: String) -> BytePath? {
        guard !text.contains("*") else { return nil }
        let place = (BytePath(text).isAbsolute ? BytePath(text) : workingDirectory.appending(text)).normalized
        guard let status = (try? Host.status(place)) ?? nil, status.kind == .regular || status.kind == .directory,
            let real = try? Host.realPath(place), let relative = real.relative(to: root), !relative.isEmpty
        else { return nil }
        // `--include shop` means the package, not its files alone.
        if status.kind == .directory, !text.contains("/"), session.analysis?.source(named: text) != nil { return nil }
        return relative
    }

    private mutating func include(
        path: BytePath, _ option: String, _ entries: inout [(path: BytePath, base: BytePath, link: String)]
    ) {
        let place = root.appending(path)
        let isDirectory = ((try? Host.status(place)) ?? nil)?.kind == .directory
        for source in session.analysis?.sources(at: path) ?? [] {
            entries.append((source, session.analysis?.base(of: source) ?? .empty, option))
        }
        for file in isDirectory ? FileTree.files(in: place).map({ path.appending($0) }) : [path]
        where !file.hasSuffix(".py") {
            guard let text = file.exactText else { continue }
            add(text, .file(root.appending(file)), .included(by: option))
        }
    }

    // MARK: The tree

    private mutating func follow(_ entries: [(path: BytePath, base: BytePath, link: String)]) {
        guard let analysis = session.analysis else { return }
        let closure = analysis.closure(from: entries) { [excluded] path, base in
            excluded.covers(module: Self.name(of: path, below: base))
                || excluded.covers(path: (path.relative(to: base) ?? path).text)
        }
        for module in closure.modules {
            let reason: BundleReason =
                module.importer.map {
                    .importedBy(closure.modules[$0].path.text, line: module.line, how: module.link)
                } ?? (module.link == "entry" ? .entry : .included(by: module.link))
            guard var inner = (module.path.relative(to: module.base) ?? module.path).exactText else { continue }
            if inner == "__main__.py" { inner = Self.mainScript + ".py" }
            add(inner, .file(root.appending(module.path)), reason)
        }
        for missing in closure.missing {
            let importer = closure.modules[missing.importer]
            plan.findings.append(
                LocatedDiagnostic(
                    path: importer.path,
                    diagnostic: Diagnostic(
                        .unresolvedImport, .error, line: missing.line, column: missing.column,
                        message:
                            "\(missing.name)\(chain(to: importer, in: closure)); add it, or make the import optional"
                    )))
        }
        addData(of: closure)
        var asked: Set<String> = []
        for name in closure.names {
            let top = String(name.name.prefix { $0 != "." })
            if interpreter.standardLibraryNames.contains(Array(top.utf8)) || top == "__future__" { continue }
            if excluded.covers(module: name.name) { continue }
            let importer = closure.modules[name.importer]
            let reason = "imported by \(importer.path.text):\(name.line)"
            if resolveOutside(name.name, because: reason) || !name.isNeeded { continue }
            guard asked.insert(top).inserted else { continue }
            plan.findings.append(
                LocatedDiagnostic(
                    path: importer.path,
                    diagnostic: Diagnostic(
                        .unresolvedImport, .error, line: name.line, column: name.column,
                        message:
                            "'\(name.name)' is not installed for \(interpreter.path)\(chain(to: importer, in: closure)); install it, or --exclude \(top) if it is not needed"
                    )))
        }
    }

    /// ` (app.py → shop/cart.py → shop/tax.py)`: how the program reaches a module.
    private func chain(to module: ClosureModule, in closure: ImportClosure) -> String {
        var parts = [module.path.text]
        var current = module
        while let importer = current.importer {
            current = closure.modules[importer]
            parts.append(current.path.text)
        }
        return parts.count < 2 ? "" : " (\(parts.reversed().joined(separator: " → ")))"
    }

    static func name(of path: BytePath, below base: BytePath) -> String {
        let inner = (path.relative(to: base) ?? path).text
        return BundleFile.module(inner.dropLast(inner.hasSuffix(".py") ? 3 : 0))?.name ?? inner
    }

    /// Files beside the modules of a package, and in directories below it that are no packages.
    private mutating func addData(of closure: ImportClosure) {
        var folders: Set<BytePath> = []
        for module in closure.modules
        where module.path.parent != module.base && folders.insert(module.path.parent).inserted {
            let folder = module.path.parent
            let package = folder.text
            for file in FileTree.files(in: root.appending(folder), stopsAtPackages: true)
            where !file.hasSuffix(".py") && !file.hasSuffix(".pyz") {
                guard let inner = (folder.relative(to: module.base) ?? folder).appending(file).exactText else {
                    continue
                }
                add(inner, .file(root.appending(folder).appending(file)), .dataOf(package: package))
            }
        }
    }

    /// What the user may have forgotten, or misspelled.
    private mutating func noteUnused() {
        for text in excluded.unused { plan.notes.append("--exclude \(text) matches nothing") }
        guard case .script = plan.program, let entry = plan.files.first(where: { $0.reason == .entry }),
            case .file(let path) = entry.origin
        else { return }
        // Web frameworks look for these beside a script; only packages have data files by themselves.
        for name in ["static", "templates"] {
            let isThere = ((try? Host.status(path.parent.appending(name))) ?? nil)?.kind == .directory
            guard isThere, !plan.files.contains(where: { $0.path.hasPrefix(name + "/") }) else { continue }
            plan.notes.append("\(name)/ beside \(entry.path) is not in the bundle; add it with --include \(name)/")
        }
    }

    // MARK: The environment

    /// The metadata of the project itself, if it is installed: programs ask for their own version and entry points.
    private mutating func takeOwnDistributions() {
        let tops = Set(
            plan.files.filter { $0.distribution == nil && $0.module != nil }.map {
                String($0.path.prefix { $0 != "/" })
            })
        for distribution in installed.own(tops, below: root) {
            take(distribution, extras: [], because: "the project itself")
        }
    }

    /// Adds what provides a module.
    ///
    /// - Returns: whether something does.
    private mutating func resolveOutside(_ dotted: String, because reason: String) -> Bool {
        let providers = installed.providers(of: dotted)
        for distribution in providers { take(distribution, extras: [], because: reason) }
        if !providers.isEmpty { return true }
        if let source = installed.editableSource(of: dotted) {
            take(source.distribution, extras: [], because: reason)
            addFolder(source.folder, dotted, .distribution(source.distribution.name, because: reason))
            return true
        }
        if let folder = installed.looseFolder(of: dotted) {
            addFolder(folder, dotted, .included(by: reason))
            return true
        }
        return false
    }

    /// A package or module that no RECORD lists.
    private mutating func addFolder(_ folder: BytePath, _ dotted: String, _ reason: BundleReason) {
        let top = String(dotted.prefix { $0 != "." })
        for file in FileTree.files(in: folder.appending(top)) {
            add("\(top)/\(file)", .file(folder.appending(top).appending(file)), reason)
        }
        for file in FileTree.names(in: folder)
        where file == "\(top).py" || file.hasPrefix("\(top).") && file.hasSuffix(".so") {
            add(file, .file(folder.appending(file)), reason)
        }
    }

    /// Adds a distribution and what it requires.
    private mutating func take(_ distribution: Distribution, extras: Set<String>, because reason: String) {
        var queue = [(distribution, extras, reason)]
        while let (distribution, extras, reason) = queue.popLast() {
            if excluded.covers(module: distribution.name) { continue }
            let isNew = taken[distribution.normalizedName] == nil
            let wanted = extras.subtracting(taken[distribution.normalizedName] ?? [])
            guard isNew || !wanted.isEmpty else { continue }
            taken[distribution.normalizedName, default: []].formUnion(extras)
            var required: [String] = []
            for requirement in distribution.requirements {
                let holds = ([""] + extras).contains { extra in
                    requirement.marker.isEmpty
                        || EnvironmentMarker.holds(requirement.marker, extra: extra, installed.environment)
                }
                guard holds else { continue }
                required.append(requirement.name)
                if let next = installed.find(requirement.name) {
                    queue.append((next, Set(requirement.extras), "required by \(distribution.name)"))
                } else {
                    plan.notes.append("\(distribution.name) requires \(requirement.name), which is not installed")
                }
            }
            guard isNew else { continue }
            let count = addFiles(of: distribution, because: reason)
            plan.distributions.append(
                BundleDistribution(
                    name: distribution.name, version: distribution.version, license: distribution.license,
                    reason: reason, fileCount: count, requirements: required))
        }
    }

    /// Extension modules of the same distributions for another interpreter, from its own environment.
    private mutating func addExtensions(for other: Interpreter) throws(BundleError) {
        let environment = InstalledDistributions(other, more: request.searchPaths)
        let natives = Set(plan.files.filter(\.isNative).compactMap(\.distribution))
        for distribution in plan.distributions where natives.contains(distribution.name) {
            guard let found = environment.find(Distribution.normalized(distribution.name)),
                found.version == distribution.version
            else {
                let there = environment.find(Distribution.normalized(distribution.name))?.version
                throw BundleError(
                    "\(distribution.name) \(distribution.version) has extension modules, and \(other.path) has "
                        + (there.map { "version \($0)" } ?? "none of it")
                        + "; install the same version there, or bundle for one Python")
            }
            let reason = BundleReason.distribution("\(found.name) \(found.version)", because: "for \(other.name)")
            for file in found.files where file.hasSuffix(".so") || file.contains(".so.") {
                add(file, .file(found.folder.appending(file)), reason)
            }
        }
    }

    /// Files of a metadata directory that say how and where it was installed, which is different on each machine.
    private static let installationFiles: Set<String> = [
        "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json",
    ]

    private mutating func addFiles(of distribution: Distribution, because reason: String) -> Int {
        let because = BundleReason.distribution("\(distribution.name) \(distribution.version)", because: reason)
        var kept: [String] = []
        for file in distribution.files {
            let isOutside = file.hasPrefix("/") || file.split(separator: "/").contains("..")
            let isOfInstaller =
                file.hasPrefix(distribution.metadataFolder + "/")
                && Self.installationFiles.contains(String(file.dropFirst(distribution.metadataFolder.count + 1)))
            if isOutside || isOfInstaller || FileTree.isBytecode(file) || !file.contains("/") && file.hasSuffix(".pth")
                || !file.contains("/") && file.hasPrefix("__editable__")
            {
                continue
            }
            if excluded.covers(path: file)
                || BundleFile.module(file.dropLast(3)).map({ excluded.covers(module: $0.name) }) == true
            {
                continue
            }
            let place = distribution.folder.appending(file)
            do throws(SystemError) {
                // RECORD may list what an image builder has removed.
                guard try Host.status(place)?.kind == .regular else { continue }
            } catch {
                // Reported when it is read.
            }
            add(file, .file(place), because, of: distribution.name)
            kept.append(file)
        }
        kept.sort()
        let record = kept.map {
            $0.contains(",") || $0.contains("\"") ? "\"\($0.replacing("\"", with: "\"\""))\",,\n" : "\($0),,\n"
        }
        add(
            distribution.metadataFolder + "/RECORD", .bytes(Array(record.joined().utf8)), because,
            of: distribution.name)
        return kept.count
    }

    /// An earlier bundle is not a part of the next one.
    private mutating func isTarget(_ origin: BundleFile.Origin) -> Bool {
        guard case .file(let path) = origin, path == request.target else { return false }
        let bytes = Host.contents(path, limit: 1 << 17) ?? []
        if !BundleReader.mayBegin(bytes) { overwritten = path }
        return true
    }

    private mutating func add(
        _ path: String, _ origin: BundleFile.Origin, _ reason: BundleReason, of distribution: String? = nil
    ) {
        if isTarget(origin) { return }
        if let known = paths[path] {
            guard let owner = plan.files[known].distribution, let distribution, owner != distribution,
                !Self.areEqual(plan.files[known].origin, origin)
            else { return }
            plan.findings.append(
                LocatedDiagnostic(
                    path: BytePath(path),
                    diagnostic: Diagnostic(
                        .duplicateModule, .error,
                        message: "\(owner) and \(distribution) both have this file; uninstall one, or --exclude it")))
            return
        }
        paths[path] = plan.files.count
        plan.files.append(BundleFile(path: path, origin: origin, reason: reason, distribution: distribution))
    }

    private static func areEqual(_ one: BundleFile.Origin, _ other: BundleFile.Origin) -> Bool {
        guard case .file(let one) = one, case .file(let other) = other else { return false }
        return one == other || Host.contents(one, limit: 1 << 28) == Host.contents(other, limit: 1 << 28)
    }
}
