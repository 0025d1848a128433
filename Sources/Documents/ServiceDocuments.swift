// The daemon's answers to `wait`, `status` and `why` as JSON.

/// The answer to `wait`: all bytecode in scope reflects the tree at the time of the request, or later.
package struct WaitDocument: Codable, Sendable {
    package var clock: UInt64
    package var modules: Int
    /// Sources that do not compile, or could not be read or written.
    package var failed: Int
    /// The first of these, by path.
    package var failing: [String]?
    /// The places that the daemon keeps up to date, relative to the root.
    package var watched: [String]?

    package init(clock: UInt64, modules: Int, failed: Int, failing: [String], watched: [String]) {
        self.clock = clock
        self.modules = modules
        self.failed = failed
        self.failing = failing
        self.watched = watched
    }
}

/// The answer to `status`.
package struct StatusDocument: Codable, Sendable {
    package struct Watches: Codable, Sendable {
        package var directories: Int
        package var used: Int
        /// fs.inotify.max_user_watches; 0 if it cannot be read.
        package var allowed: Int

        package init(directories: Int, used: Int, allowed: Int) {
            self.directories = directories
            self.used = used
            self.allowed = allowed
        }
    }

    package struct Workers: Codable, Sendable {
        package var running: Int
        package var replaced: Int
        package var processes: [Int32]

        package init(running: Int, replaced: Int, processes: [Int32]) {
            self.running = running
            self.replaced = replaced
            self.processes = processes
        }
    }

    package struct Imports: Codable, Sendable {
        package var edges: Int
        package var findings: Int
        /// How long the import analysis of the last wave took, from reading sources to findings.
        package var lastMicroseconds: Int64

        package init(edges: Int, findings: Int, lastMicroseconds: Int64) {
            self.edges = edges
            self.findings = findings
            self.lastMicroseconds = lastMicroseconds
        }
    }

    package var schema = 1
    package var version: String
    package var process: Int32
    package var root: String
    package var socket: String
    package var clock: UInt64
    /// `idle`, `settling`, `building`, or `blocked` if nothing can be compiled; `problem` then says why.
    package var phase: String
    package var problem: String?
    package var modules: Int
    package var failed: Int
    /// Sources and directories that have not been checked yet.
    package var queue: Int
    package var watches: Watches
    /// Directories that are polled because they cannot be watched, and why.
    package var polled: [String]
    package var pollReason: String?
    package var overflows: Int
    package var rescans: Int
    package var workers: Workers
    /// The memory of the daemon in bytes, without its workers.
    package var memory: Int
    /// `nil` until the watch is ready.
    package var imports: Imports?
    package var interpreters: [ReportDocument.Python]
    /// Seconds.
    package var uptime: Double
    /// Seconds since the last wave or request ended; `nil` until the watch is ready.
    package var sinceLastCheck: Double?
    /// The places that the daemon keeps up to date, relative to the root.
    package var watched: [String]?
    /// The findings that there are now, by severity; `nil` until the watch is ready.
    package var findings: Findings?

    package struct Findings: Codable, Sendable {
        package var errors: Int
        package var warnings: Int
        package var notes: Int

        package init(errors: Int, warnings: Int, notes: Int) {
            self.errors = errors
            self.warnings = warnings
            self.notes = notes
        }
    }

    package init(
        schema: Int = 1, version: String, process: Int32, root: String, socket: String, clock: UInt64, phase: String,
        problem: String? = nil, modules: Int, failed: Int, queue: Int, watches: Watches, polled: [String],
        pollReason: String? = nil,
        overflows: Int, rescans: Int, workers: Workers, memory: Int, imports: Imports? = nil,
        interpreters: [ReportDocument.Python], uptime: Double, sinceLastCheck: Double? = nil,
        watched: [String]? = nil, findings: Findings? = nil
    ) {
        self.schema = schema
        self.version = version
        self.process = process
        self.root = root
        self.socket = socket
        self.clock = clock
        self.phase = phase
        self.problem = problem
        self.modules = modules
        self.failed = failed
        self.queue = queue
        self.watches = watches
        self.polled = polled
        self.pollReason = pollReason
        self.overflows = overflows
        self.rescans = rescans
        self.workers = workers
        self.memory = memory
        self.sinceLastCheck = sinceLastCheck
        self.watched = watched
        self.findings = findings
        self.imports = imports
        self.interpreters = interpreters
        self.uptime = uptime
    }
}

/// The answer to `why`.
package struct WhyDocument: Codable, Sendable {
    package struct Artifact: Codable, Sendable {
        package var interpreter: String
        package var level: UInt8
        package var path: String
        /// `up-to-date`, `restamp`, `recompile` or `discard`; `failed` if this version of the source does not compile.
        package var state: String
        package var reason: String?
        package var mode: String?
        package var isGuarded: Bool
        /// The wave that built it; 0 for never.
        package var clock: UInt64
        package var microseconds: UInt32

        package init(
            interpreter: String, level: UInt8, path: String, state: String, reason: String? = nil, mode: String? = nil,
            isGuarded: Bool, clock: UInt64, microseconds: UInt32
        ) {
            self.interpreter = interpreter
            self.level = level
            self.path = path
            self.state = state
            self.reason = reason
            self.mode = mode
            self.isGuarded = isGuarded
            self.clock = clock
            self.microseconds = microseconds
        }
    }

    package struct Import: Codable, Sendable {
        package var line: Int
        package var kind: String
        package var statement: String
        /// `resolved`, `external`, `missing`, `ambiguous` or `unknown`.
        package var state: String
        /// Sources that it names.
        package var to: [String]

        package init(line: Int, kind: String, statement: String, state: String, to: [String]) {
            self.line = line
            self.kind = kind
            self.statement = statement
            self.state = state
            self.to = to
        }
    }

    package var schema = 1
    package var path: String
    /// `known`, `unknown` (in scope, never built), `out-of-scope` or `missing`.
    package var state: String
    package var artifacts: [Artifact]
    package var diagnostics: [ReportDocument.Finding]
    package var imports: [Import]
    package var importedBy: [String]

    package init(
        schema: Int = 1, path: String, state: String, artifacts: [Artifact], diagnostics: [ReportDocument.Finding],
        imports: [Import], importedBy: [String]
    ) {
        self.schema = schema
        self.path = path
        self.state = state
        self.artifacts = artifacts
        self.diagnostics = diagnostics
        self.imports = imports
        self.importedBy = importedBy
    }
}
