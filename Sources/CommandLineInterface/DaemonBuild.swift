// A build or check that the daemon of the tree does.

import BuildModel
import Documents
import LinuxSystem
import Service

/// The result of asking a daemon.
enum DaemonBuild {
    case report(WaveReport, [ReportDocument.Python])
    /// There is no daemon.
    case none
    /// There is one, and it cannot do this build, for this reason.
    case unfit(String)

    /// How long a daemon of another version has to stop, in nanoseconds.
    private static let patience: Int64 = 5_000_000_000

    /// Whether there is one, for a run that must not ask it.
    static func presence(_ arguments: SessionArguments) -> DaemonBuild {
        let client = ControlClient.connect(
            root: arguments.configuration.rootPath, stateDirectory: arguments.configuration.stateDirectory)
        return client == nil ? .none : .unfit("a daemon keeps this tree")
    }

    static func run(_ verb: Verb, _ arguments: SessionArguments) -> DaemonBuild {
        let configuration = arguments.configuration
        guard
            let client = ControlClient.connect(
                root: configuration.rootPath, stateDirectory: configuration.stateDirectory),
            let options = try? arguments.requiredOptions(verb)
        else { return .none }
        var texts: [String] = []
        for start in configuration.starts {
            guard let text = start.exactText else {
                return .unfit("the daemon cannot be asked for a path that is not UTF-8")
            }
            texts.append(text)
        }
        let parameters = ControlParameters(
            version: FreshpycCommand.version, options: options, starts: texts,
            force: configuration.options.isForced)
        do throws(ControlFailure) {
            let document: ReportDocument = try client.ask(
                ControlRequest(verb == .check ? .diagnostics : .build, parameters))
            return .report(document.report, document.interpreters)
        } catch {
            switch error {
            case .refused(let refusal) where refusal.code == ControlError.otherVersionCode:
                // The version that the user has called replaces the daemon's.
                _ = try? client.ask(ControlRequest(.stop), for: Acknowledgement.self, timeout: patience)
                DaemonCommand.waitForEnd(configuration, nanoseconds: patience)
                return .none
            case .refused(let refusal): return .unfit(refusal.message)
            case .timeout, .disconnected: return .none
            }
        }
    }
}
