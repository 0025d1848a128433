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
        let names = FileTree.names(in: place)
        return names.isEmpty || names.contains(Scope.bundleMark)
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
    /// What is called with the result, while the bundle is assembled.
    private var done: ((Result<BundleResult, Failure>) -> Void)?

    package init(_ plan: BundlePlan, _ options: BundleOptions, compiler: BundleCompiler) {
        self.plan = plan
        self.options = options
        self.compiler = compiler
    }

    /// Ends the build as soon as possible. What is assembled meanwhile is dropped.
    package func cancel() {
        isCancelled = true
        compiler.cancel()
        end(.failure(.cancelled))
    }

    private func end(_ result: Result<BundleResult, Failure>) {
        done?(result)
        done = nil
    }

    package func run(
        progress: @escaping (Int, Int) -> Void, done: @escaping (Result<BundleResult, Failure>) -> Void
    ) {
        let interpreters = compiler.interpreters
        let contents: [[UInt8]]
        var runtime: RuntimeContents?
        do throws(BundleError) {
            contents = try read()
            runtime = try plan.runtime.map { (runtime) throws(BundleError) in try RuntimeContents(runtime) }
        } catch {
            return done(.failure(.message(error.message)))
        }
        var jobs: [BundleCompiler.Job] = []
        var owners: [Owner] = []
        for (index, file) in plan.files.enumerated() where file.module != nil || plan.program == .script(file.path) {
            for interpreter in interpreters.indices {
                jobs.append(.init(source: contents[index], fileName: BytePath(file.path), interpreter: interpreter))
                owners.append(.file(index))
            }
        }
        for interpreter in interpreters.indices where BundleWriter.canImport(interpreters[interpreter]) {
            jobs.append(
                .init(
                    source: BundleWriter.importerSource, fileName: BytePath("<importer of the bundle>"),
                    interpreter: interpreter))
            owners.append(.importer)
        }
        for (index, source) in (runtime?.sources ?? []).enumerated() {
            jobs.append(.init(source: source.bytes, fileName: BytePath(source.path), interpreter: 0))
            owners.append(.runtime(index))
        }
        compiler.run(jobs, progress: progress) { [self] outcomes in
            if isCancelled { return done(.failure(.cancelled)) }
            var code = [[[UInt8]?]](
                repeating: Array(repeating: nil, count: interpreters.count), count: plan.files.count)
            var importers = [[UInt8]?](repeating: nil, count: interpreters.count)
            var library: [(source: Int, code: [UInt8])] = []
            var findings: [LocatedDiagnostic] = []
            var refused: [String: Int] = [:]
            for (index, outcome) in outcomes.enumerated() {
                let interpreter = jobs[index].interpreter
                switch (outcome, owners[index]) {
                case (.code(let bytes), .file(let owner)): code[owner][interpreter] = bytes
                case (.code(let bytes), .importer): importers[interpreter] = bytes
                case (.code(let bytes), .runtime(let owner)):
                    library.append((owner, bytes))
                // Some files of the standard library are templates, or meant for another version.
                case (.refused, .runtime): continue
                case (.refused(let diagnostics), .file(let owner)):
                    if let distribution = plan.files[owner].distribution {
                        refused[distribution, default: 0] += 1
                    } else {
                        findings += diagnostics.map {
                            LocatedDiagnostic(
                                path: Self.place(of: plan.files[owner]), diagnostic: $0,
                                interpreters: interpreters.count > 1 ? [interpreters[interpreter].name] : [])
                        }
                    }
                case (.unavailable(let diagnostic), .runtime):
                    return done(.failure(.message("cannot compile the standard library: \(diagnostic.message)")))
                case (.unavailable(let diagnostic), .file(let owner)):
                    findings.append(LocatedDiagnostic(path: Self.place(of: plan.files[owner]), diagnostic: diagnostic))
                case (.refused, .importer), (.unavailable, .importer):
                    return done(
                        .failure(
                            .message(
                                "\(interpreters[interpreter].name) cannot run bundles; they need Python 3.6 or newer")))
                case (nil, _): return done(.failure(.cancelled))
                }
            }
            if let first = interpreters.first { runtime?.addBytecode(library, first) }
            let errors = findings.filter { $0.diagnostic.severity == .error }
            if !errors.isEmpty { return done(.failure(.findings(errors))) }
            var notes: [String] = []
            for (distribution, count) in refused.sorted(by: { $0.key < $1.key }) {
                let (verb, copula) = count == 1 ? ("does", "is") : ("do", "are")
                notes.append(
                    "\(distribution): \(Plural.count(count, "source")) \(verb) not compile, and \(copula) included without bytecode"
                )
            }
            let assembly = BundleAssembly(
                plan: plan, options: options, interpreters: interpreters, contents: contents, code: code,
                importers: importers, runtime: runtime, notes: notes)
            self.done = done
            compiler.loop.offload({ assembly.result() }) { [self] result in end(result) }
        }
    }

    /// What a compiled source belongs to.
    private enum Owner {
        case file(Int)
        case importer
        /// A source of the standard library.
        case runtime(Int)
    }

    private static func place(of file: BundleFile) -> BytePath {
        if case .file(let path) = file.origin { return path }
        return BytePath(file.path)
    }

    /// More than any file of a program.
    static let largestFile = 1 << 31

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
