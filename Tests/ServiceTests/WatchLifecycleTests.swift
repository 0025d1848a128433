// The life cycle of a daemon: every event in every state, with the actions that follow.

import Service
import Testing

@Suite struct WatchLifecycleTests {
    typealias State = WatchLifecycle.State
    typealias Event = WatchLifecycle.Event
    typealias Action = WatchLifecycle.Action

    struct Row {
        let event: Event
        let state: State
        let actions: [Action]

        init(_ event: Event, _ state: State, _ actions: [Action] = []) {
            self.event = event
            self.state = state
            self.actions = actions
        }
    }

    static let states: [State] = [
        .starting, .running, .reloading(.opening), .reloading(.reverting), .reloading(.waiting), .reloading(.retrying),
        .reloading(.building), .stopping,
    ]

    static let endings: [WatchEnding] = [.interrupted, .asked, .idle, .rootGone]

    static let events: [Event] =
        [
            .opened, .openFailed("it is broken"), .firstWaveEnded(everythingCompiles: true),
            .firstWaveEnded(everythingCompiles: false), .waveEnded, .reloadRequested(.signal),
            .reloadRequested(.interpreterChanged), .reloadRequested(.configurationChanged), .retryDue,
        ] + endings.map { .endRequested($0) }

    static func end(_ ending: WatchEnding) -> [Action] {
        [.notifyStopping, .endCommand, .forgetSocket, .retire, .closeSocket, .reportEnd(ending)]
    }

    static let reload: [Action] = [.notifyReloading, .retire, .readConfiguration, .open]
    static let reloadForInterpreter: [Action] =
        [.notice("an interpreter has changed; all modules are checked again")] + reload

    static let reloadForConfiguration: [Action] =
        [.notice("the configuration has changed; all modules are checked again")] + reload

    /// The rows of a state, without those that end the watch, which are the same for all states.
    static func rows(_ state: State) -> [Row] {
        switch state {
        case .starting:
            [
                Row(.opened, .starting, [.begin]),
                Row(.openFailed("it is broken"), .stopping, end(.failed("it is broken"))),
                Row(.firstWaveEnded(everythingCompiles: true), .running, [.announceReady, .runCommand]),
                Row(.firstWaveEnded(everythingCompiles: false), .running, [.announceReady]),
                Row(.waveEnded, .starting),
                Row(.reloadRequested(.signal), .reloading(.opening), reload),
                Row(.reloadRequested(.interpreterChanged), .reloading(.opening), reloadForInterpreter),
                Row(.reloadRequested(.configurationChanged), .reloading(.opening), reloadForConfiguration),
                Row(.retryDue, .starting),
            ]
        case .running:
            [
                Row(.opened, .running),
                Row(.openFailed("it is broken"), .running),
                Row(.firstWaveEnded(everythingCompiles: true), .running),
                Row(.firstWaveEnded(everythingCompiles: false), .running),
                Row(.waveEnded, .running, [.reportWave, .tellCommand]),
                Row(.reloadRequested(.signal), .reloading(.opening), reload),
                Row(.reloadRequested(.interpreterChanged), .reloading(.opening), reloadForInterpreter),
                Row(.reloadRequested(.configurationChanged), .reloading(.opening), reloadForConfiguration),
                Row(.retryDue, .running),
            ]
        case .reloading(.opening):
            [
                Row(.opened, .reloading(.building), [.begin]),
                Row(
                    .openFailed("it is broken"), .reloading(.reverting),
                    [.notice("it is broken; the configuration stays as it was"), .restoreConfiguration, .open]),
                Row(.firstWaveEnded(everythingCompiles: true), .reloading(.opening)),
                Row(.firstWaveEnded(everythingCompiles: false), .reloading(.opening)),
                Row(.waveEnded, .reloading(.opening)),
                Row(.reloadRequested(.signal), .reloading(.opening)),
                Row(.reloadRequested(.interpreterChanged), .reloading(.opening)),
                Row(.reloadRequested(.configurationChanged), .reloading(.opening)),
                Row(.retryDue, .reloading(.opening)),
            ]
        case .reloading(.reverting):
            [
                Row(.opened, .reloading(.building), [.begin]),
                Row(
                    .openFailed("it is broken"), .reloading(.waiting),
                    [.notice("it is broken; nothing is compiled until that is corrected"), .retryLater]),
                Row(.firstWaveEnded(everythingCompiles: true), .reloading(.reverting)),
                Row(.firstWaveEnded(everythingCompiles: false), .reloading(.reverting)),
                Row(.waveEnded, .reloading(.reverting)),
                Row(.reloadRequested(.signal), .reloading(.reverting)),
                Row(.reloadRequested(.interpreterChanged), .reloading(.reverting)),
                Row(.reloadRequested(.configurationChanged), .reloading(.reverting)),
                Row(.retryDue, .reloading(.reverting)),
            ]
        case .reloading(.waiting):
            [
                Row(.opened, .reloading(.waiting)),
                Row(.openFailed("it is broken"), .reloading(.waiting)),
                Row(.firstWaveEnded(everythingCompiles: true), .reloading(.waiting)),
                Row(.firstWaveEnded(everythingCompiles: false), .reloading(.waiting)),
                Row(.waveEnded, .reloading(.waiting)),
                Row(.reloadRequested(.signal), .reloading(.opening), reload),
                Row(.reloadRequested(.interpreterChanged), .reloading(.opening), reloadForInterpreter),
                Row(.reloadRequested(.configurationChanged), .reloading(.opening), reloadForConfiguration),
                Row(.retryDue, .reloading(.retrying), [.open]),
            ]
        case .reloading(.retrying):
            [
                Row(.opened, .reloading(.building), [.begin]),
                Row(.openFailed("it is broken"), .reloading(.waiting), [.retryLater]),
                Row(.firstWaveEnded(everythingCompiles: true), .reloading(.retrying)),
                Row(.firstWaveEnded(everythingCompiles: false), .reloading(.retrying)),
                Row(.waveEnded, .reloading(.retrying)),
                Row(.reloadRequested(.signal), .reloading(.retrying)),
                Row(.reloadRequested(.interpreterChanged), .reloading(.retrying)),
                Row(.reloadRequested(.configurationChanged), .reloading(.retrying)),
                Row(.retryDue, .reloading(.retrying)),
            ]
        case .reloading(.building):
            [
                Row(.opened, .reloading(.building)),
                Row(.openFailed("it is broken"), .reloading(.building)),
                Row(.firstWaveEnded(everythingCompiles: true), .running, [.announceReady, .runCommand]),
                Row(.firstWaveEnded(everythingCompiles: false), .running, [.announceReady]),
                Row(.waveEnded, .reloading(.building)),
                Row(.reloadRequested(.signal), .reloading(.opening), reload),
                Row(.reloadRequested(.interpreterChanged), .reloading(.opening), reloadForInterpreter),
                Row(.reloadRequested(.configurationChanged), .reloading(.opening), reloadForConfiguration),
                Row(.retryDue, .reloading(.building)),
            ]
        case .stopping:
            [
                Row(.opened, .stopping),
                Row(.openFailed("it is broken"), .stopping),
                Row(.firstWaveEnded(everythingCompiles: true), .stopping),
                Row(.firstWaveEnded(everythingCompiles: false), .stopping),
                Row(.waveEnded, .stopping),
                Row(.reloadRequested(.signal), .stopping),
                Row(.reloadRequested(.interpreterChanged), .stopping),
                Row(.reloadRequested(.configurationChanged), .stopping),
                Row(.retryDue, .stopping),
            ]
        }
    }

