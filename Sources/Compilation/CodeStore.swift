// Loads compiled code from the store that all trees share, and saves it there. The file name in stored code may be that of
// another source: loading replaces it.

import BasicTypes
import BuildDatabase
import BuildModel
import Bytecode
import LinuxSystem
import Synchronization

/// The store of a run. It is opened on first use, so a run that compiles nothing does not touch it.
package final class CodeStore: Sendable {
    /// The maximum size of a store in bytes. Above it, the least recently used entries are removed.
    package static let limit: Int64 = 1 << 30

    private enum State {
        case unopened
        case open(BytecodeStore)
        /// The store cannot be used. Holds the message for the user until it is shown.
        case refused(String?)
    }

    private let place: BytePath
    private let state = Mutex(State.unopened)

    /// - Parameter place: absolute.
    package init(place: BytePath) {
        self.place = place
    }

    private var store: BytecodeStore? {
        state.withLock { state in
            if case .unopened = state {
                do throws(StoreError) {
                    state = .open(try BytecodeStore.open(place, limit: Self.limit))
                } catch {
                    state = .refused(error.message)
                }
            }
            if case .open(let store) = state { return store }
            return nil
        }
    }

    /// A message for the user; returned once.
    package var notice: String? {
        state.withLock { state in
            switch state {
            case .unopened: return nil
            case .open(let store): return store.notice
            case .refused(let message):
                state = .refused(nil)
                return message
            }
        }
    }

    /// Releases what the store does not need between waves. Call it at the end of a wave.
    package func rest() {
        if case .open(let store) = state.withLock({ $0 }) { store.rest() }
    }

    /// Removes the least recently used entries if the store is too large. Call it at the end of a run.
    package func evictIfNeeded() {
        if case .open(let store) = state.withLock({ $0 }) { store.evictIfNeeded() }
    }

    /// Code from the store.
    package struct Restored {
        package let body: [UInt8]
        package let diagnostics: [Diagnostic]
        package let microseconds: UInt32
    }

    /// Loads the code of a source; `nil` if it is not in the store.
    ///
    /// - Parameters:
    ///   - source: the fingerprint of the source's bytes.
    ///   - fileName: the file name to put into the code.
    package func restore(
        _ source: Fingerprint, _ interpreter: Interpreter, _ level: OptimizationLevel, fileName: BytePath
    ) -> Restored? {
        guard let layout = interpreter.layoutOfCode, let store,
            let found = store.load(StoreKey(source: source, interpreter: interpreter, level: level)),
            let body = Self.renamed(found, Array(fileName.bytes), layout)
        else { return nil }
        return Restored(body: body, diagnostics: found.diagnostics, microseconds: found.microseconds)
    }

    private static func renamed(_ found: StoredCode, _ fileName: [UInt8], _ layout: CodeLayout) -> [UInt8]? {
        if !found.fileName.isEmpty {
            return CanonicalMarshal.splice(found.body, at: found.fileName, fileName: fileName, layout: layout)
        }
        // Python 2 stores the file name in every code object.
        return found.body.withUnsafeBytes { body in
            guard let arena = try? MarshalReader.read(body, layout: layout) else { return nil }
            return CanonicalMarshal(arena, body: body, fileName: fileName)?.body
        }
    }

    /// Saves the result of a compilation, if its file name can be replaced later.
    package func keep(
        _ code: CompiledCode, _ diagnostics: [Diagnostic], _ microseconds: UInt32, source: Fingerprint,
        _ interpreter: Interpreter, _ level: OptimizationLevel
    ) {
        let isOld = interpreter.layoutOfCode == .python2
        guard let fileName = code.fileName ?? (isOld ? 0..<0 : nil), let store else { return }
        store.save(
            StoreKey(source: source, interpreter: interpreter, level: level),
            StoredCode(body: code.body, fileName: fileName, diagnostics: diagnostics, microseconds: microseconds))
    }
}
