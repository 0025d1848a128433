// `inspect`: what is in a bytecode file.
// Knows: how files are read, whom to ask who wrote them, exit statuses. Does not know: how anything is decoded or shown.

import BasicTypes
import BuildModel
import Bytecode
import Documents
import Interpreters
import LinuxSystem
import Service

struct InspectCommand {
    private let search: MagicSearch

    /// - Returns: the exit status.
    static func run(_ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        let format: OutputFormat = try parsed.choice("--format") ?? .text
        if format == .github { throw UsageError(message: "--format github is for check; use text or json") }
        guard !parsed.operands.isEmpty else {
            throw UsageError(message: "inspect needs a bytecode file, or `-` for standard input")
        }
        let root = (try? Host.workingDirectory()) ?? BytePath("/")
        return InspectCommand(search: MagicSearch(root: root)).show(parsed.operands, format)
    }

    private func show(_ paths: [BytePath], _ format: OutputFormat) -> Int32 {
        var status: Int32 = 0
        var documents: [InspectDocument.File] = []
        var isFirst = true
        for path in paths {
            do throws(SystemError) {
                let inspected = try inspect(path)
                if inspected.problem != nil { status = max(status, 1) }
                if format == .json {
                    documents.append(InspectDocument.File(inspected))
                } else {
                    if !isFirst { Host.write("\n", to: 1) }
                    InspectPrinter(inspected).write()
                }
                isFirst = false
            } catch {
                status = 2
                FreshpycCommand.complain("cannot read '\(path)': \(error.reason); check the path")
            }
        }
        if format == .json {
            Host.write(JSONLine.encode(InspectDocument(files: documents, exitStatus: status)), to: 1)
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
            // What is broken is best read as its writer would.
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
        guard status.kind != .directory else { throw SystemError("read", path, code: SystemError.isDirectory) }
        guard status.kind == .regular else { throw SystemError("read", path, code: SystemError.isNoFile) }
        return try file.readAll(expected: Int(clamping: status.stamp.size), path: path)
    }

    /// What `--python` would be for an interpreter of the tag.
    private static func likely(_ name: CacheName?) -> [String] {
        guard let name, let version = CacheName.version(ofTag: name.tag) else { return [] }
        return name.tag.hasPrefix("pypy") ? ["pypy\(version)", "pypy\(version.prefix(1))"] : [version]
    }
}
