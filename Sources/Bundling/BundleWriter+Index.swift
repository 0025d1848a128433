// The index of a bundle: where the code of each module is, for one interpreter. importer.py reads it.

import BasicTypes
import BuildModel
import LinuxSystem

extension BundleWriter {
    /// - Parameter number: of the interpreter; `nil` for those that compile the sources.
    func index(
        _ number: Int?, _ contents: [BundleContents], _ codes: [[Place?]], listing: Place
    ) -> [UInt8] {
        var modules: [String: (kind: ModuleKind, place: Place, path: String?)] = [:]
        let standard = number.map { interpreters[$0].standardLibraryNames } ?? []
        let builtIn = number.map { interpreters[$0].builtInNames } ?? []
        let fits = { (file: BundleContents) in number.map { BundleFile.fits(file.path, interpreters[$0]) } ?? true }
        // Where there is machine code, data must be files, too: a library opens them by path.
        let unpackedGroups = Set(contents.filter { $0.isNative && fits($0) }.map(\.group))
        var unpacked: [BundleContents] = []
        for (file, places) in Swift.zip(contents, codes) {
            let kind: ModuleKind = unpackedGroups.contains(file.group) ? .unpacked : []
            if !kind.isEmpty, file.isNative ? fits(file) : file.module == nil, !file.isMetadata {
                unpacked.append(file)
            }
            if let number, let name = file.extensions[number] {
                let isPackage = file.path.split(separator: "/").last?.hasPrefix("__init__.") == true
                modules[name] = (
                    kind.union(isPackage ? [.extension, .package] : .extension), Place(offset: 0, size: 0), file.path
                )
                continue
            }
            if case .script(file.path) = program {
                // Under a name of its own: a package beside it may have the same.
                let place = number.flatMap { places[$0] }
                let isDeflated = number.flatMap { file.bytecode[$0]?.deflated } != nil
                // Its data are beside it.
                let path = file.path == BundlePlanner.mainScript ? FolderWriter.mainPath : file.path
                modules["__main__"] = (isDeflated ? .deflated : [], place ?? Place(offset: 0, size: 0), path)
            }
            guard let module = file.module, modules[module.name]?.kind.contains(.extension) != true else { continue }
            // What is built into the interpreter is found first.
            if builtIn.contains(Array(module.name.utf8.prefix { $0 != UInt8(ascii: ".") })) { continue }
            // Installed packages come after the standard library: a backport must not replace it.
            if file.isInstalled, standard.contains(Array(module.name.utf8.prefix { $0 != UInt8(ascii: ".") })) {
                continue
            }
            let place = number.flatMap { places[$0] }
            if place == nil, isSourceless { continue }
            if module.isPackage || modules[module.name] == nil {
                let isDeflated = number.flatMap { file.bytecode[$0]?.deflated } != nil
                let own = isDeflated ? kind.union(.deflated) : kind
                modules[module.name] = (
                    module.isPackage ? own.union(.package) : own, place ?? Place(offset: 0, size: 0), nil
                )
            }
        }
        // A directory with modules and without `__init__.py` is a namespace package (PEP 420).
        for name in Array(modules.keys) {
            var parent = name[...]
            while let dot = parent.lastIndex(of: ".") {
                parent = parent[..<dot]
                if modules[String(parent)] != nil { break }
                modules[String(parent)] = (.namespace, Place(offset: 0, size: 0), nil)
            }
        }
        var writer = IndexWriter()
        writer.tuple(count: 4)
        writer.beginDictionary()
        for (name, module) in modules.sorted(by: { $0.key < $1.key }) {
            writer.text(name)
            writer.tuple(count: module.path == nil ? 3 : 4)
            writer.number(module.place.offset)
            writer.number(module.place.size)
            writer.number(module.kind.rawValue)
            if let path = module.path { writer.text(path) }
        }
        writer.endDictionary()
        writer.tuple(count: 2)
        writer.number(listing.offset)
        writer.number(listing.size)
        writer.tuple(count: 2)
        writer.text(Self.digest(unpacked))
        writer.tuple(count: unpacked.count)
        for file in unpacked { writer.text(file.path) }
        let (kind, name, function) = entry
        writer.tuple(count: 3)
        writer.text(kind)
        writer.text(name)
        writer.text(function)
        return writer.bytes
    }

    /// How it is run, the module or path, and the function.
    var entry: (kind: String, name: String, function: String) {
        switch program {
        case .script(let name): ("script", name, "")
        case .module(let name): ("module", name, "")
        case .call(let module, let function): ("call", module, function)
        case .none: ("none", "", "")
        }
    }

    /// A name for these files: where they are laid out.
    private static func digest(_ natives: [BundleContents]) -> String {
        if natives.isEmpty { return "" }
        var all: [UInt8] = []
        for file in natives {
            all += Array(file.path.utf8) + [0]
            all += Array(file.bytes.withUnsafeBytes { SHA256.hexadecimal($0) }.utf8)
        }
        return String(all.withUnsafeBytes { SHA256.hexadecimal($0) }.prefix(32))
    }
}
