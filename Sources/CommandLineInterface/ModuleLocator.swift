// Finds the file of a module that the user named by its dotted name: `polls.models`.

import BasicTypes
import LinuxSystem

enum ModuleLocator {
    /// Where modules are looked for, relative to the root: a project keeps its packages in one of these.
    private static let places = ["", "src", "lib"]

    /// - Returns: the absolute path of a source or a package; `nil` if `given` is a path that exists, or not the name of a
    ///   module that does.
    static func path(of given: BytePath, root: BytePath, workingDirectory: BytePath) -> BytePath? {
        let parts = given.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count > 1, parts.allSatisfy(PythonName.isName), !exists(workingDirectory.appending(given)) else {
            return nil
        }
        for directory in [workingDirectory] + places.map({ $0.isEmpty ? root : root.appending($0) }) {
            let module = parts.reduce(directory) { $0.appending($1) }
            let source = module.parent.appending(Array(module.lastComponent) + Array(".py".utf8))
            if exists(source) { return source }
            if exists(module) { return module }
        }
        return nil
    }

    private static func exists(_ path: BytePath) -> Bool { ((try? Host.status(path)) ?? nil) != nil }
}
