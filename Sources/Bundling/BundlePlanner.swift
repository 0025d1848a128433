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
    package var form = BundleOptions.Form.pyz
    /// How much of the standard library goes in with the interpreter; `nil` if none of both does.
    package var standardLibrary: StandardLibraryShare?
    /// Directories with more modules, before those of the environment.
    package var searchPaths: [BytePath] = []

    package init() {}
}

/// Makes a plan from a session of the tree and the environment of its first interpreter.
package struct BundlePlanner {
    let request: BundleRequest
    let session: Session
    let installed: InstalledDistributions
    let interpreter: Interpreter
    let workingDirectory: BytePath
    let excluded: BundleSelection
    var plan = BundlePlan(program: .none)
    var paths: [String: Int] = [:]
    var isScanned = false
    /// Sources and directories that could not be read.
    private var unreadable: [LocatedDiagnostic] = []
    /// The directory of the script that is the entry, relative to the root.
    var scriptBase: BytePath?
    /// `src`, if the root has it.
    let sourceFolder: BytePath?
    /// The output, if it is a file of the program.
    var overwritten: BytePath?
    /// Distributions that are in, with the extras that were followed.
    var taken: [String: Set<String>] = [:]

    package init(_ request: BundleRequest, session: Session, workingDirectory: BytePath) throws(BundleError) {
        guard let interpreter = session.selectedInterpreters.first else {
            throw BundleError("no interpreter is selected; name one with --python")
        }
        for old in session.selectedInterpreters
        where !BundleWriter.canImport(old) && !request.form.supportsOldPythons {
            throw BundleError(
                "\(old.name) cannot run bundles of this form, which need Python 3.6 or newer; name another with --python, or use --form script"
            )
        }
        self.request = request
        self.session = session
        self.interpreter = interpreter
        self.workingDirectory = workingDirectory
        let source = BytePath("src")
        let place = session.configuration.rootPath.appending(source)
        sourceFolder = ((try? Host.status(place)) ?? nil)?.kind == .directory ? source : nil
        installed = InstalledDistributions(interpreter, more: request.searchPaths)
        excluded = try BundleSelection(request.excludes, option: "--exclude")
    }

    var root: BytePath { session.configuration.rootPath }

    package mutating func make() throws(BundleError) -> BundlePlan {
        var entries: [ClosureEntry] = []
        try addEntry(to: &entries)
        if request.isWhole {
            scan()
            for path in session.analysis?.sources(at: .empty) ?? [] {
                entries.append((path, base(of: path), "--whole"))
            }
        }
        for pattern in request.includes { try include(pattern, &entries) }
        if !entries.isEmpty { follow(entries) }
        takeOwnDistributions()
        for other in session.selectedInterpreters.dropFirst() { try addExtensions(for: other) }
        for problem in unreadable {
            if plan.files.contains(where: { $0.isOrigin(root.appending(problem.path)) }) {
                plan.findings.append(problem)
            } else {
                plan.notes.append("\(problem.path) is not in the bundle: \(problem.diagnostic.message)")
            }
        }
        if let overwritten { throw BundleError("\(overwritten) is a file of this program; name another file with -o") }
        noteUnused()
        plan.files.sort { $0.path < $1.path }
        plan.distributions.sort { $0.name < $1.name }
        if let share = request.standardLibrary, plan.findings.isEmpty { try addRuntime(share) }
        return plan
    }

    private mutating func addRuntime(_ share: StandardLibraryShare) throws(BundleError) {
        let program = plan.program
        let sources = ParallelSlices.map(plan.files, sliceSize: 16, scratch: {}) { file, _ -> [UInt8] in
            guard file.module != nil || program == .script(file.path) else { return [] }
            switch file.origin {
            case .bytes(let bytes): return bytes
            case .file(let path): return Host.contents(path, limit: BundleBuild.largestFile) ?? []
            }
        }
        var natives: [BytePath] = []
        for file in plan.files where file.isNative {
            if case .file(let path) = file.origin { natives.append(path) }
        }
        let runtime = try RuntimePlanner(interpreter, share: share).plan(sources: sources, natives: natives)
        plan.notes += runtime.notes
        plan.runtime = runtime
    }

    mutating func scan() {
        guard !isScanned else { return }
        isScanned = true
        unreadable = session.scanImports()
    }

    // MARK: The tree

    private mutating func follow(_ given: [ClosureEntry]) {
        guard let analysis = session.analysis else { return }
        var entries = given
        var closure = self.closure(of: entries, analysis)
        /// What was tried: an excluded source is never in the closure.
        var tried: Set<BytePath> = []
        while true {
            // A namespace that the project shares with an installed distribution: the graph leaves it to the environment.
            let known = Set(closure.modules.map(\.path))
            var more: [ClosureEntry] = []
            for name in closure.names {
                var found = sources(ofNamespace: name.name, analysis)
                if found.isEmpty, !isStandard(String(name.name.prefix { $0 != "." })),
                    installed.providers(of: name.name).isEmpty
                {
                    // A program may add directories of its own to sys.path.
                    found = analysis.sources(endingWith: name.name).map { ($0, analysis.base(of: $0)) }
                }
                for (path, base) in found where !known.contains(path) && tried.insert(path).inserted {
                    more.append((path, base, "the import of \(name.name)"))
                }
            }
            guard !more.isEmpty else { break }
            entries += more
            closure = self.closure(of: entries, analysis)
        }
        finish(closure, analysis)
    }

    private func isStandard(_ top: String) -> Bool { interpreter.standardLibraryNames.contains(Array(top.utf8)) }

    /// The modules of the tree that a dotted name may mean: those of its parts.
    private func sources(ofNamespace dotted: String, _ analysis: ImportAnalysis) -> [(path: BytePath, base: BytePath)] {
        let parts = dotted.split(separator: ".")
        guard parts.count > 1 else { return [] }
        var found: [(path: BytePath, base: BytePath)] = []
        for base in onPath {
            for count in 2...parts.count {
                let place = base.appending(parts.prefix(count).joined(separator: "/"))
                for path in [place.appending("__init__.py"), BytePath(place.text + ".py")]
                where analysis.graph.tree.find(path.bytes) != nil {
                    found.append((path, base))
                }
            }
        }
        return found
    }

    private func closure(of entries: [ClosureEntry], _ analysis: ImportAnalysis) -> ImportClosure {
        analysis.closure(from: entries) { [excluded] path, base in
            excluded.covers(module: Self.name(of: path, below: base))
                || excluded.covers(path: (path.relative(to: base) ?? path).text)
        }
    }

    private mutating func finish(_ closure: ImportClosure, _ analysis: ImportAnalysis) {
        for module in closure.modules {
            let reason: BundleReason =
                module.importer.map {
                    .importedBy(closure.modules[$0].path.text, line: module.line, how: module.link)
                } ?? (module.link == "entry" ? .entry : .included(by: module.link))
            guard var inner = (module.path.relative(to: module.base) ?? module.path).exactText else { continue }
            if inner == "__main__.py" { inner = Self.mainScript }
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
            if isStandard(top) || top == "__main__" { continue }
            if excluded.covers(module: name.name) || !sources(ofNamespace: name.name, analysis).isEmpty { continue }
            if installed.providers(of: name.name).isEmpty, !analysis.sources(endingWith: name.name).isEmpty { continue }
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

    /// The directory from which a source that the user named is imported: that of the script, `src`, or the root, as they are on
    /// `sys.path`; or that in which its package begins.
    func base(of path: BytePath) -> BytePath {
        let own = session.analysis?.base(of: path) ?? .empty
        let isInPackage = own != path.parent
        if isInPackage, own.isEmpty || own == scriptBase { return own }
        return onPath.first { path.isWithin($0) && (!isInPackage || own.isWithin($0)) } ?? own
    }

    /// The place of a data file in the bundle.
    func place(of path: BytePath) -> String {
        let base = onPath.first { path.isWithin($0) } ?? .empty
        return (path.relative(to: base) ?? path).text
    }

    /// Directories that are on `sys.path` when the program runs, the deepest first.
    private var onPath: [BytePath] {
        let places = session.configuration.sourceRoots + [scriptBase, sourceFolder].compactMap { $0 }
        return places.sorted { $0.count > $1.count } + [.empty]
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

    /// Whether the user excluded a file of the project by its path there.
    private func isExcluded(_ origin: BundleFile.Origin) -> Bool {
        guard case .file(let path) = origin, let inner = path.relative(to: root)?.exactText else { return false }
        return excluded.covers(path: inner)
    }

    /// What the user may have forgotten, or misspelled.
    private mutating func noteUnused() {
        // Sources that the tree's rules exclude never come here.
        if !excluded.unused.isEmpty { for path in FileTree.files(in: root) { _ = excluded.covers(path: path) } }
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

    /// An earlier bundle is not a part of the next one.
    private mutating func isTarget(_ origin: BundleFile.Origin) -> Bool {
        guard case .file(let path) = origin, path == request.target else { return false }
        let bytes = Host.contents(path, limit: 1 << 17) ?? []
        if !BundleReader.mayBegin(bytes) { overwritten = path }
        return true
    }

    mutating func add(
        _ path: String, _ origin: BundleFile.Origin, _ reason: BundleReason, of distribution: String? = nil
    ) {
        if isTarget(origin) { return }
        if reason != .entry, excluded.covers(path: path) || isExcluded(origin) { return }
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
