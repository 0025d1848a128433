// A record as a row of `RecordTable`: numbers only, so that a million of them are one block of memory.

import BasicTypes

/// A source, and its only trace if that is the usual one.
struct RecordRow: Sendable {
    /// What is in this row.
    enum Form: UInt8, BitwiseCopyable, Sendable {
        case vacant
        /// A source whose traces are elsewhere.
        case source
        /// A source and its only trace: code that was published, without diagnostics.
        case plain
    }

    /// A stamp; its device is a number of a `DevicePool`.
    struct PackedStamp: BitwiseCopyable, Sendable {
        var inode: UInt64 = 0
        var size: Int64 = 0
        var modified: Int64 = 0
        var changed: Int64 = 0
        var modifiedNanosecond: Int32 = 0
        var changedNanosecond: Int32 = 0
        var device: UInt32 = 0
    }

    // In an order without gaps: a stamp leaves four bytes before the next number of eight.
    var source = PackedStamp()
    private var isRacy = false
    private var isGuarded = false
    private var form = Form.vacant
    private var artifact = PackedStamp()
    var place = PathPool.Place(directory: 0, start: 0, length: 0)
    private var seconds: UInt32 = 0
    private var size: UInt32 = 0
    private var microseconds: UInt32 = 0
    private var interpreter: UInt16 = 0
    private var level: UInt8 = 0
    private var mode: UInt8 = 0
    private var fingerprint = Fingerprint(high: 0, low: 0)
    private var body: UInt64 = 0
    private var clock: UInt64 = 0

    static let vacant = RecordRow()

    private init() {}

    /// A source without traces.
    init(_ state: SourceState, at place: PathPool.Place, _ devices: inout DevicePool) {
        source = PackedStamp(state.stamp, &devices)
        fingerprint = state.fingerprint
        isRacy = state.isRacy
        form = .source
        self.place = place
    }

    /// `nil` if the traces do not fit into a row.
    init?(_ record: ModuleRecord, at place: PathPool.Place, _ devices: inout DevicePool) {
        guard record.traces.count == 1, let trace = record.traces.first, let published = trace.published,
            trace.diagnostics.isEmpty, trace.fingerprint == record.source.fingerprint,
            let interpreter = UInt16(exactly: trace.key.interpreter.rawValue),
            let mode = InvalidationMode.allCases.firstIndex(of: published.mode)
        else { return nil }
        self.init(record.source, at: place, &devices)
        artifact = PackedStamp(published.stamp, &devices)
        seconds = published.seconds
        size = published.size
        body = published.body
        isGuarded = published.isGuarded
        self.mode = UInt8(truncatingIfNeeded: mode)
        self.interpreter = interpreter
        level = trace.key.level.rawValue
        microseconds = trace.microseconds
        clock = trace.clock
        form = .plain
    }

    var isVacant: Bool { form == .vacant }
    var isPlain: Bool { form == .plain }
    var interpreterID: InterpreterID { InterpreterID(rawValue: Int(interpreter)) }

    func state(_ devices: DevicePool) -> SourceState {
        SourceState(stamp: source.stamp(devices), fingerprint: fingerprint, isRacy: isRacy)
    }

    /// The trace of a plain row.
    func trace(_ fingerprint: Fingerprint, _ devices: DevicePool) -> Trace {
        let published = PublishedArtifact(
            stamp: artifact.stamp(devices), body: body, mode: InvalidationMode.allCases[Int(mode)], seconds: seconds,
            size: size, isGuarded: isGuarded)
        let key = ArtifactKey(
            interpreter: interpreterID,
            level: OptimizationLevel(rawValue: level) ?? .none)
        return Trace(
            key: key, fingerprint: fingerprint, outcome: .published(published), diagnostics: [],
            microseconds: microseconds, clock: clock)
    }

    /// The same row in a table with other pools.
    func moved(_ paths: PathPool.Move, _ devices: [UInt32]) -> RecordRow {
        var row = self
        guard !isVacant else { return row }
        row.place = paths.moved(place)
        row.source.device = devices[Int(source.device)]
        if isPlain { row.artifact.device = devices[Int(artifact.device)] }
        return row
    }
}

extension RecordRow.PackedStamp {
    init(_ stamp: Stamp, _ devices: inout DevicePool) {
        inode = stamp.inode
        size = stamp.size
        modified = stamp.modified.seconds
        modifiedNanosecond = stamp.modified.nanosecond
        changed = stamp.changed.seconds
        changedNanosecond = stamp.changed.nanosecond
        device = devices.number(of: stamp.device)
    }

    func stamp(_ devices: DevicePool) -> Stamp {
        Stamp(
            device: devices[device], inode: inode, size: size,
            modified: FileTime(seconds: modified, nanosecond: Int(modifiedNanosecond)),
            changed: FileTime(seconds: changed, nanosecond: Int(changedNanosecond)))
    }
}

/// The devices of all stamps. There are few.
struct DevicePool: Sendable {
    private var devices: [UInt64] = []
    private var numbers: [UInt64: UInt32] = [:]

    subscript(number: UInt32) -> UInt64 { devices[Int(number)] }

    mutating func number(of device: UInt64) -> UInt32 {
        if let last = devices.last, last == device { return UInt32(truncatingIfNeeded: devices.count - 1) }
        if let known = numbers[device] { return known }
        let number = UInt32(truncatingIfNeeded: devices.count)
        devices.append(device)
        numbers[device] = number
        return number
    }

    /// Adds the devices of another pool; returns their new numbers.
    mutating func append(_ other: DevicePool) -> [UInt32] {
        var numbers: [UInt32] = []
        for device in other.devices { numbers.append(number(of: device)) }
        return numbers
    }
}
