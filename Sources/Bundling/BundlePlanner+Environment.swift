// The part of a plan that comes from the environment: whole distributions, with what they require.

import BasicTypes
import BuildModel
import Impact
import Interpreters
import LinuxSystem
import Waves

extension BundlePlanner {
    /// The metadata of the project itself, if it is installed: programs ask for their own version and entry points.
    mutating func takeOwnDistributions() {
        let tops = Set(
            plan.files.filter { $0.distribution == nil && $0.module != nil }.map {
                String($0.path.prefix { $0 != "/" })
            })
        for distribution in installed.own(tops, below: root) {
            take(distribution, extras: [], because: "the project itself")
        }
    }

    /// Adds what provides a module.
    ///
    /// - Returns: whether something does.
    mutating func resolveOutside(_ dotted: String, because reason: String) -> Bool {
        let providers = installed.providers(of: dotted)
        for distribution in providers { take(distribution, extras: [], because: reason) }
        if !providers.isEmpty { return true }
        if let source = installed.editableSource(of: dotted) {
            take(source.distribution, extras: [], because: reason)
            addFolder(source.folder, dotted, .distribution(source.distribution.name, because: reason))
            return true
        }
        if let folder = installed.looseFolder(of: dotted) {
            addFolder(folder, dotted, .included(by: reason))
            return true
        }
        return false
    }

    /// A package or module that no RECORD lists.
    mutating func addFolder(_ folder: BytePath, _ dotted: String, _ reason: BundleReason) {
        let top = String(dotted.prefix { $0 != "." })
        for file in FileTree.files(in: folder.appending(top)) {
            add("\(top)/\(file)", .file(folder.appending(top).appending(file)), reason)
        }
        for file in FileTree.names(in: folder)
        where file == "\(top).py" || file.hasPrefix("\(top).") && file.hasSuffix(".so") {
            add(file, .file(folder.appending(file)), reason)
        }
    }

    /// Adds a distribution and what it requires.
    mutating func take(_ distribution: Distribution, extras: Set<String>, because reason: String) {
        var queue = [(distribution, extras, reason)]
        while let (distribution, extras, reason) = queue.popLast() {
            if excluded.covers(module: distribution.name) || excluded.covers(module: distribution.normalizedName) {
                continue
            }
            let isNew = taken[distribution.normalizedName] == nil
            let wanted = extras.subtracting(taken[distribution.normalizedName] ?? [])
            guard isNew || !wanted.isEmpty else { continue }
            taken[distribution.normalizedName, default: []].formUnion(extras)
            var required: [String] = []
            for requirement in distribution.requirements {
                let holds = ([""] + extras).contains { extra in
                    requirement.marker.isEmpty
                        || EnvironmentMarker.holds(requirement.marker, extra: extra, installed.environment)
                }
                guard holds else { continue }
                required.append(requirement.name)
                if let next = installed.find(requirement.name) {
                    queue.append((next, Set(requirement.extras), "required by \(distribution.name)"))
                } else {
                    plan.notes.append("\(distribution.name) requires \(requirement.name), which is not installed")
                }
            }
            guard isNew else { continue }
            let count = addFiles(of: distribution, because: reason)
            plan.distributions.append(
                BundleDistribution(
                    name: distribution.name, version: distribution.version, license: distribution.license,
                    reason: reason, fileCount: count, requirements: required))
        }
    }

    /// Extension modules of the same distributions for another interpreter, from its own environment.
    mutating func addExtensions(for other: Interpreter) throws(BundleError) {
        let environment = InstalledDistributions(other, more: request.searchPaths)
        let natives = Set(plan.files.filter(\.isNative).compactMap(\.distribution))
        for distribution in plan.distributions where natives.contains(distribution.name) {
            guard let found = environment.find(Distribution.normalized(distribution.name)),
                found.version == distribution.version
            else {
                let there = environment.find(Distribution.normalized(distribution.name))?.version
                throw BundleError(
                    "\(distribution.name) \(distribution.version) has extension modules, and "
                        + (there.map { "\(other.path) has version \($0)" } ?? "it is not installed for \(other.path)")
                        + "; install the same version there, or bundle for one Python")
            }
            let reason = BundleReason.distribution("\(found.name) \(found.version)", because: "for \(other.name)")
            for file in found.files where file.hasSuffix(".so") || file.contains(".so.") {
                add(file, .file(found.folder.appending(file)), reason)
            }
        }
    }

    /// Files of a metadata directory that say how and where it was installed, which is different on each machine.
    private static let installationFiles: Set<String> = [
        "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json",
    ]

    mutating func addFiles(of distribution: Distribution, because reason: String) -> Int {
        let because = BundleReason.distribution("\(distribution.name) \(distribution.version)", because: reason)
        var kept: [String] = []
        for file in distribution.files {
            let isOutside = file.hasPrefix("/") || file.split(separator: "/").contains("..")
            let isOfInstaller =
                file.hasPrefix(distribution.metadataFolder + "/")
                && Self.installationFiles.contains(String(file.dropFirst(distribution.metadataFolder.count + 1)))
            if isOutside || isOfInstaller || FileTree.isBytecode(file) || !file.contains("/") && file.hasSuffix(".pth")
                || !file.contains("/") && file.hasPrefix("__editable__")
            {
                continue
            }
            if excluded.covers(path: file)
                || BundleFile.module(file.dropLast(3)).map({ excluded.covers(module: $0.name) }) == true
            {
                continue
            }
            let place = distribution.folder.appending(file)
            do throws(SystemError) {
                // RECORD may list what an image builder has removed.
                guard try Host.status(place)?.kind == .regular else { continue }
            } catch {
                // Reported when it is read.
            }
            add(file, .file(place), because, of: distribution.name)
            kept.append(file)
        }
        kept.sort()
        let record = kept.map {
            $0.contains(",") || $0.contains("\"") ? "\"\($0.replacing("\"", with: "\"\""))\",,\n" : "\($0),,\n"
        }
        add(
            distribution.metadataFolder + "/RECORD", .bytes(Array(record.joined().utf8)), because,
            of: distribution.name)
        return kept.count
    }
}
