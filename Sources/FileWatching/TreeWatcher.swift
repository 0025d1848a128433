// Reads the inotify queue, maintains the watch table, and passes hints on.

import BasicTypes
import LinuxSystem

/// Watches the directories that scans report to it.
package final class TreeWatcher {
    package let inotify: InotifyDescriptor
    private var table = WatchTable()
    private var source: EventLoop.Source?
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    /// Called on the loop with all that one reading of the queue gave.
    package var onHints: ([TreeHint]) -> Void = { _ in }

    package init() throws(SystemError) {
        inotify = try InotifyDescriptor()
    }

    package var directoryCount: Int { table.directoryCount }
    package var watchCount: Int { table.watchCount }
    /// How often the kernel's queue was full and events were lost.
    package private(set) var overflows = 0

    /// Begins to hand on hints. Events that came before wait in the queue.
    package func start(on loop: EventLoop) {
        source = loop.onReadable(inotify.descriptor) { [weak self] in self?.deliver() }
    }

    package func stop() {
        source?.cancel()
        source = nil
    }

    /// Takes over the watches that a scan has set.
    package func adopt(_ result: ScanResult) {
        for (watch, path, role) in result.watches { table.add(watch, path: path, role: role) }
    }

    /// Watches the directory where cookies are made.
    package func watchCookies(in directory: Directory) throws(SystemError) {
        table.add(try inotify.watch(directory, .cookies), path: .empty, role: .cookies)
    }

    /// Watches the `__pycache__` of a directory, if that directory is watched and has one.
    package func watchArtifacts(in directory: BytePath, root: Directory) {
        guard table.isWatched(directory),
            let cache = try? root.directory(directory.appending("__pycache__")),
            let watch = try? inotify.watch(cache, .artifacts)
        else { return }
        table.add(watch, path: directory, role: .artifacts)
    }

    /// Reads the queue to its end and hands on what it holds.
    package func deliver() {
        let hints = drain()
        if !hints.isEmpty { onHints(hints) }
    }

    /// Reads the queue to its end.
    package func drain() -> [TreeHint] {
        var hints: [TreeHint] = []
        var ended: [Int32] = []
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in (try? inotify.descriptor.read(into: bytes)) ?? 0 }
            if count == 0 { break }
            let events = buffer.withUnsafeBytes { InotifyEvent.decode(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            overflows += events.count { $0.mask.contains(.overflowed) }
            for event in events { hints += table.hints(for: event, ended: &ended) }
        }
        for watch in ended { inotify.unwatch(watch) }
        return hints
    }
}
