// `check --untrusted`: nothing that the tree contains or names is executed or trusted.
//
// The compiler only parses the sources, so what remains is the choice of the interpreter, and files of the tree that
// decide what freshpyc does: its configuration (see `Settings`) and its database, which could claim that a module is fine.

import BasicTypes
import BuildModel
import Interpreters
import LinuxSystem
import Waves

enum UntrustedTree {
    /// Selects interpreters outside the tree, and ignores the database inside it.
    static func restrict(_ configuration: inout SessionConfiguration) throws(UsageError) {
        let root = configuration.rootPath
        // With `/` as the root, `.venv` and `.python-version` of the tree are ignored.
        let finder = InterpreterFinder(root: BytePath("/"))
        let candidates: [InterpreterCandidate]
        do throws(InterpreterError) {
            candidates = try finder.candidates(configuration.pythons, relativeTo: configuration.workingDirectory)
        } catch {
            throw UsageError(message: error.message)
        }
        for candidate in candidates {
            let path =
                (candidate.path.isAbsolute ? candidate.path : configuration.workingDirectory.appending(candidate.path))
                .normalized
            let places = [path, (try? Host.realPath(path)) ?? path, (try? Host.realPath(path.parent)) ?? path.parent]
            guard places.allSatisfy({ !$0.isWithin(root) }) else {
                throw UsageError(
                    message:
                        "\(path) is inside the untrusted tree \(root), and will not be executed; name an interpreter outside it with --python"
                )
            }
        }
        configuration.pythons = candidates.map(\.path.description)
        configuration.options.isForced = true
        configuration.isReadOnlyDatabase = true
    }
}
