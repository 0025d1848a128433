// Implements the methods of the control socket. Must not use sockets: each request comes with a connection for its answer.

import BasicTypes
import BuildModel
import ContinuousBuilds
import Documents
import LinuxSystem
import Waves

/// Answers requests from the current session. Lives on the loop, as long as the daemon.
///
/// Requests that wait for the tree to be up to date belong to the daemon, not to a session. When the session is replaced,
/// they start over with the new one, because it may have other options.
final class ControlHandler {
    private struct Question {
        let request: ControlRequest
        let connection: ControlServer.Connection
    }

    /// Maximum number of waiting requests of one connection. Further ones are refused.
    private static let mostQuestions = 1024

    private let version: String
    private let root: BytePath
    private var run: WatchRun?
    private var questions: [UInt64: Question] = [:]
    private var nextQuestion: UInt64 = 0
    private let begun = Host.monotonic
    /// Why there is no session, if there is none.
    var problem = ""
    /// Where the daemon listens, for `status`.
    var socket = BytePath.empty
    /// Called when a client asks the daemon to stop.
    var onStop: () -> Void = {}

    init(version: String, root: BytePath) {
        self.version = version
        self.root = root
    }

    /// Whether a client waits for an answer.
    var isBusy: Bool { questions.values.contains { !$0.connection.isClosed } }

    /// Answers from this session from now on, and starts the waiting requests over with it. Its first wave must have begun.
    func serve(_ run: WatchRun) {
        self.run = run
        let waiting = questions.sorted { $0.key < $1.key }.map(\.value)
        questions = [:]
        for question in waiting where !question.connection.isClosed {
            question.connection.openQuestions -= 1
            handle(question.request, question.connection)
        }
    }

    /// Forgets the session before it is closed, so that its remaining answers are ignored.
    func pause() {
        run = nil
    }

    /// Refuses all waiting requests: no session can be opened for now, and clients must not wait until one can.
    func refuseOpenQuestions() {
        let waiting = questions.values
        questions = [:]
        for question in waiting where !question.connection.isClosed {
            question.connection.openQuestions -= 1
            Answer(question.request.id, question.connection).refuse(.noSession(problem))
        }
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
        if method == .stop {
            answer.give(Acknowledgement())
            return onStop()
        }
        guard let run else {
            return method == .status ? answer.give(statusWithoutSession) : answer.refuse(.noSession(problem))
        }
        // The only place that decides whether the options and paths of this daemon fit the request.
        if let asked = parameters.options {
            guard let options = run.options else { return answer.refuse(.otherOptions(["python"])) }
            let differences = options.differences(from: asked)
            guard differences.isEmpty else { return answer.refuse(.otherOptions(differences)) }
        }
        let starts = parameters.starts?.map { BytePath($0) } ?? run.session.configuration.starts
        if let outside = starts.first(where: { !run.session.isInStarts($0) }) {
            return answer.refuse(.otherPaths(outside.isEmpty ? "the whole tree" : outside.description))
        }
        switch method {
        case .wait: whenUpToDate(request, connection) { run, _ in answer.give(Self.waitDocument(run)) }
        case .build:
            report(on: starts, isForced: parameters.force == true, request, connection, answer)
        case .diagnostics: report(on: starts, isForced: false, request, connection, answer)
        case .status: answer.give(status(of: run))
        case .why:
            guard let path = parameters.path, !path.isEmpty else {
                return answer.refuse(.badParameters("why needs params.path"))
            }
            whenUpToDate(request, connection) { run, _ in
                answer.give(WhyDocument(run.session.explanation(of: BytePath(path))))
            }
        case .graph:
            whenUpToDate(request, connection) { run, _ in
                answer.give(json: Self.noting(run, ControlAnswers.graph(run.session, parameters)).line)
            }
        case .affected:
            whenUpToDate(request, connection) { run, _ in
                answer.give(Self.noting(run, ControlAnswers.affected(run.session, parameters)))
            }
        case .cycles:
            whenUpToDate(request, connection) { run, _ in
                answer.give(Self.noting(run, ControlAnswers.cycles(run.session)))
            }
        case .subscribe:
            connection.isSubscribed = true
            answer.give(Acknowledgement())
        case .stop: break
        }
    }

