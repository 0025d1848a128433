// One run of `bundle`: makes the plan and the bundle, writes the file and shows the result.

import BasicTypes
import BuildModel
import Bundling
import Compilation
import Documents
import LinuxSystem
import Waves

struct BundleRun: Sendable {
    /// Other files to write.
    struct Documents: Sendable {
        let manifest: BytePath?
        let billOfMaterials: BytePath?
    }

    let arguments: SessionArguments
    let request: BundleRequest
    let options: BundleOptions
    let target: BytePath?
    let documents: Documents
    let isDry: Bool
    let output: StandardOutput

    func start(on loop: EventLoop) {
        let begun = Host.monotonic
        do throws(SessionError) {
            let session = try Session(arguments.configuration, loop: loop)
            for notice in session.notices { FreshpycCommand.complain(notice) }
            let plan: BundlePlan
            do throws(BundleError) {
                var planner = try BundlePlanner(request, session: session, workingDirectory: arguments.workingDirectory)
                plan = try planner.make()
            } catch {
                return stop(loop, session, complaining: error.message)
            }
            guard show(plan.findings) == 0 else {
                FreshpycCommand.complain("no bundle was written")
                session.interpreters.shutDown()
                return loop.stop(1)
            }
            if isDry {
                output.write(BundlePlanText(plan).text)
                session.interpreters.shutDown()
                return loop.stop(0)
            }
            build(plan, session, loop, begun)
        } catch {
            FreshpycCommand.complain(error.message)
            loop.stop(2)
        }
    }

    private func build(_ plan: BundlePlan, _ session: Session, _ loop: EventLoop, _ begun: Int64) {
        let configuration = arguments.configuration
        let compiler = BundleCompiler(
            loop: loop, pythons: session.interpreters, workers: configuration.jobs, deadline: configuration.deadline,
            level: configuration.options.levels.last ?? .none,
            store: configuration.storePlace.map { CodeStore(place: $0) })
        let progress = ProgressBar(isQuiet: arguments.isQuiet)
        let build = BundleBuild(plan, options, compiler: compiler)
        let interruption = Interruption()
        for number in [EventLoop.interrupt, EventLoop.terminate, EventLoop.hangUp] {
            loop.onSignal(number) {
                interruption.signal = number
                build.cancel()
            }
        }
        build.run(progress: { progress.update($0, $1) }) { result in
            progress.clear()
            compiler.close()
            if let signal = interruption.signal {
                FreshpycCommand.complain("interrupted; no bundle was written")
                return loop.stop(128 + signal)
            }
            switch result {
            case .success(let result): loop.stop(write(result, plan, compiler.interpreters, since: begun))
            case .failure(.findings(let findings)):
                _ = show(findings)
                FreshpycCommand.complain("no bundle was written")
                loop.stop(1)
            case .failure(.message(let message)):
                FreshpycCommand.complain(message)
                loop.stop(2)
            case .failure(.cancelled):
                FreshpycCommand.complain("cancelled; no bundle was written")
                loop.stop(2)
            }
        }
    }

    private func stop(_ loop: EventLoop, _ session: Session, complaining message: String) {
        FreshpycCommand.complain(message)
        session.interpreters.shutDown()
        loop.stop(2)
    }

    /// - Returns: the number of errors.
    private func show(_ findings: [LocatedDiagnostic]) -> Int {
        let printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
        for finding in findings.sorted(by: { $0.isBefore($1) }) {
            let path =
                finding.path.isAbsolute
                ? finding.path.relative(to: printer.root).map(printer.shown) ?? finding.path
                : printer.shown(finding.path)
            output.write(finding.diagnostic.rendered(path: path) + "\n")
        }
        return findings.count { $0.diagnostic.severity == .error }
    }

    private func write(
        _ result: BundleResult, _ plan: BundlePlan, _ interpreters: [Interpreter], since begun: Int64
    ) -> Int32 {
        guard let target else { return 2 }
        let given = (target.isAbsolute ? target : arguments.workingDirectory.appending(target)).normalized
        // Through a link, its target is replaced.
        let place = (try? Host.realPath(given)) ?? given
        do throws(SystemError) {
            try write(result.output, to: place)
        } catch {
            FreshpycCommand.complain("cannot write \(target): \(error.reason); name another place with -o")
            return 2
        }
        guard writeDocuments(result) else { return 2 }
        for note in plan.notes + result.notes where !arguments.isQuiet { FreshpycCommand.complain(note) }
        if !arguments.isQuiet {
            let distributions =
                plan.distributions.isEmpty ? "" : " (\(Plural.count(plan.distributions.count, "distribution")))"
            let names = interpreters.map(\.name).joined(separator: ", ")
            Host.writeError(
                "\(target): \(Plural.count(result.moduleCount, "module"))\(distributions)\(plan.runtime == nil ? "" : " with the interpreter"), \(Self.size(result.size)), for \(names), in \(Self.seconds(Host.monotonic - begun)) s\n"
            )
        }
        return 0
    }

    private func write(_ output: BundleResult.Output, to place: BytePath) throws(SystemError) {
        let parent = try Directory(path: place.parent)
        let name = BytePath(place.lastComponent) ?? place
        switch output {
        case .file(let parts):
            let isProgram = options.form != .zip
            try FileReplacement(name, in: parent, path: place)
                .write(.init(permissions: isProgram ? 0o777 : 0o666)) { file throws(SystemError) in
                    for part in parts {
                        try part.withRawBytes { bytes throws(SystemError) in try file.writeAll(bytes, path: place) }
                    }
                }
        case .directory(let files):
            let replacement = try DirectoryReplacement(name, in: parent)
            do throws(SystemError) {
                try BundleFolder(replacement.directory, time: options.folderTime).write(files)
                try replacement.commit()
            } catch {
                replacement.cancel()
                throw error
            }
        }
    }

    private func writeDocuments(_ result: BundleResult) -> Bool {
        guard let manifest = result.manifest else { return true }
        var texts: [(file: BytePath, option: String, text: String)] = []
        if let file = documents.manifest { texts.append((file, "--manifest", JSONLine.encodeForPeople(manifest))) }
        if let file = documents.billOfMaterials {
            texts.append((file, "--sbom", JSONLine.encodeForPeople(BillOfMaterials(manifest))))
        }
        for (file, option, text) in texts {
            do throws(SystemError) {
                let place = file.isAbsolute ? file : arguments.workingDirectory.appending(file)
                try OutputFile.write(Array(text.utf8), to: place)
            } catch {
                FreshpycCommand.complain("cannot write \(file): \(error.reason); name another file with \(option)")
                return false
            }
        }
        return true
    }

    private static func size(_ bytes: Int) -> String {
        bytes < 1_000_000 ? "\((bytes + 999) / 1000) kB" : "\(bytes / 1_000_000).\(bytes / 100_000 % 10) MB"
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let hundredths = nanoseconds / 10_000_000
        return "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)"
    }

    /// Which signal ended the run. Used on the loop only.
    private final class Interruption {
        var signal: Int32?
    }
}
