// Asks the daemon of a tree to do a build or a check.

import BuildModel
import Documents
import LinuxSystem
import Service

/// The result of asking a daemon.
enum DaemonBuild {
    case report(WaveReport, [ReportDocument.Python])
    /// There is no daemon.
    case none
    /// There is a daemon, but it cannot do this build, for this reason.
    case unfit(String)

    /// Whether there is a daemon, for a run that must not ask it.
    static func presence(_ arguments: SessionArguments) -> DaemonBuild {
        DaemonConnection.exists(arguments.configuration) ? .unfit("a daemon is running on this tree") : .none
    }

    static func run(
        _ kind: BuildOutput.Kind, _ arguments: SessionArguments, _ declaration: VerbDeclaration
    ) -> DaemonBuild {
        let configuration = arguments.configuration
        guard let client = DaemonConnection.client(of: arguments),
            let options = try? arguments.requiredOptions(declaration)
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
                ControlRequest(kind == .check ? .diagnostics : .build, parameters))
            return .report(document.report, document.interpreters)
        } catch {
            switch error {
            case .refused(let refusal) where refusal.code == ControlError.otherVersionCode:
                // Stop a daemon of another version, so that the version that the user runs can replace it.
                DaemonConnection.end(client, of: configuration)
                return .none
            case .refused(let refusal): return .unfit(refusal.message)
            case .silent(let process):
                return .unfit(DaemonConnection.silence(of: process))
            case .timeout, .disconnected: return .none
            }
        }
    }
}
