// The diagnostics for bytecode that cannot be written or removed.

import BasicTypes
import BuildModel
import LinuxSystem

extension ArtifactPublisher {
    /// Removes an artifact.
    ///
    /// - Returns: the diagnostic if that failed.
    package func discard(_ artifact: BytePath) -> Diagnostic? {
        do throws(SystemError) {
            try remove(artifact)
            return nil
        } catch {
            return Diagnostic.unremovable(artifact, error)
        }
    }
}

extension Diagnostic {
    /// The diagnostic for bytecode that cannot be written.
    package static func unwritable(_ path: BytePath, _ error: SystemError) -> Diagnostic {
        let hint: String
        if error.isNotDirectory || error.isOfDirectory || error.isLoop {
            hint = "remove or rename what is in its place"
        } else if error.isTooLong {
            hint = "shorten the file's name or --exclude it"
        } else if error.isDenied || error.isReadOnly {
            hint = "make it writable, or use `freshpyc check`, which writes nothing"
        } else {
            hint = "fix that and run again"
        }
        let reason = error.isLoop ? "it is a symbolic link" : error.reason
        let place = unwritablePlace(path, error)
        return Diagnostic(.unwritable, .error, message: "cannot write \(place): \(reason); \(hint)")
    }

    /// What cannot be written: the bytecode file, or its directory and so every file in it.
    package static func unwritablePlace(_ path: BytePath, _ error: SystemError) -> BytePath {
        error.isTooLong || error.isOfDirectory ? path : path.parent
    }

    /// The diagnostic for outdated bytecode that cannot be removed.
    package static func unremovable(_ path: BytePath, _ error: SystemError) -> Diagnostic {
        let hint =
            error.isDenied || error.isReadOnly ? "make \(path.parent) writable" : "remove it yourself"
        return Diagnostic(
            .unwritable, .error, message: "cannot remove \(path), which is out of date: \(error.reason); \(hint)")
    }
}
