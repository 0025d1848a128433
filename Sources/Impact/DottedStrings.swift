// Modules that a source names in a string: `"shop.plugins.cart"` in a table of plugins, in Django's settings, in `mock.patch`.
//
// Imports with a computed name are not in the graph. What they import is nearly always written down somewhere as a string.

import BasicTypes
import ImportGraph

/// The sources that name modules of the tree in strings.
struct DottedStrings {
    /// For each module, the sources that name it, or something in it.
    private(set) var sources: [ModuleID: [ModuleID]] = [:]
    /// Modules that are named where Django's settings are chosen: they affect all tests.
    private(set) var settings: Set<ModuleID> = []

    /// - Parameter strings: of each source, what `scan` found.
    init(_ graph: DependencyGraph, strings: (BytePath) -> Set<[UInt8]>) {
        var graph = graph
        let modules = graph.tree.modules
        // Most dotted strings begin with a word that is no module here, such as a host or a file.
        var known: Set<[UInt8]> = []
        for module in modules {
            guard let entry = graph.tree[module] else { continue }
            known.insert(Array(graph.names[entry.stem]))
            for component in entry.path.split(separator: UInt8(ascii: "/")).dropLast() {
                known.insert(Array(component))
            }
        }
        for module in modules {
            guard let entry = graph.tree[module], let path = BytePath(entry.path) else { continue }
            let strings = strings(path)
            let choosesSettings = strings.contains(Self.settingsVariable)
            for text in strings where known.contains(Array(text.prefix { $0 != UInt8(ascii: ".") })) {
                if text.last == UInt8(ascii: ".") {
                    for target in graph.modules(belowPackage: Array(text.dropLast()), from: entry.directory) {
                        sources[target, default: []].append(module)
                    }
                    continue
                }
                guard let target = graph.module(named: text, from: entry.directory), target != module else { continue }
                sources[target, default: []].append(module)
                if choosesSettings { settings.insert(target) }
            }
        }
    }

    private static let settingsVariable = Array("DJANGO_SETTINGS_MODULE".utf8)

    /// The contents of all strings that consist of two or more names with dots between them; `pkg.module:name` as well. Of
    /// strings that go on after a dot (`"pkg."`, `"pkg.%s"`, `f"pkg.{name}"`), the part up to the dot.
    static func scan(_ source: [UInt8]) -> Set<[UInt8]> {
        source.withUnsafeBytes { scan($0) }
    }

    private static func scan(_ source: UnsafeRawBufferPointer) -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        var index = 0
        while index < source.count {
            let quote = source[index]
            index += 1
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { continue }
            let start = index
            var dots = 0
            while index < source.count, isName(source[index]) || source[index] == UInt8(ascii: ".") {
                if source[index] == UInt8(ascii: ".") { dots += 1 }
                index += 1
            }
            if dots == 0, index - start == settingsVariable.count,
                source[start..<index].elementsEqual(settingsVariable)
            {
                // Where settings are chosen, every string may be their name.
                found.insert(settingsVariable)
            }
            guard dots > 0, index < source.count, source[start] != UInt8(ascii: ".") else { continue }
            let goesOn = source[index - 1] == UInt8(ascii: ".")
            guard
                source[index] == quote
                    || (goesOn ? "%{" : ":").utf8.contains(source[index])
            else { continue }
            found.insert(Array(source[start..<index]))
        }
        return found
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}
