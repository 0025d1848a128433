// Selects interpreters for commands that do not compile. Each one is probed; no database is used.

import BasicTypes
import BuildModel
import LinuxSystem

package enum InterpreterSelection {
    /// - Parameters:
    ///   - specs: the values of `--python`; empty for the default interpreter.
    ///   - directory: the base of relative paths.
    /// - Returns: in order, the first of each cache tag, because others would write the same files.
    package static func probe(
        _ specs: [String], root: BytePath, relativeTo directory: BytePath
    ) throws(InterpreterError) -> [Interpreter] {
        let candidates = try InterpreterFinder(root: root).candidates(specs, relativeTo: directory)
        var found: [Interpreter] = []
        for (candidate, answer) in zip(candidates, answers(of: candidates)) {
            do throws(InterpreterError) {
                let interpreter = try answer.get()
                guard candidate.requirement?.contains(interpreter.version) ?? true else { continue }
                found.append(interpreter)
            } catch {
                if !candidate.isOptional { throw error }
            }
        }
        if found.isEmpty { throw .none(of: candidates) }
        var tags: Set<String> = []
        return found.filter { tags.insert($0.cacheTag).inserted }
    }

    /// Starting an interpreter takes 20 ms or more, so they are probed in parallel.
    private static func answers(of candidates: [InterpreterCandidate]) -> [Result<Interpreter, InterpreterError>] {
        ParallelSlices.map(candidates, sliceSize: 1, scratch: {}) { candidate, _ in
            do throws(InterpreterError) {
                return .success(try InterpreterProbe.run(candidate.path).interpreter)
            } catch {
                return .failure(error)
            }
        }
    }
}

/// Finds the interpreter that writes a magic number, starting as few interpreters as possible.
///
/// A table of magic numbers would be outdated with each new Python.
package final class MagicSearch {
    private let finder: InterpreterFinder
    private let root: BytePath
    private var asked: [BytePath: Interpreter?] = [:]
    private var hasAskedAll = false

    package init(root: BytePath) {
        self.root = root
        finder = InterpreterFinder(root: root)
    }

    /// - Parameters:
    ///   - magic: the first four bytes of a file.
    ///   - specs: values of `--python` for likely interpreters, which are probed first.
    /// - Returns: `nil` if no interpreter that can be found writes this magic number.
    package func interpreter(magic: UInt32, likely specs: [String]) -> Interpreter? {
        if let known = asked.values.lazy.compactMap({ $0 }).first(where: { $0.magic == magic }) { return known }
        for spec in specs {
            guard let candidate = try? finder.find(spec, relativeTo: root) else { continue }
            if let found = ask(candidate.path), found.magic == magic { return found }
        }
        if specs.isEmpty, let standard = try? finder.standard(), let found = ask(standard.path), found.magic == magic {
            return found
        }
        guard !hasAskedAll else { return nil }
        hasAskedAll = true
        let rest = finder.all().map(\.path).filter { asked[$0] == nil }
        let answers = ParallelSlices.map(rest, sliceSize: 1, scratch: {}) { path, _ in
            try? InterpreterProbe.run(path).interpreter
        }
        for (path, answer) in zip(rest, answers) { asked[path] = .some(answer) }
        return answers.lazy.compactMap({ $0 }).first { $0.magic == magic }
    }

    private func ask(_ path: BytePath) -> Interpreter? {
        if let known = asked[path] { return known }
        let interpreter = try? InterpreterProbe.run(path).interpreter
        asked[path] = .some(interpreter)
        return interpreter
    }
}
