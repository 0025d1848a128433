// Reads the inotify queue, maintains the watch table, and passes on hints.

import BasicTypes
import LinuxSystem

/// Watches the directories that scans report to it.
package final class TreeWatcher {
    package let inotify: InotifyDescriptor
    private var table: WatchTable
    private var source: EventLoop.Source?
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    /// Called on the loop with all hints from one read of the queue.
    package var onHints: ([TreeHint]) -> Void = { _ in }

    /// - Parameters: see `WatchTable`.
    package init(configurationFiles: [String], reportsData: Bool) throws(SystemError) {
        table = WatchTable(configurationFiles: configurationFiles, reportsData: reportsData)
        inotify = try InotifyDescriptor()
    }

    package var directoryCount: Int { table.directoryCount }
    package var watchCount: Int { table.watchCount }
    /// Number of times that the kernel's queue overflowed and events were lost.
    package private(set) var overflows = 0

    /// Starts delivering hints. Earlier events are still in the queue.
    package func start(on loop: EventLoop) {
        source = loop.onReadable(inotify.descriptor) { [weak self] in self?.deliver() }
    }

    package func stop() {
        source?.cancel()
        source = nil
    }

    /// Adds the watches from a scan to the table.
    package func adopt(_ result: ScanResult) {
        for (watch, path, role) in result.watches { table.add(watch, path: path, role: role) }
    }

    /// Watches the directory where cookies are created.
    package func watchCookies(in directory: Directory) throws(SystemError) {
        table.add(try inotify.watch(directory, .cookies), path: .empty, role: .cookies)
    }

    /// Watches the `__pycache__` of a directory if it has one and the directory is watched.
    package func watchArtifacts(in directory: BytePath, root: Directory) {
        guard table.isWatched(directory),
            let cache = try? root.directory(directory.appending("__pycache__")),
            let watch = try? inotify.watch(cache, .artifacts)
        else { return }
        table.add(watch, path: directory, role: .artifacts)
    }

    /// Reads the whole queue and passes on its hints.
    package func deliver() {
        let hints = drain()
        if !hints.isEmpty { onHints(hints) }
    }

    /// Reads the whole queue and returns its hints.
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
