// One session of a daemon, with the build that keeps it fresh. A reload replaces it by another one.

import BasicTypes
import ContinuousBuilds
import LinuxSystem
import Waves

/// A session that is open, and its continuous build.
final class WatchRun {
    let session: Session
    let build: ContinuousBuild
    /// What this session answers for; `nil` where its interpreters can no longer be found.
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

    /// Sources that do not compile, or could not be read or written. A directory that cannot be read stands for itself
    /// only if nothing below it is known.
    var failing: Set<BytePath> { session.failing(with: build.operational) }

    /// The number of sources, with those that could not be read or written since they appeared.
    var moduleCount: Int { session.moduleCount + failing.count { session.record($0) == nil } }

    /// Ends the wave under way and closes the session. Its callbacks may still be called from here.
    ///
    /// - Returns: a sentence for the user if the database could not be written.
    func close() -> String? {
        build.stop()
        let problem = session.close()
        session.releaseLock()
        return problem
    }
}
