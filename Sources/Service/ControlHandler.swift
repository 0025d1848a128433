// What each method of the control socket does.
// Knows: the session and its continuous build. Does not know: sockets or command lines.

import BasicTypes
import BuildModel
import ContinuousBuilds
import Documents
import LinuxSystem
import Waves

/// Answers requests. Lives on the loop.
final class ControlHandler {
    private let version: String
    private let session: Session
    private let build: ContinuousBuild
    private let identity: String
    private let socket: () -> BytePath
    private let stop: () -> Void
    private let begun = Host.monotonic

    init(
        version: String, session: Session, build: ContinuousBuild, identity: String, socket: @escaping () -> BytePath,
        stop: @escaping () -> Void
    ) {
        self.version = version
        self.session = session
        self.build = build
        self.identity = identity
        self.socket = socket
        self.stop = stop
    }

    func handle(_ request: ControlRequest, _ connection: ControlServer.Connection) {
        let answer = Answer(request.id, connection)
        guard request.jsonrpc == "2.0" else { return answer.refuse(.notRequest) }
        guard let method = ControlMethod(rawValue: request.method) else {
            return answer.refuse(.unknownMethod(request.method))
        }
        let parameters = request.params ?? ControlParameters()
        if let theirs = parameters.version, theirs != version, method != .stop {
            return answer.refuse(.otherVersion(version))
        }
        if let theirs = parameters.configuration, theirs != identity { return answer.refuse(.otherConfiguration) }
        let starts = (parameters.starts ?? [""]).map { BytePath($0) }
        guard starts.allSatisfy({ session.isInStarts($0) }) else { return answer.refuse(.otherConfiguration) }
        switch method {
        case .wait: wait(answer)
        case .build: build(answer, starts, isForced: parameters.force == true)
        case .diagnostics: build(answer, starts, isForced: false)
        case .status: answer.give(status)
        case .why: why(answer, parameters.path)
        case .graph:
            build.barrier { [session] _ in answer.give(json: ControlAnswers.graph(session, parameters).line) }
        case .affected:
            build.barrier { [session] _ in answer.give(ControlAnswers.affected(session, parameters)) }
        case .cycles:
            build.barrier { [session] _ in answer.give(ControlAnswers.cycles(session)) }
        case .subscribe:
            connection.isSubscribed = true
            answer.give(Acknowledgement())
        case .stop:
            answer.give(Acknowledgement())
            stop()
        }
    }

    /// One request's way back. A notification has none.
    private struct Answer {
        private let identifier: RequestIdentifier?
        private let connection: ControlServer.Connection

        init(_ identifier: RequestIdentifier?, _ connection: ControlServer.Connection) {
            self.identifier = identifier
            self.connection = connection
        }

        func give(_ result: some Codable & Sendable) {
            guard identifier != nil else { return }
            connection.send(JSONLine.encode(ControlReply(id: identifier, result: result)))
        }

        /// A result that is JSON already.
        func give(json: [UInt8]) {
            guard let identifier else { return }
            let id = JSONLine.encode(identifier).dropLast()
            let result = String(decoding: json, as: UTF8.self)
            connection.send("{\"id\":\(id),\"jsonrpc\":\"2.0\",\"result\":\(result)}\n")
        }

        func refuse(_ error: ControlError) {
            connection.send(JSONLine.encode(ControlReply<Acknowledgement>(id: identifier, error: error)))
        }
    }

    private func wait(_ answer: Answer) {
        build.barrier { [session, build] _ in
            // What could not be read or written is not there, whoever is to blame.
            let failed = session.failureCount + Set(build.operational.map(\.path)).count
            answer.give(WaitDocument(clock: session.clock, modules: session.moduleCount, failed: failed))
        }
    }

    private func build(_ answer: Answer, _ starts: [BytePath], isForced: Bool) {
        let begun = Host.monotonic
        build.barrier(forces: isForced) { [session, build] tally in
            var report = session.report(on: starts, changes: tally.changes, removed: tally.removed)
            report.diagnostics += build.operational.filter { finding in starts.contains { finding.path.isWithin($0) } }
            report.duration = Host.monotonic - begun
            answer.give(
                ReportDocument(
                    report, verb: "build", root: session.configuration.rootPath,
                    interpreters: session.selectedInterpreters.map { ReportDocument.Python($0) },
                    exitStatus: report.exitStatus))
        }
    }

    private func why(_ answer: Answer, _ path: String?) {
        guard let path, !path.isEmpty else { return answer.refuse(.badParameters("why needs params.path")) }
        build.barrier { [session] _ in answer.give(WhyDocument(session.explanation(of: BytePath(path)))) }
    }

    private var status: StatusDocument {
        let activity = build.activity
        return StatusDocument(
            version: version, process: Host.processIdentifier, root: session.configuration.rootPath.description,
            socket: socket().description, clock: session.clock, phase: activity.phase, modules: session.moduleCount,
            failed: session.failureCount, queue: activity.queue,
            watches: StatusDocument.Watches(
                directories: activity.directories, used: activity.watches, allowed: Host.watchLimit),
            polled: activity.polled.map(\.description), pollReason: activity.pollReason, overflows: activity.overflows,
            rescans: activity.rescans,
            workers: StatusDocument.Workers(
                running: session.workers.count, replaced: session.replacedWorkers, processes: session.workers),
            memory: Host.residentMemory,
            imports: session.graphSize.map {
                StatusDocument.Imports(
                    edges: $0.edges, findings: $0.findings, lastMicroseconds: $0.lastDuration / 1000)
            },
            interpreters: session.selectedInterpreters.map { ReportDocument.Python($0) },
            uptime: Double(Host.monotonic - begun) / 1e9)
    }
}

extension WhyDocument {
    package init(_ explanation: ModuleExplanation) {
        let artifacts = explanation.artifacts.map { artifact in
            let (state, reason): (String, StalenessReason?) =
                switch artifact.staleness {
                case .upToDate: (artifact.trace?.isFailure == true ? "failed" : "up-to-date", nil)
                case .reseal(let reason): ("restamp", reason)
                case .recompile(let reason): ("recompile", reason)
                case .discard: ("discard", nil)
                }
            return Artifact(
                interpreter: artifact.interpreter.name, level: artifact.level.rawValue, path: artifact.path.description,
                state: state, reason: reason?.rawValue, mode: artifact.trace?.published?.mode.rawValue,
                isGuarded: artifact.trace?.published?.isGuarded ?? false, clock: artifact.trace?.clock ?? 0,
                microseconds: artifact.trace?.microseconds ?? 0)
        }
        let imports = explanation.imports.map {
            Import(
                line: $0.line, kind: $0.kind.rawValue, statement: $0.statement, state: $0.state, to: $0.targets)
        }
        self.init(
            path: explanation.path.description, state: explanation.state.rawValue, artifacts: artifacts,
            diagnostics: explanation.findings.map { ReportDocument.Finding($0) }, imports: imports,
            importedBy: explanation.importers.map(\.description))
    }
}
