// The interpreters of a session: found, probed or remembered, with their workers.
// Knows: what the database remembers of interpreters, and pools. Does not know: sources.

import BasicTypes
import BuildModel
import Interpreters
import LinuxSystem

/// The interpreters that a session builds for.
package final class InterpreterSet {
    private let loop: EventLoop
    private let jobs: Int
    private let deadline: Int64
    /// As in the database; a trace's `InterpreterID` is an index into it.
    package private(set) var known: [Interpreter]
    /// Whether `known` must be written.
    package var isChanged = false
    package private(set) var selected: [InterpreterID] = []
    private var pools: [InterpreterID: WorkerPool] = [:]
    package private(set) var notices: [String] = []

    package init(loop: EventLoop, known: [Interpreter], jobs: Int, deadline: Int64) {
        self.loop = loop
        self.known = known
        self.jobs = jobs
        self.deadline = deadline
    }

    package subscript(id: InterpreterID) -> Interpreter { known[id.rawValue] }

    /// Finds out what each candidate is, without starting those that are remembered and unchanged.
    package func select(_ candidates: [InterpreterCandidate]) throws(InterpreterError) {
        var tags: [String: Interpreter] = [:]
        for candidate in candidates {
            let id: InterpreterID
            do throws(InterpreterError) {
                id = try resolve(candidate)
            } catch {
                guard candidate.isOptional else { throw error }
                notices.append(error.message)
                continue
            }
            guard !selected.contains(id) else { continue }
            if let other = tags[self[id].cacheTag] {
                if candidate.isOptional { continue }
                notices.append(
                    "\(self[id].path) writes the same files as \(other.path) (\(other.cacheTag)) and is left out")
                continue
            }
            tags[self[id].cacheTag] = self[id]
            selected.append(id)
        }
        if selected.isEmpty { throw .noneFound }
    }

    private func resolve(_ candidate: InterpreterCandidate) throws(InterpreterError) -> InterpreterID {
        let status = try? Host.status(candidate.path)
        if let status, let index = known.lastIndex(where: { $0.path == candidate.path }),
            known[index].executable == status.stamp, Self.isProgram(candidate.path)
        {
            return canonical(index)
        }
        let probed = try InterpreterProbe.run(candidate.path)
        let interpreter = probed.interpreter
        if let index = known.lastIndex(where: { $0.path == candidate.path && $0.compilesLike(interpreter) }) {
            if known[index] != interpreter {
                known[index] = interpreter
                isChanged = true
            }
        } else {
            known.append(interpreter)
            isChanged = true
        }
        let index = known.lastIndex { $0.path == candidate.path } ?? known.count - 1
        let id = canonical(index)
        pools[id] = WorkerPool(loop: loop, probed: probed, size: jobs, deadline: deadline)
        return id
    }

    /// Interpreters that make the same code share their artifacts: the first of them stands for all.
    private func canonical(_ index: Int) -> InterpreterID {
        InterpreterID(rawValue: known.firstIndex { $0.compilesLike(known[index]) } ?? index)
    }

    /// A script that starts an interpreter may start another one next time, so it is asked every time.
    private static func isProgram(_ path: BytePath) -> Bool {
        (Host.contents(path, limit: 4) ?? []).elementsEqual([0x7F, 0x45, 0x4C, 0x46])
    }

    package func pool(_ id: InterpreterID) -> WorkerPool {
        if let pool = pools[id] { return pool }
        let pool = WorkerPool(loop: loop, interpreter: self[id], size: jobs, deadline: deadline)
        pools[id] = pool
        return pool
    }

    package var activePools: [WorkerPool] { Array(pools.values) }

    package func shutDown() {
        for pool in pools.values { pool.shutDown() }
        pools = [:]
    }
}
