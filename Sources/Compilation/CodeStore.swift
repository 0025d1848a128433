// Code from the store, as it is wanted here, and code for it.
// Knows: that stored code is under another file name. Does not know: how entries are kept, or what is built.

import BasicTypes
import BuildDatabase
import BuildModel
import Bytecode
import LinuxSystem
import Synchronization

/// The store that a run uses, opened when it is first needed: a run that compiles nothing leaves no trace of it.
package final class CodeStore: Sendable {
    /// Bytes that a store may take before the least recently used is removed.
    package static let limit: Int64 = 1 << 30

    private enum State {
        case unopened
        case open(BytecodeStore)
        /// With what the user is to be told, until it was.
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

    /// What is to be told to the user, once.
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

    /// For the end of a wave: holds no more than it must until the next.
    package func rest() {
        if case .open(let store) = state.withLock({ $0 }) { store.rest() }
    }

    /// Makes room where too much is kept. For the end of a run.
    package func evictIfNeeded() {
        if case .open(let store) = state.withLock({ $0 }) { store.evictIfNeeded() }
    }

    /// One compilation that need not be done.
    package struct Restored {
        package let body: [UInt8]
        package let diagnostics: [Diagnostic]
        package let microseconds: UInt32
    }

    /// - Parameters:
    ///   - source: of the bytes that would be compiled.
    ///   - fileName: what the code is to say it was compiled from.
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
        // Python 2 has the name in each code object.
        return found.body.withUnsafeBytes { body in
            guard let arena = try? MarshalReader.read(body, layout: layout) else { return nil }
            return CanonicalMarshal(arena, body: body, fileName: fileName)?.body
        }
    }

    /// Keeps what a compilation gave, where another file name can be put in.
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
