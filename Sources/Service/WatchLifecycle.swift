// The life cycle of a daemon as a state machine: events in, actions out.
// Must not touch sessions, sockets or processes, so that every pair of state and event can be tested.

/// Why a watch ended.
package enum WatchEnding: Sendable, Hashable {
    case interrupted
    case asked
    case idle
    case rootGone
    case failed(String)
}

/// Decides what a daemon does next, from its state and an event.
package struct WatchLifecycle: Sendable {
    package enum State: Hashable, Sendable {
        /// The first session is open or being opened, and its first wave has not ended.
        case starting
        /// The first wave of the current session has ended.
        case running
        /// The session was closed and is being replaced.
        case reloading(Step)
        /// Everything is being closed or is closed. All events are ignored.
        case stopping
    }

    /// The progress of a reload.
    package enum Step: Hashable, Sendable {
        /// A session is being opened with the new configuration.
        case opening
        /// That failed, and a session is being opened with the old configuration.
        case reverting
        /// That failed too, for example because an interpreter was removed. The daemon waits before it tries again.
        case waiting
        /// A session is being opened after the wait.
        case retrying
        /// The new session's first wave has not ended.
        case building
    }

    /// Why a session is replaced.
    package enum ReloadReason: Hashable, Sendable {
        case signal
        case interpreterChanged
        case configurationChanged
    }

    package enum Event: Hashable, Sendable {
        /// A session was opened.
        case opened
        /// A session could not be opened, for this reason.
        case openFailed(String)
        /// The first wave of the current session has ended.
        case firstWaveEnded(everythingCompiles: Bool)
        /// A later wave of the current session has ended.
        case waveEnded
        case reloadRequested(ReloadReason)
        /// The delay of `retryLater` has passed.
        case retryDue
        /// Because of a signal, a client, the idle timeout or the removal of the root.
        case endRequested(WatchEnding)
    }

    package enum Action: Hashable, Sendable {
        /// Shows a message to the user.
        case notice(String)
        /// Starts the session's first wave, and starts the waiting requests of clients over.
        case begin
        /// Reports that everything is up to date and watched.
        case announceReady
        case runCommand
        /// Reports a wave to the user and to subscribers.
        case reportWave
        /// Passes the changes of a wave to the command.
        case tellCommand
        /// Tells the service manager that a reload begins.
        case notifyReloading
        /// Closes the session. Its callbacks have no effect from then on.
        case retire
        case readConfiguration
        case restoreConfiguration
        /// Opens a session; `opened` or `openFailed` follows.
        case open
        /// Refuses the waiting requests of clients; `retryDue` follows after a delay.
        case retryLater
        /// Tells the service manager that the daemon is stopping.
        case notifyStopping
        /// Stops the command.
        case endCommand
        /// Removes the record of the socket. Must come before `retire`, which releases the lock.
        case forgetSocket
        /// Closes the socket. Must come after `retire`: clients wait for it to be closed.
        case closeSocket
        case reportEnd(WatchEnding)
    }

    package private(set) var state = State.starting

    package init() {}

    /// A machine in any state, for tests.
    package init(state: State) {
        self.state = state
    }

    package mutating func handle(_ event: Event) -> [Action] {
        switch (state, event) {
        case (.stopping, _):
            return []
        case (_, .endRequested(let ending)):
            return stop(ending)
        case (.starting, .opened):
            return [.begin]
        case (.starting, .openFailed(let message)):
            return stop(.failed(message))
        case (.reloading(.opening), .opened), (.reloading(.reverting), .opened), (.reloading(.retrying), .opened):
            state = .reloading(.building)
            return [.begin]
        case (.reloading(.opening), .openFailed(let message)):
            state = .reloading(.reverting)
            return [.notice("\(message); the configuration stays as it was"), .restoreConfiguration, .open]
        case (.reloading(.reverting), .openFailed(let message)):
            state = .reloading(.waiting)
            return [.notice("\(message); nothing is compiled until that is corrected"), .retryLater]
        case (.reloading(.waiting), .retryDue):
            state = .reloading(.retrying)
            return [.open]
        case (.reloading(.retrying), .openFailed):
            // The first failure was reported.
            state = .reloading(.waiting)
            return [.retryLater]
        case (.starting, .firstWaveEnded(let everythingCompiles)),
            (.reloading(.building), .firstWaveEnded(let everythingCompiles)):
            state = .running
            return everythingCompiles ? [.announceReady, .runCommand] : [.announceReady]
        case (.running, .waveEnded):
            return [.reportWave, .tellCommand]
        case (.starting, .reloadRequested(let reason)), (.running, .reloadRequested(let reason)),
            (.reloading(.waiting), .reloadRequested(let reason)), (.reloading(.building), .reloadRequested(let reason)):
            // Also during a first wave: a user who requests a reload and then waits must get the new configuration.
            state = .reloading(.opening)
            let reload: [Action] = [.notifyReloading, .retire, .readConfiguration, .open]
            switch reason {
            case .signal: return reload
            case .interpreterChanged:
                return [.notice("an interpreter has changed; all modules are checked again")] + reload
            case .configurationChanged:
                return [.notice("the configuration has changed; all modules are checked again")] + reload
            }
        case (.reloading(.opening), .reloadRequested), (.reloading(.reverting), .reloadRequested),
            (.reloading(.retrying), .reloadRequested):
            // The configuration has just been read.
            return []
        case (.running, .opened), (.running, .openFailed), (.running, .firstWaveEnded), (.starting, .waveEnded),
            (.reloading, .firstWaveEnded), (.reloading, .waveEnded), (.reloading(.building), .opened),
            (.reloading(.building), .openFailed), (.reloading(.waiting), .opened), (.reloading(.waiting), .openFailed),
            (_, .retryDue):
            // These events cannot happen here: nothing is being opened or retried, or there is no session with a wave.
            return []
        }
    }

    private mutating func stop(_ ending: WatchEnding) -> [Action] {
        state = .stopping
        return [.notifyStopping, .endCommand, .forgetSocket, .retire, .closeSocket, .reportEnd(ending)]
    }
}