    /// Answers once all bytecode reflects the tree as it is now, or later.
    private func whenUpToDate(
        _ request: ControlRequest, _ connection: ControlServer.Connection, isForced: Bool = false,
        _ answer: @escaping (WatchRun, BarrierTally) -> Void
    ) {
        guard let run else { return }
        guard connection.openQuestions < Self.mostQuestions else {
            return Answer(request.id, connection).refuse(.tooManyQuestions(Self.mostQuestions))
        }
        let number = nextQuestion
        nextQuestion += 1
        questions[number] = Question(request: request, connection: connection)
        connection.openQuestions += 1
        run.build.barrier(forces: isForced) { [weak self, weak run] tally in
            // The last wave of a closed session was cancelled, so the next session answers.
            guard let self, let run, self.run === run, questions.removeValue(forKey: number) != nil else { return }
            connection.openQuestions -= 1
            if !connection.isClosed { answer(run, tally) }
        }
    }

    private static func waitDocument(_ run: WatchRun) -> WaitDocument {
        let failing = run.failing
        return WaitDocument(
            clock: run.session.clock, modules: run.moduleCount, failed: failing.count,
            failing: failing.sorted().prefix(Self.mostFailing).map(\.text),
            watched: run.session.configuration.starts.map(\.text))
    }

    private static func noting<Document: ImportsDocument>(_ run: WatchRun, _ document: Document) -> Document {
        var document = document
        document.note(run.build.operational)
        return document
    }

    private func report(
        on starts: [BytePath], isForced: Bool, _ request: ControlRequest, _ connection: ControlServer.Connection,
        _ answer: Answer
    ) {
        let begun = Host.monotonic
        whenUpToDate(request, connection, isForced: isForced) { run, tally in
            run.session.refreshImportsElsewhere()
            var report = run.session.report(
                on: starts, changes: tally.changes, removed: tally.removed, problems: run.build.operational)
            report.duration = Host.monotonic - begun
            answer.give(
                ReportDocument(
                    report, verb: "build", root: run.session.configuration.rootPath,
                    interpreters: run.session.selectedInterpreters.map { ReportDocument.Python($0) },
                    exitStatus: report.exitStatus))
        }
    }

    private var statusWithoutSession: StatusDocument {
        StatusDocument(
            version: version, process: Host.processIdentifier, root: root.description, socket: socket.description,
            clock: 0, phase: "blocked", problem: problem, modules: 0, failed: 0, queue: 0,
            watches: StatusDocument.Watches(directories: 0, used: 0, allowed: Host.watchLimit), polled: [],
            overflows: 0, rescans: 0, workers: StatusDocument.Workers(running: 0, replaced: 0, processes: []),
            memory: Host.residentMemory, interpreters: [], uptime: uptime)
    }

    /// Failing sources that the answer to `wait` names.
    private static let mostFailing = 3

    /// Seconds.
    private var uptime: Double { Double(Host.monotonic - begun) / 1e9 }

    private func findings(of run: WatchRun) -> StatusDocument.Findings {
        let report = run.standing
        return StatusDocument.Findings(errors: report.errors, warnings: report.warnings, notes: report.notes)
    }

    private func status(of run: WatchRun) -> StatusDocument {
        let (session, activity) = (run.session, run.build.activity)
        return StatusDocument(
            version: version, process: Host.processIdentifier, root: session.configuration.rootPath.description,
            socket: socket.description, clock: session.clock, phase: activity.phase, modules: run.moduleCount,
            failed: run.failing.count, queue: activity.queue,
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
            uptime: uptime, sinceLastCheck: activity.lastCheck.map { Double(Host.monotonic - $0) / 1e9 },
            watched: session.configuration.starts.map(\.text),
            findings: activity.lastCheck.map { _ in findings(of: run) })
    }
}

/// Sends the answer to one request. A notification has no identifier, and only gets errors.
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

    /// Sends a result that is already JSON.
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
