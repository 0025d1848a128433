// Decides whether an artifact is stale, and why. Reads no files: stamps, headers and hashes are passed in.

import BasicTypes

/// Why an artifact is not left as it is. The raw value is shown to users and used in machine formats.
package enum StalenessReason: String, Sendable, CaseIterable {
    case noBytecode = "no-bytecode"
    case neverBuilt = "never-built"
    case forced
    case interpreterChanged = "interpreter-changed"
    case modeChanged = "mode-changed"
    case sizeDiffers = "size-differs"
    case contentsDiffer = "contents-differ"
    case headerDiffers = "header-differs"
    case truncated
    case damaged
    case touched
    case guardOver = "guard-over"
    case retried
}

/// What to do about one artifact.
package enum Staleness: Hashable, Sendable {
    case upToDate
    /// The code is right but the header is not: only the header is rewritten.
    case reseal(StalenessReason)
    case recompile(StalenessReason)
    /// The source does not compile, so its bytecode must be deleted: import would run it instead of the source.
    case discard
}

/// The result of comparing stamps only.
package enum Glance: Hashable, Sendable {
    case decided(Staleness)
    /// The source, the artifact or both must be read to decide.
    case mustRead
}

/// The result of reading an artifact and comparing it with the trace.
package enum ArtifactEvidence: Hashable, Sendable {
    /// Nothing differs from the trace; the file now has this stamp.
    case intact(Stamp)
    case missing
    case differs(StalenessReason)
}

/// The staleness rules.
package struct StalenessJudge: Sendable {
    package var options: BuildOptions
    /// Nanoseconds since 1970.
    package var now: Int64
    /// Whether to reseal artifacts whose guard is over. A run that has nothing else to do leaves them: they are valid,
    /// and a second run on an unchanged tree must write nothing.
    package var resealsGuarded: Bool
    /// The time limit for one file, in nanoseconds.
    package var deadline: Int64

    package init(options: BuildOptions, now: Int64, resealsGuarded: Bool, deadline: Int64 = .max) {
        self.options = options
        self.now = now
        self.resealsGuarded = resealsGuarded
        self.deadline = deadline
    }

    /// Judges by stamps.
    ///
    /// - Parameters:
    ///   - stamp: the source's current stamp.
    ///   - artifact: the artifact's current stamp; `nil` if there is no file.
    package func glance(record: ModuleRecord?, key: ArtifactKey, stamp: Stamp, artifact: Stamp?) -> Glance {
        if options.isForced { return .decided(.recompile(.forced)) }
        guard let record, let trace = record.trace(key) else {
            return .decided(.recompile(artifact == nil && !options.isCheckOnly ? .noBytecode : .neverBuilt))
        }
        guard trace.fingerprint == record.source.fingerprint else {
            return .decided(.recompile(.contentsDiffer))
        }
        if record.source.stamp.size != stamp.size { return .decided(.recompile(.sizeDiffers)) }
        if trace.mayPass(deadline: deadline) { return .decided(.recompile(.retried)) }
        guard record.source.stamp == stamp, !record.source.isRacy else { return .mustRead }
        if options.isCheckOnly { return .decided(.upToDate) }
        switch trace.outcome {
        case .failed: return .decided(artifact == nil ? .upToDate : .discard)
        case .compiles: return .decided(.recompile(.noBytecode))
        case .published(let published):
            guard let artifact else { return .decided(.recompile(.noBytecode)) }
            guard artifact == published.stamp else { return .mustRead }
            return .decided(header(of: published, stamp: stamp))
        }
    }

    /// Judges by contents, where stamps could not decide.
    ///
    /// - Parameters:
    ///   - fingerprint: of the source, as just read.
    ///   - evidence: of the artifact. If the source did not compile, whether there is one.
    package func judge(
        trace: Trace, stamp: Stamp, fingerprint: Fingerprint, evidence: ArtifactEvidence
    ) -> Staleness {
        guard trace.fingerprint == fingerprint else { return .recompile(.contentsDiffer) }
        if trace.mayPass(deadline: deadline) { return .recompile(.retried) }
        if options.isCheckOnly { return .upToDate }
        switch trace.outcome {
        case .failed: return evidence == .missing ? .upToDate : .discard
        case .compiles: return .recompile(.noBytecode)
        case .published(let published):
            switch evidence {
            case .missing: return .recompile(.noBytecode)
            case .differs(let reason): return .recompile(reason)
            case .intact: return header(of: published, stamp: stamp)
            }
        }
    }

    /// Whether the header of an otherwise valid artifact needs resealing.
    private func header(of published: PublishedArtifact, stamp: Stamp) -> Staleness {
        if published.isGuarded, options.invalidation == .timestamp {
            // The header of an interpreter without hashes is one that no source matches, so that import ignores the code:
            // only until the second is over.
            let mustReseal = resealsGuarded || published.mode == .timestamp
            return mustReseal && isGuardOver(stamp) ? .reseal(.guardOver) : .upToDate
        }
        guard published.mode == options.invalidation else { return .reseal(.modeChanged) }
        guard published.mode == .timestamp else { return .upToDate }
        let speaks = published.seconds == stamp.headerSeconds && published.size == stamp.headerSize
        return speaks ? .upToDate : .reseal(.touched)
    }

    /// Whether a further save can no longer have the second in the header.
    package func isGuardOver(_ stamp: Stamp) -> Bool { !Self.needsGuard(stamp, readAt: now) }

    /// Whether a source that was read at `now` (nanoseconds since 1970) could be saved again with the same second and
    /// size in its header.
    ///
    /// What counts is when the file was *read*, not when its bytecode is published: otherwise an edit between the two,
    /// in the same second as the first save, would go unnoticed. The kernel stamps files with a clock that lags by up
    /// to a tick, hence the window.
    package static func needsGuard(_ stamp: Stamp, readAt now: Int64) -> Bool {
        FileTime(nanoseconds: now - SourceState.racyWindow(of: stamp)).seconds <= stamp.modified.importSecond
    }
}
