// Decides what goes into a bundle with its interpreter: the program, the libraries that it needs, and the part of the standard library
// that is reached.

import BasicTypes
import BuildModel
import ImportGraph
import Interpreters
import LinuxSystem

/// Collects what an interpreter runs from.
struct RuntimePlanner {
    /// Where shared libraries are laid out, next to `bin`.
    private static let libraryFolder = "lib/freshpyc"
    /// What every start needs, and what C code imports by name without a source that says so.
    private static let roots = [
        "encodings", "codecs", "io", "abc", "site", "os", "stat", "posixpath", "genericpath", "runpy", "pkgutil",
        "zipimport", "importlib", "warnings", "types", "_collections_abc", "_sitebuiltins", "_weakrefset", "_py_abc",
        "_bootlocale", "copyreg", "_strptime", "_compat_pickle", "numbers", "locale", "threading", "struct",
        "traceback",
        "linecache", "tokenize", "functools", "unicodedata", "_pyrepl", "sysconfig", "__future__", "datetime",
        "keyword",
    ]
    /// Their deferred imports serve the interactive interpreter.
    private static let interactive: Set<String> = ["site", "_sitebuiltins", "_pyrepl"]
    private static let tests: Set<String> = ["test", "tests", "idle_test", "__phello__"]
    /// Not in `all`, unless they are imported: programs of their own.
    private static let programs: Set<String> = [
        "idlelib", "turtledemo", "ensurepip", "lib2to3", "pydoc_data", "__phello__",
    ]
    private static let largest = 1 << 30

    private let interpreter: Interpreter
    private let places: InterpreterFiles
    private let share: StandardLibraryShare
    /// The files of each top-level module, relative to the standard library.
    private var members: [String: [String]] = [:]
    /// The extension modules.
    private var extensions: [String: BytePath] = [:]

    init(_ interpreter: Interpreter, share: StandardLibraryShare) throws(BundleError) {
        guard interpreter.implementation == "cpython" else {
            throw BundleError("\(interpreter.name) cannot be included, only CPython can; omit --with-interpreter")
        }
        guard BundleWriter.canImport(interpreter) else {
            throw BundleError("\(interpreter.name) cannot run bundles; name a newer one with --python")
        }
        do throws(InterpreterError) {
            places = try InterpreterQuestions.files(of: interpreter)
        } catch {
            throw BundleError(error.message)
        }
        self.interpreter = interpreter
        self.share = share
        for path in FileTree.files(in: places.standardLibrary) {
            let parts = path.split(separator: "/")
            guard let first = parts.first, first != "lib-dynload", first != "site-packages", first != "dist-packages",
                !parts.dropLast().contains(where: { Self.tests.contains(String($0)) })
            else { continue }
            let top = parts.count == 1 ? first.prefix { $0 != "." } : first
            members[String(top), default: []].append(path)
        }
        for folder in places.extensions {
            for name in FileTree.names(in: folder) where name.hasSuffix(".so") && BundleFile.fits(name, interpreter) {
                extensions[String(name.prefix { $0 != "." })] = folder.appending(name)
            }
        }
    }

