// The life of a daemon as a state machine: events in, actions out.
// A value: it must not touch sessions, sockets or processes, so that every pair of state and event can be tested.

/// Why a watch ended.
package enum WatchEnding: Sendable, Hashable {
    case interrupted
    case asked
    case idle
    case rootGone
    case failed(String)
}

/// What a daemon does next, decided from what it is doing and what happened.
package struct WatchLifecycle: Sendable {
    package enum State: Hashable, Sendable {
        /// The first session is open, or about to be; its first wave has not ended.
        case starting
        /// The first wave of the current session has ended.
        case running
        /// The session was closed, to be replaced by another one.
        case reloading(Step)
        /// Everything is being closed, or was. Nothing begins any more.
        case stopping
    }

    /// How far a reload has come.
    package enum Step: Hashable, Sendable {
        /// A session is opened for the new configuration.
        case opening
        /// That failed, and a session is opened for the old configuration.
        case reverting
        /// That failed too, for example because an interpreter is gone. It is tried again after a while.
        case waiting
        /// A session is opened again after a while.
        case retrying
        /// The new session's first wave has not ended.
        case building
    }

    /// Why a session is replaced.
    package enum ReloadReason: Hashable, Sendable {
        case signal
        case interpreterChanged
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
        /// The time since `retryLater` is over.
        case retryDue
        /// A signal, a client, the idle time-out or the end of the root.
        case endRequested(WatchEnding)
    }

    package enum Action: Hashable, Sendable {
        /// Tells the user.
        case notice(String)
        /// Starts the session's first wave, and asks the open questions of clients again.
        case begin
        /// Says that everything is up to date and watched.
        case announceReady
        case runCommand
        /// Tells the user and subscribers about a wave.
        case reportWave
        /// Tells the command what a wave has changed.
        case tellCommand
        /// Tells the service manager that a reload begins.
        case notifyReloading
        /// Closes the session. Nothing that it still calls back has an effect.
        case retire
        case readConfiguration
        case restoreConfiguration
        /// Opens a session; `opened` or `openFailed` follows.
        case open
        /// Refuses what clients have asked, and lets `retryDue` follow after a while.
        case retryLater
        /// Tells the service manager that the end has begun.
        case notifyStopping
        /// Ends the command, and starts it no more.
        case endCommand
        /// Removes the record of where the socket is. Before `retire`, while the lock is held.
        case forgetSocket
        /// Closes the socket. Last of all: clients wait for it to go.
        case closeSocket
        case reportEnd(WatchEnding)
    }

    package private(set) var state = State.starting

    package init() {}

    /// A machine in the middle of its life, for tests.
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
            // It was reported when it failed for the first time.
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
            // During a first wave as well: who asks for a reload and then waits must get the new configuration.
            state = .reloading(.opening)
            let reload: [Action] = [.notifyReloading, .retire, .readConfiguration, .open]
            switch reason {
            case .signal: return reload
            case .interpreterChanged:
                return [.notice("an interpreter has changed; all modules are checked again")] + reload
            }
        case (.reloading(.opening), .reloadRequested), (.reloading(.reverting), .reloadRequested),
            (.reloading(.retrying), .reloadRequested):
            // The configuration was read a moment ago.
            return []
        case (.running, .opened), (.running, .openFailed), (.running, .firstWaveEnded), (.starting, .waveEnded),
            (.reloading, .firstWaveEnded), (.reloading, .waveEnded), (.reloading(.building), .opened),
            (.reloading(.building), .openFailed), (.reloading(.waiting), .opened), (.reloading(.waiting), .openFailed),
            (_, .retryDue):
            // Nothing is being opened or tried again, or no wave of a current session can have ended.
            return []
        }
    }

    private mutating func stop(_ ending: WatchEnding) -> [Action] {
        state = .stopping
        return [.notifyStopping, .endCommand, .forgetSocket, .retire, .closeSocket, .reportEnd(ending)]
    }
}
