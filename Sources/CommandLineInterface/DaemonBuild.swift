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

    /// Whether there is one, for a run that must not ask it.
    static func presence(_ arguments: SessionArguments) -> DaemonBuild {
        DaemonConnection.exists(arguments.configuration) ? .unfit("a daemon keeps this tree") : .none
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
                // The version that the user has called replaces the daemon's.
                DaemonConnection.end(client, of: configuration)
                return .none
            case .refused(let refusal): return .unfit(refusal.message)
            case .silent(let process):
                let remedy = "end it with `kill -9 \(process)`"
                return .unfit("the daemon of this tree (process \(process)) does not answer; \(remedy)")
            case .timeout, .disconnected: return .none
            }
        }
    }
}
