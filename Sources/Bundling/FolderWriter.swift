// Writes a bundle as a directory, for a layer of a container: the files as they are, which any Python imports without an importer.

import BasicTypes
import BuildModel

/// One file of a bundle that is a directory.
package struct BundleFolderFile: Sendable {
    /// With `/`, relative to the directory.
    package let path: String
    package let bytes: [UInt8]
    package let permissions: UInt32
}

struct FolderWriter {
    static let mainPath = "__main__.py"

    let writer: BundleWriter
    /// The time of all files, in seconds since 1970.
    let time: Int64

    func files(_ contents: [BundleContents]) -> [BundleFolderFile] {
        var files: [BundleFolderFile] = []
        for file in contents {
            // A `__main__.py` of the program itself is run by Python as it is.
            let place = file.path == BundlePlanner.mainScript ? Self.mainPath : file.path
            for (interpreter, bytecode) in zip(writer.interpreters, file.bytecode) {
                guard let bytecode else { continue }
                // Without its source, Python looks for bytecode beside where the source would be.
                let path = writer.isSourceless ? place + "c" : BundleWriter.codePath(place, interpreter)
                files.append(
                    BundleFolderFile(
                        path: path, bytes: bytecode.validated(for: interpreter, time: time, size: file.bytes.count),
                        permissions: 0o644))
            }
            guard !writer.isOmitted(file) else { continue }
            files.append(
                BundleFolderFile(path: place, bytes: file.bytes, permissions: file.isNative ? 0o755 : 0o644))
        }
        if writer.program != .script(BundlePlanner.mainScript) {
            files.append(BundleFolderFile(path: Self.mainPath, bytes: Array(start.utf8), permissions: 0o644))
        }
        files.append(
            BundleFolderFile(
                path: Scope.bundleMark, bytes: Array("Made by freshpyc bundle.\n".utf8), permissions: 0o644))
        return files
    }

    /// The program of `__main__.py`: `python DIRECTORY` runs it with the directory first on `sys.path`.
    private var start: String {
        let (kind, name, function) = writer.entry
        switch kind {
        case "script":
            let path = writer.isSourceless ? name + "c" : name
            return """
                import sys
                from importlib.machinery import Source\(writer.isSourceless ? "less" : "")FileLoader

                def run(main, loader):
                    code = loader.get_code('__main__')
                    # The namespace is the program's.
                    for name in 'run', 'sys', 'Source\(writer.isSourceless ? "less" : "")FileLoader':
                        del main[name]
                    main.update(__file__=loader.path, __spec__=None, __package__=None, __loader__=loader)
                    exec(code, main)

                run(globals(), Source\(writer.isSourceless ? "less" : "")FileLoader('__main__', sys.path[0].rstrip('/') + '/' + (
                    \(PythonLiteral.lines(path)))))

                """
        case "module":
            return """
                import runpy
                if __name__ == '__main__':
                    # As `python -m` does. Processes of multiprocessing do it by themselves.
                    runpy._run_module_as_main(
                        \(PythonLiteral.lines(name)))

                """
        case "call":
            return """
                import sys
                if __name__ == '__main__':
                    target = __import__(
                        \(PythonLiteral.lines(name)), None, None, ['__name__'])
                    for part in (
                        \(PythonLiteral.lines(function))).split('.'):
                        target = getattr(target, part)
                    sys.exit(target())

                """
        default: return "raise SystemExit('this is a library; put the directory on sys.path')\n"
        }
    }
}
