// Compares a bytecode file with its trace.

import BasicTypes
import BuildModel
import LinuxSystem

/// Reads artifacts below a root.
package struct ArtifactInspector: Sendable {
    package let root: Directory

    package init(root: Directory) {
        self.root = root
    }

    /// Compares an artifact with what was published. Reads the file only if its stamp has changed.
    ///
    /// - Parameter expectedHeader: the header that the artifact was published with.
    package func inspect(_ path: BytePath, published: PublishedArtifact, expectedHeader: () -> [UInt8])
        -> ArtifactEvidence
    {
        do throws(SystemError) {
            let file = try root.file(path, .read)
            let status = try file.status(path)
            guard status.kind == .regular else { return .differs(.damaged) }
            if status.stamp == published.stamp { return .intact(status.stamp) }
            guard status.stamp.size == published.stamp.size else {
                return .differs(status.stamp.size < published.stamp.size ? .truncated : .damaged)
            }
            let bytes = try file.readAll(expected: Int(status.stamp.size), path: path)
            let expected = expectedHeader()
            guard bytes.count >= expected.count else { return .differs(.truncated) }
            guard bytes.prefix(4) == expected.prefix(4) else { return .differs(.interpreterChanged) }
            guard bytes.starts(with: expected) else { return .differs(.headerDiffers) }
            let body = bytes.withUnsafeBytes { BodyHash.of(UnsafeRawBufferPointer(rebasing: $0[expected.count...])) }
            return body == published.body ? .intact(status.stamp) : .differs(.damaged)
        } catch {
            // If we cannot read the file, import cannot either.
            return error.isMissing ? .missing : .differs(.damaged)
        }
    }

    /// The code of an artifact, without its header; `nil` if it is not what was published.
    package func body(_ path: BytePath, published: PublishedArtifact, headerLength: Int) -> [UInt8]? {
        guard let file = try? root.file(path, .read),
            let bytes = try? file.readAll(expected: Int(clamping: published.stamp.size), path: path),
            bytes.count >= headerLength
        else { return nil }
        let body = Array(bytes[headerLength...])
        return body.withUnsafeBytes(BodyHash.of) == published.body ? body : nil
    }
}
