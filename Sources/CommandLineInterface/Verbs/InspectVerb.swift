// `freshpyc inspect`

import BasicTypes
import BuildModel
import Bytecode
import Documents
import Interpreters
import LinuxSystem

struct InspectVerb: Verb {
    static let declaration = VerbDeclaration(
        name: "inspect",
        summary: "show what a bytecode file or a bundle contains",
        arguments: "[OPTIONS] FILE… | -",
        description: [
            "Shows the header in plain words, and the code objects. Reading a file needs no Python; the interpreters found here are only asked which of them has the file's magic number. With `-`, the file is read from standard input."
        ],
        options: [.textOrJSON, .help],
        exitStatuses: [0: "all files are intact", 1: "a file is damaged", 2: "a file could not be read"],
        examples: [
            .init("freshpyc inspect __pycache__/module.cpython-312.pyc", "its header and its code objects"),
            .init("freshpyc inspect app.pyz", "a bundle: what it runs, for which Pythons, and what is in it"),
            .init("freshpyc inspect --format json a.pyc | jq '.files[].codes[].name'", "for a program"),
            .init("unzip -p app.zip module.pyc | freshpyc inspect -", "from standard input"),
        ])

    private let search: MagicSearch
    private let output: StandardOutput

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        let format: OutputFormat = parsed.choice("--format") ?? .text
        guard !parsed.operands.isEmpty else {
            throw UsageError(message: "inspect needs a bytecode file, or `-` for standard input")
        }
        let root = (try? Host.workingDirectory()) ?? BytePath("/")
        let bundles = parsed.operands.compactMap { BundleExamination($0, workingDirectory: root) }
        if format == .json, !bundles.isEmpty {
            guard bundles.count == parsed.operands.count else {
                throw UsageError(message: "bundles and bytecode have different JSON documents; name one kind of files")
            }
            return BundleExamination.writeJSON(bundles, verb: declaration.name, to: invocation.output)
        }
        return InspectVerb(search: MagicSearch(root: root), output: invocation.output).show(parsed.operands, format)
    }

    private func show(_ paths: [BytePath], _ format: OutputFormat) -> Int32 {
        var status: Int32 = 0
        var documents: [InspectDocument.File] = []
        var isFirst = true
        for path in paths {
            if format != .json, let bundle = BundleExamination(path, workingDirectory: BytePath(".")) {
                if !isFirst { output.write("\n") }
                isFirst = false
                status = max(status, bundle.inspect(output))
                continue
            }
            do throws(SystemError) {
                let inspected = try inspect(path)
                if inspected.problem != nil { status = max(status, 1) }
                if format == .json {
                    documents.append(InspectDocument.File(inspected))
                } else {
                    if !isFirst { output.write("\n") }
                    InspectPrinter(inspected, output: output).write()
                }
                isFirst = false
            } catch {
                status = 2
                FreshpycCommand.complain("cannot read '\(path)': \(error.reason); check the path")
            }
        }
        if format == .json {
            output.write(JSONLine.encode(InspectDocument(files: documents, exitStatus: status)))
        }
        return status
    }

    private func inspect(_ path: BytePath) throws(SystemError) -> InspectedFile {
        let isInput = path == BytePath("-")
        let bytes = isInput ? Host.standardInput() : try read(path)
        let name = isInput ? nil : CacheName(path.lastComponent)
        var file = bytes.withRawBytes { PycFile.guessing($0) }
        var writer: Interpreter?
        if let guessed = file, guessed.hasMagicEnding {
            writer = search.interpreter(magic: guessed.magic, likely: Self.likely(name))
            // A damaged file is best read with the layout of its writer.
            if !guessed.isWhole, let writer, let layout = CodeLayout(rawValue: writer.codeLayout) {
                let shape = PycShape(headerLength: writer.layout.rawValue, layout: layout)
                if shape != guessed.shape { file = bytes.withRawBytes { PycFile($0, shape: shape) } ?? guessed }
            }
        }
        return InspectedFile(path: path, bytes: bytes, file: file, name: name, writer: writer)
    }

    private func read(_ path: BytePath) throws(SystemError) -> [UInt8] {
        let parent = path.parent
        let directory = try Directory(path: parent.isEmpty ? BytePath(".") : parent)
        let file = try directory.fileFollowingLinks(BytePath.empty.appending(path.lastComponent))
        let status = try file.status(path)
        guard status.kind != .directory else { throw SystemError("read", path, .isDirectory) }
        guard status.kind == .regular else { throw SystemError("read", path, .notRegularFile) }
        // No bytecode is larger, because marshal's sizes are 32-bit integers; a sparse file may claim any size.
        guard status.stamp.size <= Int64(Int32.max) else { throw SystemError("read", path, .tooLarge) }
        return try file.readAll(expected: Int(clamping: status.stamp.size), limit: Int(Int32.max), path: path)
    }

    /// The `--python` specifications that probably find the interpreter with the file name's cache tag.
    private static func likely(_ name: CacheName?) -> [String] {
        guard let name, let version = CacheName.version(ofTag: name.tag) else { return [] }
        return name.tag.hasPrefix("pypy") ? ["pypy\(version)", "pypy\(version.prefix(1))"] : [version]
    }
}
