// Makes a bundle from a plan: reads the files, gets the bytecode, and lays everything out.

import Archive
import BasicTypes
import BuildModel
import Bytecode
import LinuxSystem

/// Where and how a bundle is written.
package struct BundleOptions: Sendable {
    package enum Form: String, CaseIterable, Sendable {
        case pyz, zip, script, executable, dir

        /// Whether Pythons before 3.6 can use it, which the importer does not support.
        package var supportsOldPythons: Bool { self == .zip || self == .script }
        /// Whether it is imported by Python's own means, which find the bytecode of one interpreter if there are no sources.
        package var isPlain: Bool { self == .zip || self == .dir }
    }

    package var form = Form.pyz
    package var isSourceless = false
    package var isCompressed = false
    /// After `#!`.
    package var shebang = "/usr/bin/env python3"
    /// `SOURCE_DATE_EPOCH`
    package var epoch: Int64?
    /// Whether the result has a manifest.
    package var wantsManifest = false

    /// The time of all files in a directory, in seconds since 1970.
    package var folderTime: Int64 { max(epoch ?? 0, ZipWriter.Time.earliestSeconds) }

    package init() {}

    /// Whether a directory may be replaced by a bundle: it is empty, or an earlier bundle.
    package static func canReplaceDirectory(_ place: BytePath) -> Bool {
        guard ((try? Host.status(place, followsLinks: false)) ?? nil)?.kind == .directory else { return false }
        let main = Host.contents(place.appending(FolderWriter.mainPath), limit: 1 << 16)
        return main?.starts(with: FolderWriter.mark.utf8) ?? FileTree.names(in: place).isEmpty
    }
}

package struct BundleResult: Sendable {
    package enum Output: Sendable {
        /// In parts to be written one after the other.
        case file([[UInt8]])
        case directory([BundleFolderFile])
    }

    package let output: Output
    package var size: Int {
        switch output {
        case .file(let parts): parts.reduce(0) { $0 + $1.count }
        case .directory(let files): files.reduce(0) { $0 + $1.bytes.count }
        }
    }
    package let fileCount: Int
    package let moduleCount: Int
    package let notes: [String]
    package let manifest: BundleManifest?
}

