// Connects verbs to the daemon of a tree, and reports why they cannot reach it.

import Documents
import LinuxSystem
import Service
import Waves

enum DaemonConnection {
    /// How long a daemon may take to answer or to stop, in nanoseconds.
    static let patience: Int64 = 10_000_000_000

    /// - Returns: `nil` if no daemon is running for the tree, or with `--no-daemon`.
    static func client(of arguments: SessionArguments) -> ControlClient? {
        guard !arguments.arguments.has(OptionSpecification.noDaemon.name) else { return nil }
        return client(of: arguments.configuration)
    }

    static func exists(_ configuration: SessionConfiguration) -> Bool { client(of: configuration) != nil }

    private static func client(of configuration: SessionConfiguration) -> ControlClient? {
        ControlClient.connect(root: configuration.rootPath, stateDirectory: configuration.stateDirectory)
    }

    /// Asks a daemon something that only a daemon can answer.
    ///
    /// - Returns: the exit status that `answer` returns, or 2 after a message.
    ///
    /// - Parameter advice: what to do if no daemon is running.
    static func ask(
        _ arguments: SessionArguments, advice: String = "; start one with `freshpyc watch --background`",
        _ answer: (ControlClient) throws(ControlFailure) -> Int32
    ) -> Int32 {
        guard let client = client(of: arguments.configuration) else {
            FreshpycCommand.complain(
                "no daemon is running for \(arguments.configuration.rootPath)\(advice)"
            )
            return 2
        }
        do throws(ControlFailure) {
            return try answer(client)
        } catch {
            switch error {
            case .timeout:
                do throws(ControlFailure) {
                    try client.requireAnswers()
                    FreshpycCommand.complain(
                        "the daemon did not answer in time; see `freshpyc status`, or give a longer --timeout")
                } catch {
                    complain(ofSilence: error)
                }
            case .silent: complain(ofSilence: error)
            case .disconnected:
                FreshpycCommand.complain(
                    "the daemon closed the connection; start it again with `freshpyc watch --background`")
            case .refused(let refusal):
                FreshpycCommand.complain("\(refusal.message); `freshpyc stop` stops it")
            }
            return 2
        }
    }

    /// Asks a daemon something that can also be answered without it.
    ///
    /// - Returns: `nil` if it does not answer or refuses.
    static func answer<Answer: Codable & Sendable>(
        of client: ControlClient, to request: ControlRequest, as _: Answer.Type = Answer.self
    ) -> Answer? {
        do throws(ControlFailure) {
            return try client.ask(request)
        } catch {
            complain(ofSilence: error)
            return nil
        }
    }

    /// Reports the process of a daemon that does not answer. Ignores other failures.
    static func complain(ofSilence failure: ControlFailure) {
        guard case .silent(let process) = failure else { return }
        FreshpycCommand.complain(silence(of: process))
    }

    /// What to say about a daemon that does not answer: one that computes will answer later.
    static func silence(of process: Int32) -> String {
        let daemon = "the daemon of this tree (process \(process))"
        return Host.isComputing(process)
            ? "\(daemon) is busy and has not answered; try again later, or end it with `kill \(process)`"
            : "\(daemon) does not answer; end it with `kill -9 \(process)`"
    }

    /// Tells a daemon to stop, and waits until it has stopped.
    static func end(_ client: ControlClient, of configuration: SessionConfiguration) {
        _ = try? client.ask(ControlRequest(.stop), for: Acknowledgement.self, timeout: patience)
        waitForEnd(of: configuration)
    }

    /// Waits until no daemon accepts connections for a root.
    ///
    /// - Returns: `false` if that takes longer than `patience`.
    @discardableResult
    static func waitForEnd(of configuration: SessionConfiguration) -> Bool {
        let begun = Host.monotonic
        while Host.monotonic - begun < patience {
            if client(of: configuration) == nil { return true }
            Host.sleep(nanoseconds: 5_000_000)
        }
        return false
    }
}
