// Recognizes sources that are up to date while the tree is scanned, on all processors.

import BasicTypes
import BuildModel
import FileWatching

/// The records of a session at the beginning of a scan, and how they are judged.
struct UnchangedSources: SettledSources {
    private let records: RecordTable
    private let examiner: ModuleExaminer

    init(_ records: RecordTable, _ examiner: ModuleExaminer) {
        self.records = records
        self.examiner = examiner
    }

    func directory(_ path: BytePath) -> UInt32? { records.directory(path) }

    func position(of name: BytePath, in directory: UInt32, stamp: Stamp, artifacts: [Stamp?]) -> UInt32? {
        guard let position = records.position(of: name.bytes, in: directory) else { return nil }
        return isSettled(records[position: position, path: .empty], stamp, artifacts) ? UInt32(position) : nil
    }

    /// Whether a source is up to date, by stamps alone, and there is nothing to report about it.
    func isSettled(_ record: ModuleRecord, _ stamp: Stamp, _ artifacts: [Stamp?]) -> Bool {
        guard record.traces.allSatisfy({ !$0.isFailure && $0.diagnostics.isEmpty }) else { return false }
        return examiner.glance(stamp, artifacts, record: record)?.isEmpty ?? false
    }
}
