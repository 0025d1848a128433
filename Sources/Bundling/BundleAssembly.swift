// Puts a bundle together from files, bytecode and the interpreter. Takes values and returns values, so that it can run on any thread.

import Archive
import BasicTypes
import BuildModel
import LinuxSystem

struct BundleAssembly: Sendable {
    let plan: BundlePlan
    let options: BundleOptions
    let interpreters: [Interpreter]
    /// Of each file of the plan.
    let contents: [[UInt8]]
    /// For each file, the code for each interpreter.
    let code: [[[UInt8]?]]
    /// The compiled importer, for each interpreter that can run it.
    let importers: [[UInt8]?]
    let runtime: RuntimeContents?
    let notes: [String]

    func result() -> Result<BundleResult, BundleBuild.Failure> {
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
        do throws(BundleError) {
            var runtime = runtime
            let compressor = options.isCompressed || options.form == .script ? interpreters.first : nil
            if let compressor {
                try BundleCompression.apply(to: &files, by: compressor)
                try runtime?.compress(by: compressor)
            }
            let launcher = options.form == .executable ? try BundleLauncher.installed() : nil
            let beginning = try launcher?.configured(
                options.shebang, for: interpreters, runsOnOthers: !options.isSourceless)
            let writer = BundleWriter(
                interpreters: interpreters, program: plan.program, isSourceless: options.isSourceless,
                beginning: beginning ?? BundleWriter.beginning(shebang: options.shebang),
                time: options.epoch.map { .init(secondsSince1970: $0) } ?? .earliest)
            return .success(
                BundleResult(
                    output: try output(files, runtime, writer, launcher, compressor), fileCount: files.count,
                    moduleCount: files.count { $0.module != nil }, notes: notes + ownNotes,
                    manifest: options.wantsManifest
                        ? BundleManifest(
                            plan, contents: contents, runtime: runtime, interpreters: interpreters) : nil))
        } catch {
            return .failure(.message(error.message))
        }
    }

    private func output(
        _ files: [BundleContents], _ runtime: RuntimeContents?, _ writer: BundleWriter, _ launcher: BundleLauncher?,
        _ compressor: Interpreter?
    ) throws(BundleError) -> BundleResult.Output {
        let archive: BundleWriter.InnerArchive
        do throws(ZipError) {
            switch options.form {
            case .pyz: return .file(try writer.program(files, importers: importers).parts)
            case .zip: return .file([try writer.zip(files)])
            case .executable:
                var program = try writer.program(files, importers: importers, runtime: runtime)
                if let runtime, let table = program.table {
                    let words = "\(table.offset) \(table.size) \(runtime.digest) \(runtime.program)"
                    guard let told = launcher?.configured(words) else {
                        throw .inconsistent("the launcher cannot be told where the interpreter is")
                    }
                    program.parts[0] = told + program.parts[0].dropFirst(writer.beginning.count)
                }
                return .file(program.parts)
            case .dir:
                if runtime != nil, files.contains(where: { $0.path.hasPrefix(RuntimeContents.directory) }) {
                    throw .inconsistent("the program has a directory python/, where the interpreter belongs")
                }
                return .directory(
                    FolderWriter(writer: writer, time: options.folderTime).files(files)
                        + (runtime?.folderFiles(in: RuntimeContents.directory) ?? []))
            case .script: archive = try writer.innerArchive(files, importers: importers, start: 0)
            }
        } catch {
            throw BundleError("cannot make the bundle: \(error.reason); --exclude the file")
        }
        guard let compressor else {
            throw BundleError("a script needs an interpreter to compress it; name one with --python")
        }
        let compressed = try BundleCompression.whole(archive.bytes, by: compressor)
        return .file([ScriptWriter.script(archive, compressed: compressed, writer, shebang: options.shebang)])
    }

    private var ownNotes: [String] {
        guard options.form == .zip, !options.isSourceless, let old = interpreters.first, old.layout != .flagged
        else { return [] }
        return [
            "\(old.name) compares times in an archive, which depend on the time zone, so the library has sources alone; use --sourceless for bytecode"
        ]
    }
}