/// Runs one build. Lives on its loop.
package final class BundleBuild {
    package enum Failure: Error, Sendable {
        case message(String)
        /// Sources of the program that do not compile.
        case findings([LocatedDiagnostic])
        case cancelled
    }

    private let plan: BundlePlan
    private let options: BundleOptions
    private let compiler: BundleCompiler
    private var isCancelled = false

    package init(_ plan: BundlePlan, _ options: BundleOptions, compiler: BundleCompiler) {
        self.plan = plan
        self.options = options
        self.compiler = compiler
    }

    package func cancel() {
        isCancelled = true
        compiler.cancel()
    }

    package func run(
        progress: @escaping (Int, Int) -> Void, done: @escaping (Result<BundleResult, Failure>) -> Void
    ) {
        let interpreters = compiler.interpreters
        let contents: [[UInt8]]
        do throws(BundleError) {
            contents = try read()
        } catch {
            return done(.failure(.message(error.message)))
        }
        var jobs: [BundleCompiler.Job] = []
        /// The file that a job is for; `nil` for the importer.
        var owners: [Int?] = []
        for (index, file) in plan.files.enumerated() where file.module != nil || plan.program == .script(file.path) {
            for interpreter in interpreters.indices {
                jobs.append(.init(source: contents[index], fileName: BytePath(file.path), interpreter: interpreter))
                owners.append(index)
            }
        }
        for interpreter in interpreters.indices where BundleWriter.canImport(interpreters[interpreter]) {
            jobs.append(
                .init(
                    source: BundleWriter.importerSource, fileName: BytePath("<importer of the bundle>"),
                    interpreter: interpreter))
            owners.append(nil)
        }
        compiler.run(jobs, progress: progress) { [self] outcomes in
            if isCancelled { return done(.failure(.cancelled)) }
            var code = [[[UInt8]?]](
                repeating: Array(repeating: nil, count: interpreters.count), count: plan.files.count)
            var importers = [[UInt8]?](repeating: nil, count: interpreters.count)
            var findings: [LocatedDiagnostic] = []
            var refused: [String: Int] = [:]
            for (index, outcome) in outcomes.enumerated() {
                let interpreter = jobs[index].interpreter
                switch (outcome, owners[index]) {
                case (.code(let bytes), let owner?): code[owner][interpreter] = bytes
                case (.code(let bytes), nil): importers[interpreter] = bytes
                case (.refused(let diagnostics), let owner?):
                    if let distribution = plan.files[owner].distribution {
                        refused[distribution, default: 0] += 1
                    } else {
                        findings += diagnostics.map {
                            LocatedDiagnostic(
                                path: Self.place(of: plan.files[owner]), diagnostic: $0,
                                interpreters: interpreters.count > 1 ? [interpreters[interpreter].name] : [])
                        }
                    }
                case (.unavailable(let diagnostic), let owner?):
                    findings.append(LocatedDiagnostic(path: Self.place(of: plan.files[owner]), diagnostic: diagnostic))
                case (.refused, nil), (.unavailable, nil):
                    return done(
                        .failure(
                            .message(
                                "\(interpreters[interpreter].name) cannot run bundles; they need Python 3.6 or newer")))
                case (nil, _): return done(.failure(.cancelled))
                }
            }
            let errors = findings.filter { $0.diagnostic.severity == .error }
            if !errors.isEmpty { return done(.failure(.findings(errors))) }
            var notes: [String] = []
            for (distribution, count) in refused.sorted(by: { $0.key < $1.key }) {
                let (verb, copula) = count == 1 ? ("does", "is") : ("do", "are")
                notes.append(
                    "\(distribution): \(Plural.count(count, "source")) \(verb) not compile, and \(copula) included without bytecode"
                )
            }
            done(finish(contents, code, importers, interpreters, notes))
        }
    }

    private func finish(
        _ contents: [[UInt8]], _ code: [[[UInt8]?]], _ importers: [[UInt8]?], _ interpreters: [Interpreter],
        _ notes: [String]
    ) -> Result<BundleResult, Failure> {
        let all = plan.files
        var files = ParallelSlices.map(Array(all.indices), sliceSize: 16, scratch: {}) { index, _ in
            let file = all[index]
            return BundleContents(
                path: file.path, bytes: contents[index], isNative: file.isNative,
                extensions: interpreters.map { file.extensionModule(for: $0)?.name }, crc: CRC32.of(contents[index]),
                bytecode: zip(interpreters, code[index]).map { interpreter, code in
                    code.map { BytecodeFile($0, interpreter, source: contents[index]) }
                }, module: file.module, distribution: file.distribution)
        }
        let compressor = options.isCompressed || options.form == .script ? interpreters.first : nil
        if let compressor {
            do throws(BundleError) {
                try BundleCompression.apply(to: &files, by: compressor)
            } catch {
                return .failure(.message(error.message))
            }
        }
        let beginning: [UInt8]
        do throws(BundleError) {
            beginning =
                options.form == .executable
                ? try BundleLauncher.installed().configured(
                    options.shebang, for: interpreters, runsOnOthers: !options.isSourceless)
                : BundleWriter.beginning(shebang: options.shebang)
        } catch {
            return .failure(.message(error.message))
        }
        let writer = BundleWriter(
            interpreters: interpreters, program: plan.program, isSourceless: options.isSourceless,
            beginning: beginning,
            time: options.epoch.map { .init(secondsSince1970: $0) } ?? .earliest)
        do throws(ZipError) {
            return .success(
                BundleResult(
                    output: try output(files, importers, writer, compressor), fileCount: files.count,
                    moduleCount: files.count { $0.module != nil }, notes: notes + self.notes(interpreters),
                    manifest: options.wantsManifest
                        ? BundleManifest(plan, contents: contents, interpreters: interpreters) : nil))
        } catch {
            return .failure(.message("cannot make the bundle: \(error.reason); --exclude the file"))
        }
    }

    private func output(
        _ files: [BundleContents], _ importers: [[UInt8]?], _ writer: BundleWriter, _ compressor: Interpreter?
    ) throws(ZipError) -> BundleResult.Output {
        switch options.form {
        case .pyz, .executable: return .file(try writer.program(files, importers: importers))
        case .zip: return .file([try writer.zip(files)])
        case .dir:
            return .directory(
                FolderWriter(writer: writer, time: options.folderTime).files(files))
        case .script:
            let archive = try writer.innerArchive(files, importers: importers, start: 0)
            let compressed = compressor.flatMap { try? BundleCompression.deflated(archive.bytes, by: $0) }
            guard let compressed else { throw .inconsistent("the archive cannot be compressed") }
            return .file([ScriptWriter.script(archive, compressed: compressed, writer, shebang: options.shebang)])
        }
    }

    private func notes(_ interpreters: [Interpreter]) -> [String] {
        guard options.form == .zip, !options.isSourceless, let old = interpreters.first, old.layout != .flagged
        else { return [] }
        return [
            "\(old.name) compares times in an archive, which depend on the time zone, so the library has sources alone; use --sourceless for bytecode"
        ]
    }

    private static func place(of file: BundleFile) -> BytePath {
        if case .file(let path) = file.origin { return path }
        return BytePath(file.path)
    }

    /// More than any file of a program.
    private static let largestFile = 1 << 31

    private func read() throws(BundleError) -> [[UInt8]] {
        let read = ParallelSlices.map(plan.files, sliceSize: 16, scratch: {}) {
            file, _ -> Result<[UInt8], BundleError> in
            switch file.origin {
            case .bytes(let bytes): return .success(bytes)
            case .file(let path):
                do throws(SystemError) {
                    guard let bytes = try Host.readFile(path, limit: Self.largestFile) else {
                        return .failure(BundleError("\(path) was removed in the meantime; run again"))
                    }
                    return .success(bytes)
                } catch {
                    return .failure(
                        BundleError("cannot read \(path): \(error.reason); change its permissions or --exclude it"))
                }
            }
        }
        var contents: [[UInt8]] = []
        contents.reserveCapacity(read.count)
        for result in read { contents.append(try result.get()) }
        return contents
    }
}
