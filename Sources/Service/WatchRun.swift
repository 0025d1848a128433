// One session of a daemon with its continuous build. A reload replaces both.

import BasicTypes
import BuildModel
import ContinuousBuilds
import LinuxSystem
import Waves

/// An open session and its continuous build.
final class WatchRun {
    let session: Session
    let build: ContinuousBuild
    /// The options that the answers of this session are for; `nil` if its interpreters cannot be found.
    let options: AnswerOptions?

    init(_ configuration: SessionConfiguration, loop: EventLoop) throws(SessionError) {
        options = try? AnswerOptions(configuration)
        session = try Session(configuration, loop: loop)
        do throws(SystemError) {
            build = try ContinuousBuild(session: session)
        } catch {
            let remedy = error.isOutOfInstances ? "raise fs.inotify.max_user_instances (sysctl)" : "correct that"
            throw .root("cannot watch: \(error); \(remedy) and start again")
        }
    }

    /// Sources that do not compile, or could not be read or written. A directory that cannot be read counts only if nothing
    /// below it is known.
    var failing: Set<BytePath> { session.failing(with: build.operational) }

    /// A report with all findings that there are now in the places that are watched.
    var standing: WaveReport {
        session.report(on: session.configuration.starts, changes: [], removed: 0, problems: build.operational)
    }

    /// The number of sources, including those without a record because they could never be read or written.
    var moduleCount: Int { session.moduleCount + failing.count { session.record($0) == nil } }

    /// Cancels the running wave and closes the session. May still call the callbacks of the session.
    ///
    /// - Returns: a message for the user if the database could not be written.
    func close() -> String? {
        build.stop()
        let problem = session.close()
        session.releaseLock()
        return problem
    }
}
