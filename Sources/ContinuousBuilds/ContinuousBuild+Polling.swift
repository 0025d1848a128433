// Chooses the directories to poll: those that cannot be watched, or whose file system sends no events.

import BasicTypes
import FileWatching
import LinuxSystem

extension ContinuousBuild {
    /// The directories to poll after a scan. Each poll is a scan, which tries to watch them again, so polling ends when
    /// the limit allows it.
    ///
    /// - Returns: `nil` if the set has not changed.
    func polledDirectories(_ result: ScanResult, _ starts: [BytePath]) -> Set<BytePath>? {
        let before = plan.polledDirectories
        var polled = before
        let places = PathSet(starts)
        polled = polled.filter { !places.covers($0) }
        polled.formUnion(result.unwatched.map(\.0))
        let mounts = MountTable(mountinfo: Host.contents(BytePath("/proc/self/mountinfo"), limit: 1 << 22) ?? [])
        let root = session.configuration.rootPath
        var silent = mounts.silentMounts(below: root).compactMap { $0.path.relative(to: root) }
        let type = mounts.silentType(root)
        if type != nil { silent.append(.empty) }
        // A scan of a part of the tree must not affect mounts elsewhere.
        polled.formUnion(silent.filter { places.touches($0) })
        guard polled != before else { return nil }
        if let (path, error) = result.unwatched.first {
            let limit = Host.watchLimit
            pollReason =
                error.isOutOfWatches
                ? "fs.inotify.max_user_watches is \(limit)" : "\(path): \(error.reason)"
            if before.isEmpty {
                let remedy =
                    error.isOutOfWatches ? "; raise it with `sysctl fs.inotify.max_user_watches=\(limit * 4)`" : ""
                onNotice(
                    "\(result.unwatched.count) directories cannot be watched and are polled: \(pollReason ?? "")\(remedy)"
                )
            }
        } else if !silent.isEmpty {
            pollReason = "\(type ?? mounts.silentMounts(below: root).first?.type ?? "this file system") sends no events"
            if before.isEmpty {
                let place = silent[0].isEmpty ? root.description : silent[0].description
                let others = silent.count == 1 ? "" : " and \(silent.count - 1) more"
                onNotice("\(place)\(others) must be polled: \(pollReason ?? "")")
            }
        } else if polled.isEmpty {
            pollReason = nil
            onNotice("all directories are watched again")
        }
        return polled
    }
}
