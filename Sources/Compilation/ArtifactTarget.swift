// A build target, one interpreter at one optimization level: where its artifacts are, and what their headers contain.

import BasicTypes
import BuildModel
import Bytecode
import FileWatching
import Interpreters
import LinuxSystem

/// An interpreter and an optimization level. Every source in scope gets one artifact for each target.
///
/// A class, because every file that is made looks at it: as a structure with a dozen strings it was copied each time.
package final class ArtifactTarget: Sendable {
    package let key: ArtifactKey
    package let interpreter: Interpreter
    package let place: ArtifactPlace

    package init(key: ArtifactKey, interpreter: Interpreter) {
        self.key = key
        self.interpreter = interpreter
        place = ArtifactPlace(cacheTag: interpreter.cacheTag, level: key.level)
    }

    /// A header, and the values that the trace stores for it.
    package struct Seal {
        package let header: [UInt8]
        package let mode: InvalidationMode
        package let seconds: UInt32
        package let size: UInt32
        package let isGuarded: Bool

        package init(header: [UInt8], mode: InvalidationMode, seconds: UInt32, size: UInt32, isGuarded: Bool) {
            self.header = header
            self.mode = mode
            self.seconds = seconds
            self.size = size
            self.isGuarded = isGuarded
        }
    }

    /// Makes the header for code that was compiled from a source.
    ///
    /// - Parameters:
    ///   - stamp: the stamp of the source.
    ///   - source: the bytes of the source, for the hash modes.
    ///   - isGuarded: whether a later save could leave the same second and size.
    package func seal(stamp: Stamp, source: [UInt8], mode: InvalidationMode, isGuarded: Bool) -> Seal {
        let guards = isGuarded && mode == .timestamp
        let length = interpreter.layout.rawValue
        let sealedMode: InvalidationMode = guards && interpreter.sourceHash != nil ? .checkedHash : mode
        if sealedMode != .timestamp, let variant = interpreter.sourceHash {
            let hash = source.withUnsafeBytes { variant.hash($0, key: UInt64(interpreter.magic)) }
            let header = PycHeader(
                magic: interpreter.magic, validation: .hash(hash, isChecked: sealedMode == .checkedHash))
            return Seal(
                header: header.bytes(length: length), mode: sealedMode, seconds: 0, size: 0, isGuarded: guards)
        }
        // An interpreter without hash-based bytecode gets a header that no save can match, so import compiles the
        // source itself until the second is over. No source has 4 GiB - 1 bytes. The header of Python 2.7 has no size,
        // but it reads these seconds as -1, and rejects sources from before 1970.
        let seconds = guards ? .max : stamp.headerSeconds
        let size = guards ? .max : stamp.headerSize
        let header = PycHeader(magic: interpreter.magic, validation: .timestamp(seconds: seconds, size: size))
        return Seal(
            header: header.bytes(length: length), mode: .timestamp, seconds: seconds, size: size, isGuarded: guards)
    }

    /// Publishes code that was compiled from this snapshot.
    package func publish(
        _ code: [UInt8], _ source: BytePath, _ snapshot: SourceSnapshot, mode: InvalidationMode,
        _ publisher: ArtifactPublisher
    ) throws(SystemError) -> PublishedArtifact {
        let seal = seal(
            stamp: snapshot.state.stamp, source: snapshot.bytes, mode: mode, isGuarded: snapshot.needsGuard)
        let stamp = try publisher.publish(
            place.path(of: source), header: seal.header, body: code, permissions: snapshot.permissions)
        return PublishedArtifact(
            stamp: stamp, body: code.withUnsafeBytes(BodyHash.of), mode: seal.mode, seconds: seal.seconds,
            size: seal.size, isGuarded: seal.isGuarded)
    }

    /// The exact header that a published artifact must have.
    package func expectedHeader(of published: PublishedArtifact, source: [UInt8]) -> [UInt8] {
        let validation: PycValidation
        if published.mode != .timestamp, let variant = interpreter.sourceHash {
            let hash = source.withUnsafeBytes { variant.hash($0, key: UInt64(interpreter.magic)) }
            validation = .hash(hash, isChecked: published.mode == .checkedHash)
        } else {
            validation = .timestamp(seconds: published.seconds, size: published.size)
        }
        return PycHeader(magic: interpreter.magic, validation: validation).bytes(length: interpreter.layout.rawValue)
    }
}

extension ArtifactPlace {
    package init(cacheTag: String, level: OptimizationLevel) {
        let path = CachePath(cacheTag: cacheTag, level: level.rawValue)
        self.init(directory: path.directory, suffix: path.suffix) { path.fileName(source: $0) }
    }
}