    /// - Parameters:
    ///   - sources: those of the program, and of the distributions that it uses.
    ///   - natives: their extension modules and libraries, with the names that lie beside each.
    func plan(sources: [[UInt8]], natives: [BytePath]) throws(BundleError) -> BundleRuntime {
        let modules = share == .all ? all(importedBy: sources) : reached(from: sources)
        // `lib/python3.12`, where the program looks for it from its own place.
        let library = places.standardLibrary.components.suffix(2).map { String(decoding: $0, as: UTF8.self) }
            .joined(separator: "/")
        var files: [BundleRuntime.File] = []
        for module in modules.sorted() {
            for path in members[module] ?? [] {
                let place = places.standardLibrary.appending(path)
                let isSource = path.hasSuffix(".py") && BundleFile.module(path.dropLast(3)) != nil
                files.append(.init(path: "\(library)/\(path)", origin: isSource ? .source(place) : .file(place)))
            }
        }
        var libraries = SharedLibraries()
        var elves: [(path: String, file: ElfFile)] = []
        for module in modules.sorted() {
            guard let place = extensions[module] else { continue }
            let file = try read(place)
            libraries.add(file, at: place)
            elves.append(("\(library)/lib-dynload/\(String(decoding: place.lastComponent, as: UTF8.self))", file))
        }
        var program = try read(places.program)
        libraries.add(program, at: places.program)
        libraries.addUnwinder(for: program)
        let beside = Set(natives.map { String(decoding: $0.lastComponent, as: UTF8.self) })
        for place in natives {
            guard let file = ElfFile(Host.contents(place, limit: Self.largest) ?? []) else { continue }
            libraries.add(file, at: place, provided: beside)
        }
        for (name, file) in libraries.found.sorted(by: { $0.key < $1.key }) {
            elves.append(("\(Self.libraryFolder)/\(name)", file))
        }
        if !libraries.found.isEmpty, !program.setSearchPath("$ORIGIN/../\(Self.libraryFolder)") {
            throw BundleError("cannot change where \(places.program) looks for libraries; use another build of Python")
        }
        for (path, file) in elves {
            var file = file
            file.removeAbsoluteSearchPaths()
            file.strip()
            files.append(.init(path: path, origin: .bytes(file.bytes), isProgram: true))
        }
        let name = "bin/\(String(decoding: places.program.lastComponent, as: UTF8.self))"
        program.strip()
        files.append(.init(path: name, origin: .bytes(program.bytes), isProgram: true))
        let notes = libraries.missing.sorted { $0.key < $1.key }.map {
            "\($0.value) needs \($0.key), which is not installed; what uses it will fail"
        }
        return BundleRuntime(
            program: name, files: files.sorted { $0.path < $1.path }, modules: modules.sorted(),
            libraries: libraries.found.keys.sorted(), notes: notes)
    }

    private func read(_ place: BytePath) throws(BundleError) -> ElfFile {
        do throws(SystemError) {
            if let file = ElfFile(try Host.readFile(place, limit: Self.largest) ?? []) { return file }
        } catch {
            throw BundleError("cannot read \(place): \(error.reason)")
        }
        throw BundleError("\(place) is not a 64-bit ELF file that is linked dynamically; use another build of Python")
    }

    // MARK: The standard library

    private func all(importedBy sources: [[UInt8]]) -> Set<String> {
        Set(members.keys).union(extensions.keys)
            .subtracting(Self.programs.union(["test", "_test", "xxlimited", "xxsubtype"]))
            .filter { !$0.hasPrefix("_test") && !$0.hasPrefix("_xx") && !$0.hasPrefix("xx") }
            .union(reached(from: sources))
    }

    /// The top-level modules that sources import, and those that these import. Packages go in whole: what is imported within them by
    /// computed names is then there.
    private func reached(from sources: [[UInt8]]) -> Set<String> {
        var known = Set(Self.roots)
        let imported = ParallelSlices.map(sources, sliceSize: 16, scratch: {}) { source, _ in
            Self.names(in: source, isInteractive: false)
        }
        var open = Array(known)
        func add(_ names: Set<String>) {
            for name in names where known.insert(name).inserted { open.append(name) }
        }
        for names in imported { add(names) }
        add(Self.names(in: BundleWriter.importerSource, isInteractive: false))
        while let module = open.popLast() {
            for path in members[module] ?? [] where path.hasSuffix(".py") {
                let source = Host.contents(places.standardLibrary.appending(path), limit: Self.largest) ?? []
                add(Self.names(in: source, isInteractive: Self.interactive.contains(module)))
            }
            // `__import__` of a name that has the platform in it.
            if module == "sysconfig" {
                add(Set(members.keys.filter { $0.hasPrefix("_sysconfigdata") }))
            }
        }
        return known.filter { members[$0] != nil || extensions[$0] != nil }
    }

    /// The top-level names that a source imports.
    private static func names(in source: [UInt8], isInteractive: Bool) -> Set<String> {
        var names: Set<String> = []
        for statement in ImportScanner.scan(source)
        where statement.level == 0 && !statement.traits.contains(.typeOnly)
            && !(isInteractive && statement.traits.contains(.deferred))
        {
            let dotted = statement.form == .modules ? statement.names.map(\.name) : [statement.module]
            for name in dotted { names.insert(String(name.description.prefix { $0 != "." })) }
        }
        return names
    }
}
