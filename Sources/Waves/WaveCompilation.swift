// The work of a wave on one artifact, for lanes: read the source, take its code from the store or have it compiled, and
// publish it. Must not use the wave or the session, which belong to the loop.

import BasicTypes
import BuildModel
import Bytecode
import Compilation
import FileWatching
import Interpreters
import LinuxSystem

/// Reads, restores and publishes for a wave.
package struct WaveCompilation: CompilationWork {
    /// One artifact to make. A class, as is `Made`, because it passes through many hands.
    package final class Item: Sendable {
        /// Index of the module in the wave.
        package let module: Int
        /// Index of the target.
        package let target: Int
        package let path: BytePath
        /// The stamp of the source when it was scanned.
        package let stamp: Stamp
        /// The source, if it was already read.
        package let snapshot: SourceSnapshot?

        init(module: Int, target: Int, path: BytePath, stamp: Stamp, snapshot: SourceSnapshot?) {
            self.module = module
            self.target = target
            self.path = path
            self.stamp = stamp
            self.snapshot = snapshot
        }
    }

    /// An artifact that was made, or needed no file.
    package final class Made: Sendable {
        package let source: SourceState
        package let diagnostics: [Diagnostic]
        package let microseconds: UInt32
        /// `nil` if the wave writes nothing.
        package let publication: Result<PublishedArtifact, SystemError>?
        /// The names that the module binds, if somebody wants to know.
        package let bindings: ModuleBindings?
        package let isRestored: Bool

        init(
            source: SourceState, diagnostics: [Diagnostic], microseconds: UInt32,
            publication: Result<PublishedArtifact, SystemError>?, bindings: ModuleBindings?, isRestored: Bool
        ) {
            self.source = source
            self.diagnostics = diagnostics
            self.microseconds = microseconds
            self.publication = publication
            self.bindings = bindings
            self.isRestored = isRestored
        }
    }

    package enum Outcome: Sendable {
        case made(Made)
        /// The compiler rejects the source.
        case refused(SourceState, [Diagnostic], microseconds: UInt32, problem: Diagnostic?)
        /// There was no compiler.
        case unavailable(Diagnostic)
        case vanished
        case unreadable(Diagnostic)
    }

    let root: Directory
    let rootPath: BytePath
    let targets: [ArtifactTarget]
    let mode: InvalidationMode
    /// Whether artifacts are written.
    let writes: Bool
    /// Whether code is taken from the store.
    let restores: Bool
    let store: CodeStore?
    /// Whether the names that modules bind are wanted.
    let readsBindings: Bool
    /// Time limit for one file in nanoseconds.
    let deadline: Int64

    package func size(of item: Item) -> Int { Int(clamping: item.stamp.size) }

    package func makeScratch() -> ArtifactPublisher { ArtifactPublisher(root: root) }

    /// Whether the bindings of a module are read from this item: one of its targets is enough.
    private func showsBindings(_ item: Item) -> Bool { readsBindings && item.target == 0 }

    package func prepare(_ item: Item, _ publisher: ArtifactPublisher) -> Preparation<SourceSnapshot, Outcome> {
        let snapshot: SourceSnapshot
        do throws(SourceProblem) {
            snapshot =
                if let known = item.snapshot { known } else {
                    try SourceReader(root: root).read(item.path, scanned: item.stamp)
                }
        } catch {
            switch error {
            case .gone: return .finished(.vanished)
            case .diagnostic(let diagnostic, _): return .finished(.unreadable(diagnostic))
            }
        }
        if let made = restore(item, snapshot, publisher) { return .finished(.made(made)) }
        return .request(
            CompileRequest(
                identifier: 0, level: targets[item.target].key.level, wantsCode: writes || showsBindings(item),
                fileName: rootPath.appending(item.path), source: snapshot.bytes), snapshot)
    }

    /// Publishes code from the store; `nil` if it is not there.
    private func restore(_ item: Item, _ snapshot: SourceSnapshot, _ publisher: ArtifactPublisher) -> Made? {
        let target = targets[item.target]
        guard restores, writes,
            let code = store?.restore(
                snapshot.state.fingerprint, target.interpreter, target.key.level,
                fileName: rootPath.appending(item.path))
        else { return nil }
        return Made(
            source: snapshot.state, diagnostics: code.diagnostics, microseconds: code.microseconds,
            publication: publish(code.body, item, snapshot, publisher),
            bindings: showsBindings(item) ? target.interpreter.bindings(of: code.body[...]) : nil, isRestored: true)
    }

    package func finish(
        _ item: Item, _ snapshot: SourceSnapshot, _ result: CompileResult, _ publisher: ArtifactPublisher
    ) -> Outcome {
        let target = targets[item.target]
        switch CompileVerdict(result, by: target.interpreter, deadline: deadline) {
        case .code(let marshalled, let diagnostics, let microseconds):
            var publication: Result<PublishedArtifact, SystemError>?
            if writes {
                let code = CompiledCode(marshalled, of: target.interpreter)
                let published = publish(code.body, item, snapshot, publisher)
                if case .success = published {
                    store?.keep(
                        code, diagnostics, microseconds, source: snapshot.state.fingerprint, target.interpreter,
                        target.key.level)
                }
                publication = published
            }
            return .made(
                Made(
                    source: snapshot.state, diagnostics: diagnostics, microseconds: microseconds,
                    publication: publication,
                    bindings: showsBindings(item) ? target.interpreter.bindings(of: marshalled) : nil,
                    isRestored: false))
        case .refused(let diagnostics, let microseconds, _):
            return .refused(
                snapshot.state, diagnostics, microseconds: microseconds,
                problem: writes ? targets.discard(item.path, rejectedBy: target, publisher) : nil)
        case .unavailable(let diagnostic): return .unavailable(diagnostic)
        }
    }

    private func publish(
        _ code: [UInt8], _ item: Item, _ snapshot: SourceSnapshot, _ publisher: ArtifactPublisher
    ) -> Result<PublishedArtifact, SystemError> {
        Result { () throws(SystemError) in
            try targets[item.target].publish(code, item.path, snapshot, mode: mode, publisher)
        }
    }
}

extension [ArtifactTarget] {
    /// Removes the bytecode of a source that the compiler rejects for one of these targets: import would run it instead of
    /// the source.
    ///
    /// - Returns: the diagnostic if that failed.
    func discard(_ source: BytePath, rejectedBy target: ArtifactTarget, _ publisher: ArtifactPublisher) -> Diagnostic? {
        // The compiler rejects it at every level, so other levels are removed too, except those that are targets.
        let others = OptimizationLevel.allCases.filter { level in
            level != target.key.level
                && !contains { $0.key.interpreter == target.key.interpreter && $0.key.level == level }
        }
        for level in [target.key.level] + others {
            let place = ArtifactPlace(cacheTag: target.interpreter.cacheTag, level: level)
            if let diagnostic = publisher.discard(place.path(of: source)) { return diagnostic }
        }
        return nil
    }
}