    @Test func beginsWithTheFirstSession() {
        #expect(WatchLifecycle().state == .starting)
    }

    @Test(arguments: states) func everyEventHasOneRow(state: State) {
        let ends = Self.endings.map { ending in
            Row(.endRequested(ending), .stopping, state == .stopping ? [] : Self.end(ending))
        }
        let rows = Self.rows(state) + ends
        #expect(rows.map(\.event) == Self.events)
        for row in rows {
            var lifecycle = WatchLifecycle(state: state)
            let actions = lifecycle.handle(row.event)
            #expect(actions == row.actions, "\(state), \(row.event)")
            #expect(lifecycle.state == row.state, "\(state), \(row.event)")
        }
    }

    /// In any sequence of events, there is at most one end, no action after it, and at most one open session.
    @Test func noSequenceOfFourEventsOpensTwoSessionsOrEndsTwice() {
        func follow(_ lifecycle: WatchLifecycle, _ isOpen: Bool, _ ends: Int, _ depth: Int) {
            guard depth > 0 else { return }
            for event in Self.events {
                var next = lifecycle
                // The service reports an opened session only after `open`.
                let opening: Set<State> = [.reloading(.opening), .reloading(.reverting), .reloading(.retrying)]
                let mustOpen = opening.contains(next.state)
                let saysOpened = event == .opened || event == .openFailed("it is broken")
                guard mustOpen == saysOpened else { continue }
                var isOpen = isOpen || event == .opened
                var ends = ends
                for action in next.handle(event) {
                    #expect(ends == 0, "\(action) after the end")
                    switch action {
                    case .retire: isOpen = false
                    case .open: #expect(!isOpen, "two sessions: \(lifecycle.state), \(event)")
                    case .begin: #expect(isOpen, "no session: \(lifecycle.state), \(event)")
                    case .reportEnd: ends += 1
                    default: break
                    }
                }
                follow(next, isOpen, ends, depth - 1)
            }
        }
        follow(WatchLifecycle(), true, 0, 4)
    }
}
