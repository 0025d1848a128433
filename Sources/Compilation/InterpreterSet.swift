// The interpreters of a session: found, probed or loaded from the database, with their workers.
//
// Do not confuse identity with location. Traces and artifacts refer to an *identity* (`Interpreter.identity`):
// interpreters that compile alike share the `InterpreterID` of the first one in the database. The *location* is found
// again in each run: only a path that was checked in this run is ever started.

import BasicTypes
import BuildModel
import Interpreters
import LinuxSystem

/// The interpreters that a session builds for.
package final class InterpreterSet {
    private let loop: EventLoop
    private let jobs: Int
    private let deadline: Int64
    /// The interpreters in the database; a trace's `InterpreterID` is an index into this list. Their paths may be out
    /// of date.
    package private(set) var known: [Interpreter]
    /// Whether `known` has changes that are not in the database.
    package var isChanged = false
    package private(set) var selected: [InterpreterID] = []
    /// The selected interpreters, at the locations found in this run.
    private var installed: [InterpreterID: Interpreter] = [:]
    /// The executables that the selection was made from, including those that were skipped because another one writes the
    /// same files: after an update they may write others.
    private var executables: [BytePath: Stamp] = [:]
    private var pools: [InterpreterID: WorkerPool] = [:]
    package private(set) var notices: [String] = []

    package init(loop: EventLoop, known: [Interpreter], jobs: Int, deadline: Int64) {
        self.loop = loop
        self.known = known
        self.jobs = jobs
        self.deadline = deadline
    }

    /// A selected interpreter as found in this run; any other as recorded in the database.
    package subscript(id: InterpreterID) -> Interpreter { installed[id] ?? known[id.rawValue] }

    /// Identifies each candidate. A candidate that is in the database and unchanged is not started.
    package func select(_ candidates: [InterpreterCandidate]) throws(InterpreterError) {
        var tags: [String: Interpreter] = [:]
        for candidate in candidates {
            let found: (id: InterpreterID, interpreter: Interpreter, probed: ProbedInterpreter?)
            do throws(InterpreterError) {
                found = try resolve(candidate)
            } catch {
                guard candidate.isOptional else { throw error }
                notices.append(error.message)
                continue
            }
            if let requirement = candidate.requirement, !requirement.contains(found.interpreter.version) { continue }
            executables[found.interpreter.path] = found.interpreter.executable
            guard installed[found.id] == nil else { continue }
            if let other = tags[found.interpreter.cacheTag] {
                if candidate.isOptional { continue }
                notices.append(
                    "\(found.interpreter.path) writes the same files as \(other.path) (\(other.cacheTag)) and is skipped"
                )
                continue
            }
            tags[found.interpreter.cacheTag] = found.interpreter
            installed[found.id] = found.interpreter
            selected.append(found.id)
            if let probed = found.probed {
                pools[found.id] = prepared(
                    WorkerPool(loop: loop, probed: probed, size: jobs, deadline: deadline), found.id)
            }
        }
        if selected.isEmpty { throw .none(of: candidates) }
    }

    /// Whether an executable of the selection was replaced or removed. If so, the selection may have to be made again.
    package var hasChanged: Bool {
        executables.contains { path, executable in
            do throws(SystemError) {
                return try Host.status(path)?.stamp != executable
            } catch {
                return false
            }
        }
    }

    private func resolve(
        _ candidate: InterpreterCandidate
    ) throws(InterpreterError) -> (id: InterpreterID, interpreter: Interpreter, probed: ProbedInterpreter?) {
        // A path may be recorded several times, once for each interpreter that was ever installed there.
        if let status = try? Host.status(candidate.path), Self.isProgram(candidate.path),
            let remembered = known.last(where: { $0.path == candidate.path && $0.executable == status.stamp })
        {
            return (remember(remembered), remembered, nil)
        }
        let probed = try InterpreterProbe.run(candidate.path)
        return (remember(probed.interpreter), probed.interpreter, probed)
    }

    /// Interpreters that compile alike share their artifacts, and the identifier of the first one.
    private func remember(_ interpreter: Interpreter) -> InterpreterID {
        if let index = known.firstIndex(where: { $0.path == interpreter.path && $0.compilesLike(interpreter) }) {
            if known[index] != interpreter {
                known[index] = interpreter
                isChanged = true
            }
        } else {
            known.append(interpreter)
            isChanged = true
        }
        return InterpreterID(rawValue: known.firstIndex { $0.compilesLike(interpreter) } ?? known.count - 1)
    }

    /// Makes the next run, or the next wave of a watch, probe a selected interpreter again.
    private func forgetInstallation(_ id: InterpreterID) {
        guard let path = installed[id]?.path else { return }
        let unknown = Stamp(
            device: 0, inode: 0, size: 0, modified: FileTime(nanoseconds: 0), changed: FileTime(nanoseconds: 0))
        installed[id]?.executable = unknown
        executables[path] = unknown
        for index in known.indices where known[index].path == path {
            known[index].executable = unknown
            isChanged = true
        }
    }

    private func prepared(_ pool: WorkerPool, _ id: InterpreterID) -> WorkerPool {
        pool.onChangedInterpreter = { [weak self] in self?.forgetInstallation(id) }
        return pool
    }

    /// Only programs (ELF files) are remembered: a script may start another interpreter each time.
    private static func isProgram(_ path: BytePath) -> Bool {
        (Host.contents(path, limit: 4) ?? []).elementsEqual([0x7F, 0x45, 0x4C, 0x46])
    }

    package func pool(_ id: InterpreterID) -> WorkerPool {
        if let pool = pools[id] { return pool }
        let pool = prepared(WorkerPool(loop: loop, interpreter: self[id], size: jobs, deadline: deadline), id)
        pools[id] = pool
        return pool
    }

    package var activePools: [WorkerPool] { Array(pools.values) }

    package func shutDown() {
        for pool in pools.values { pool.shutDown() }
        pools = [:]
    }
}
