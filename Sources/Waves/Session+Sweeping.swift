// Removes what nothing owns: temporary files of killed processes, and bytecode without a source.

import BasicTypes
import BuildModel
import Compilation
import FileWatching

extension Session {
    /// Removes temporary files after a crash: they may be in any `__pycache__`.
    package func sweepIfNeeded(_ result: ScanResult) {
        guard mustSweep, !configuration.options.isCheckOnly else { return }
        for directory in result.directories { ArtifactPublisher.sweepTemporaries(in: directory, root: root) }
    }

    /// Removes the temporary files that are left in the `__pycache__` of a directory, including those of this process.
    package func sweepTemporaries(in directory: BytePath) {
        guard !configuration.options.isCheckOnly else { return }
        ArtifactPublisher.sweepTemporaries(in: directory, root: root)
    }

    /// Removes bytecode without a source after a directory was moved or copied here: its `__pycache__` may contain
    /// bytecode of sources that were deleted before. Checks only directories with unrecorded sources, or without
    /// sources.
    package func sweepOrphans(_ result: ScanResult) {
        guard !configuration.options.isCheckOnly, !result.caches.isEmpty else { return }
        var settled = Set(result.settledDirectories)
        var unsettled: Set<BytePath> = []
        var directory: BytePath?
        // The sources of a directory follow one another.
        for source in result.sources {
            let isRecorded = record(source.path) != nil
            if isRecorded, let directory, source.path.isDirectly(in: directory) { continue }
            let parent = source.path.parent
            if isRecorded { settled.insert(parent) } else { unsettled.insert(parent) }
            directory = parent
        }
        sweepOrphans(in: result.caches.filter { !settled.contains($0) || unsettled.contains($0) })
    }

    /// Removes bytecode without a source from the `__pycache__` of these directories.
    package func sweepOrphans(in directories: [BytePath]) {
        // Longest first: one suffix may be the end of another.
        let places = interpreters.known.flatMap { interpreter in
            OptimizationLevel.allCases.reversed().map { ArtifactPlace(cacheTag: interpreter.cacheTag, level: $0) }
        }
        let suffixes = places.filter { !$0.directory.isEmpty }.map(\.suffix)
        for directory in directories {
            ArtifactPublisher.sweepOrphans(in: directory, suffixes: suffixes, root: root)
        }
    }
}
