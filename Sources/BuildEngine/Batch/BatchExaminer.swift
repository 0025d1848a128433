// What can be done for a job without a compiler: nothing at all, a new header, or code from the store.
// Knows: one job at a time. Does not know: workers; many of these run side by side.
//
// There is no database here to say where bytecode came from. It is taken for valid where import would take it: right
// magic number, a header that speaks for this very source, and, beyond what import asks, a body that reads to its last
// byte and is canonical code of this file name.

import BuildDatabase
import BuildModel
import Bytecode
import LinuxSystem

/// Examines jobs; a value, so that slices of a batch can share it.
struct BatchExaminer: Sendable {
    let targets: [BatchTarget]
    let options: BatchOptions
    let store: CodeStore?

    /// - Returns: `nil` where it must be compiled.
    func examine(_ job: BatchJob, _ publishers: BatchPublishers) -> BatchResult? {
        let snapshot: SourceSnapshot
        do throws(SourceProblem) {
            snapshot = try SourceReader(root: job.source.directory).read(job.source.path)
        } catch {
            return BatchResult(outcome: .problem(error.diagnostic))
        }
        let target = targets[job.interpreter]
        do throws(SystemError) {
            for place in [job.output, job.existing].compactMap({ $0 }) where options.reuse == .valid {
                guard let valid = ValidBytecode(place, job, target.interpreter, snapshot) else { continue }
                let isInPlace = place.directory === job.output.directory && place.path == job.output.path
                return BatchResult(
                    outcome: try reseal(valid, isInPlace ? place : nil, job, snapshot, publishers) ? .resealed : .upToDate)
            }
        } catch {
            return BatchResult(outcome: .problem(.unwritable(job.output.path, error)))
        }
        return restore(job, snapshot, publishers)
    }

    private func restore(
        _ job: BatchJob, _ snapshot: SourceSnapshot, _ publishers: BatchPublishers
    ) -> BatchResult? {
        let target = targets[job.interpreter]
        guard
            let code = store?.restore(
                snapshot.state.fingerprint, target.interpreter, job.level, fileName: job.fileName)
        else { return nil }
        do throws(SystemError) {
            try publishers[job.output.directory].publish(
                job.output.path, header: target.header(for: snapshot, options), body: code.body,
                permissions: snapshot.permissions, modified: options.modified)
            return BatchResult(outcome: .restored, diagnostics: code.diagnostics)
        } catch {
            return BatchResult(outcome: .problem(.unwritable(job.output.path, error)), diagnostics: code.diagnostics)
        }
    }

    /// Puts valid code where it is wanted, under the header that is wanted.
    ///
    /// - Parameter place: where it is, if that is where it is wanted.
    /// - Returns: whether anything was written.
    private func reseal(
        _ valid: ValidBytecode, _ place: BatchPlace?, _ job: BatchJob, _ snapshot: SourceSnapshot,
        _ publishers: BatchPublishers
    ) throws(SystemError) -> Bool {
        let header = targets[job.interpreter].header(for: snapshot, options)
        if place != nil, valid.isExact {
            if valid.header == header { return false }
            if try publishers[job.output.directory].reseal(job.output.path, stamp: valid.stamp, header: header, modified: options.modified) {
                return true
            }
        }
        try publishers[job.output.directory].publish(
            job.output.path, header: header, body: valid.body, permissions: snapshot.permissions, modified: options.modified)
        return true
    }
}

/// Bytecode that speaks for a source.
private struct ValidBytecode {
    let stamp: Stamp
    let header: [UInt8]
    /// Canonical, with the file name that is wanted.
    let body: [UInt8]
    /// Whether the file's own body is that already.
    let isExact: Bool

    init?(_ place: BatchPlace, _ job: BatchJob, _ interpreter: Interpreter, _ snapshot: SourceSnapshot) {
        guard let layout = interpreter.layoutOfCode, let file = try? place.directory.file(place.path, .read),
            let status = try? file.status(place.path), status.kind == .regular,
            let bytes = try? file.readAll(expected: Int(clamping: status.stamp.size), path: place.path)
        else { return nil }
        let length = interpreter.layout.rawValue
        let canonical = bytes.withUnsafeBytes { bytes -> (body: [UInt8], isExact: Bool)? in
            guard let header = PycHeader(bytes, length: length), header.magic == interpreter.magic,
                Self.isValid(header.validation, interpreter, snapshot)
            else { return nil }
            let body = UnsafeRawBufferPointer(rebasing: bytes[length...])
            guard let arena = try? MarshalReader.read(body, layout: layout), arena.length == body.count,
                let canonical = CanonicalMarshal(arena, body: body, fileName: Array(job.fileName.bytes))
            else { return nil }
            return (canonical.body, canonical.hasBody(body))
        }
        guard let canonical else { return nil }
        stamp = status.stamp
        header = Array(bytes.prefix(length))
        body = canonical.body
        isExact = canonical.isExact
    }

    private static func isValid(
        _ validation: PycValidation, _ interpreter: Interpreter, _ snapshot: SourceSnapshot
    ) -> Bool {
        let stamp = snapshot.state.stamp
        switch validation {
        case .timestamp(let seconds, let size):
            // Within the second of a save, the same time and size may speak for what was there before.
            return seconds == stamp.headerSeconds && (size ?? stamp.headerSize) == stamp.headerSize
                && !snapshot.needsGuard
        case .hash(let hash, _):
            guard let variant = interpreter.sourceHash else { return false }
            return snapshot.bytes.withUnsafeBytes { variant.hash($0, key: UInt64(interpreter.magic)) } == hash
        }
    }
}

/// One interpreter of a batch.
struct BatchTarget: Sendable {
    let id: InterpreterID
    let interpreter: Interpreter

    /// The header for code that was compiled from this snapshot. Unlike a watch's, it is never guarded against another
    /// save within the second: what is shipped is not edited.
    func header(for snapshot: SourceSnapshot, _ options: BatchOptions) -> [UInt8] {
        var stamp = snapshot.state.stamp
        if let epoch = options.epoch { stamp.modified = min(stamp.modified, epoch * 1_000_000_000) }
        return ArtifactTarget(key: ArtifactKey(interpreter: id, level: .none), interpreter: interpreter)
            .seal(stamp: stamp, source: snapshot.bytes, mode: options.mode, isGuarded: false).header
    }
}

extension SourceProblem {
    /// For whoever has named the source.
    var diagnostic: Diagnostic {
        switch self {
        case .gone: Diagnostic(.unreadable, .error, message: "the file is gone; run again")
        case .diagnostic(let diagnostic): diagnostic
        }
    }
}
