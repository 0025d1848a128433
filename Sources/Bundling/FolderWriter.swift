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
    /// The first line of `__main__.py`: only a directory that has it is replaced by a new bundle.
    static let mark = "# This directory was made by freshpyc bundle."
    static let mainPath = "__main__.py"

    let writer: BundleWriter
    /// The time of all files, in seconds since 1970.
    let time: Int64

    func files(_ contents: [BundleContents]) -> [BundleFolderFile] {
        var files: [BundleFolderFile] = []
        for file in contents {
            for (interpreter, bytecode) in zip(writer.interpreters, file.bytecode) {
                guard let bytecode else { continue }
                // Without its source, Python looks for bytecode beside where the source would be.
                let path = writer.isSourceless ? file.path + "c" : BundleWriter.codePath(file.path, interpreter)
                files.append(
                    BundleFolderFile(
                        path: path, bytes: bytecode.validated(for: interpreter, time: time, size: file.bytes.count),
                        permissions: 0o644))
            }
            guard !writer.isOmitted(file) else { continue }
            files.append(
                BundleFolderFile(path: file.path, bytes: file.bytes, permissions: file.isNative ? 0o755 : 0o644))
        }
        let main = "\(Self.mark)\n\(start)"
        files.append(BundleFolderFile(path: Self.mainPath, bytes: Array(main.utf8), permissions: 0o644))
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
                from importlib.machinery import Source\(writer.isSourceless ? "less" : "")FileLoader as Loader
                __file__ = sys.path[0] + '/' + (
                    \(PythonLiteral.lines(path)))
                __spec__, __package__, __loader__ = None, None, Loader('__main__', __file__)
                exec(__loader__.get_code('__main__'))

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
