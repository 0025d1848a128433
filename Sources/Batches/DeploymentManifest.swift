// Writes the manifest of a deployment: each source and bytecode file with its hash. OUTPUT.md and
// config/manifest.schema.json describe its JSON form.

import BasicTypes
import BuildModel
import LinuxSystem

/// The manifest of a deployment. It depends on nothing but the tree and the options, so the same tree gives the same bytes.
package struct DeploymentManifest: Encodable, Sendable {
    package struct Source: Encodable, Sendable {
        /// Relative to the deployed directory.
        let path: String
        let pathBytes: String?
        let sha256: String?
        let bytecode: [File]
    }

    package struct File: Encodable, Sendable {
        /// Relative to the directory that the bytecode was written to.
        let path: String
        let pathBytes: String?
        let sha256: String?
        let bytes: Int
        let interpreter: String
        let level: UInt8
        let invalidation: String
    }

    package struct Python: Encodable, Sendable {
        let name: String
        let cacheTag: String
        let magic: UInt32
    }

    package struct Skipped: Encodable, Sendable {
        let path: String
        let pathBytes: String?
        let reason: String
    }

    package let schema = 1
    package let interpreters: [Python]
    package let sources: [Source]
    package let skipped: [Skipped]

    /// Reads all files again, as they are now.
    ///
    /// - Parameter base: the directory that source paths are relative to.
    /// - Throws: if a file cannot be read, or bytecode that was just written no longer exists. A missing source has no hash.
    package init(_ result: DeploymentResult, base: Directory, interpreters: [Interpreter]) throws(SystemError) {
        self.interpreters = interpreters.map { Python(name: $0.name, cacheTag: $0.cacheTag, magic: $0.magic) }
        var files: [BytePath: [DeploymentResult.Artifact]] = [:]
        for artifact in result.artifacts { files[artifact.source, default: []].append(artifact) }
        let sorted = files.sorted { $0.key < $1.key }
        let read = ParallelSlices.map(sorted, sliceSize: 16, scratch: {}) { entry, _ in
            Result { () throws(SystemError) in try Self.source(entry.key, entry.value, base: base) }
        }
        var sources: [Source] = []
        for result in read { sources.append(try result.get()) }
        self.sources = sources
        skipped = result.skipped.map {
            Skipped(path: $0.path.description, pathBytes: $0.path.hexadecimalIfNotText, reason: $0.reason)
        }
    }

    private static func source(
        _ path: BytePath, _ artifacts: [DeploymentResult.Artifact], base: Directory
    ) throws(SystemError) -> Source {
        var bytecode: [File] = []
        for artifact in artifacts {
            let path = artifact.place.path
            let hash = try hash(try artifact.place.directory.file(path, .read), path)
            bytecode.append(
                File(
                    path: artifact.name.description, pathBytes: artifact.name.hexadecimalIfNotText,
                    sha256: hash.digits, bytes: hash.count, interpreter: artifact.interpreter.name,
                    level: artifact.level.rawValue, invalidation: artifact.mode.rawValue))
        }
        return Source(
            path: path.description, pathBytes: path.hexadecimalIfNotText, sha256: try sourceDigits(path, base: base),
            bytecode: bytecode.sorted { ($0.path, $0.level) < ($1.path, $1.level) })
    }

    private static func sourceDigits(_ path: BytePath, base: Directory) throws(SystemError) -> String? {
        do throws(SystemError) {
            return try hash(try base.fileFollowingLinks(path), path).digits
        } catch  where error.isMissing {
            return nil
        }
    }

    private static func hash(
        _ file: OwnedDescriptor, _ path: BytePath
    ) throws(SystemError) -> (digits: String, count: Int) {
        let bytes = try file.readAll(expected: 65_536, path: path)
        return (bytes.withUnsafeBytes(SHA256.hexadecimal), bytes.count)
    }
}
