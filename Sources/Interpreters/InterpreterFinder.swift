// Finds interpreters: PATH, virtual environments, and the directories of pyenv and uv. Does not run any.

import BasicTypes
import LinuxSystem

/// Where an interpreter was found.
package enum InterpreterOrigin: String, Sendable {
    case option = "--python"
    case activeEnvironment = "VIRTUAL_ENV"
    case rootEnvironment = ".venv"
    case path = "PATH"
    case pyenv
    case uv
}

/// An executable that may be an interpreter.
package struct InterpreterCandidate: Hashable, Sendable {
    package let path: BytePath
    package let origin: InterpreterOrigin
    /// Whether it comes from `--python all`: an interpreter that cannot be used is then skipped instead of being an
    /// error.
    package var isOptional = false
    /// The required version, if the user gave a version specifier instead of an interpreter.
    package var requirement: VersionSpecifier?

    package init(path: BytePath, origin: InterpreterOrigin) {
        self.path = path
        self.origin = origin
    }
}

/// Finds interpreters for building a root.
package struct InterpreterFinder: Sendable {
    private let root: BytePath
    private let searchPath: [BytePath]
    private let home: BytePath?

    package init(root: BytePath) {
        self.root = root
        home = Host.environment("HOME")
        searchPath =
            Host.environment("PATH")?.bytes.split(separator: UInt8(ascii: ":")).compactMap { BytePath($0) } ?? []
    }

    /// The default interpreter, for when the user names none.
    package func standard() throws(InterpreterError) -> InterpreterCandidate {
        if let environment = Self.defaultEnvironment(of: root) { return environment }
        if let python = command("python3") ?? command("python") {
            return InterpreterCandidate(path: python, origin: .path)
        }
        throw .noneFound
    }

    /// The default virtual environment of a root: the active one, or its `.venv`. Cheap enough for each wave.
    package static func defaultEnvironment(of root: BytePath) -> InterpreterCandidate? {
        if let environment = Host.environment("VIRTUAL_ENV"), let python = python(in: environment) {
            return InterpreterCandidate(path: python, origin: .activeEnvironment)
        }
        return python(in: root.appending(".venv")).map { InterpreterCandidate(path: $0, origin: .rootEnvironment) }
    }

    /// Resolves `--python SPEC`: a path, a version such as `3.12`, or a command.
    package func find(_ spec: String, relativeTo directory: BytePath) throws(InterpreterError) -> InterpreterCandidate {
        if spec.contains("/") {
            let given = BytePath(spec)
            let path = given.isAbsolute ? given : directory.appending(given).normalized
            if let python = Self.python(in: path) { return InterpreterCandidate(path: python, origin: .option) }
            guard Host.isExecutable(path) else {
                throw .notFound(spec: spec, searched: "no executable file there")
            }
            return InterpreterCandidate(path: path, origin: .option)
        }
        if let version = PythonVersion(spec) {
            let exact =
                command("python\(spec)") ?? (version.parts.count == 1 ? nil : command("python\(version.series)"))
            if let exact, version.parts.count < 3 { return InterpreterCandidate(path: exact, origin: .option) }
            if let newest = installed().filter({ version.covers($0.version) }).max(by: { $0.version < $1.version }) {
                return InterpreterCandidate(path: newest.path, origin: .option)
            }
            throw .notFound(spec: spec, searched: "looked on PATH and in the directories of pyenv and uv")
        }
        if let found = command(spec) { return InterpreterCandidate(path: found, origin: .option) }
        throw .notFound(spec: spec, searched: "looked on PATH")
    }

    /// The SPEC for all interpreters.
    package static let everything = "all"

    /// Resolves several `--python SPEC` in order; without any, returns the default interpreter.
    package func candidates(
        _ specs: [String], relativeTo directory: BytePath
    ) throws(InterpreterError) -> [InterpreterCandidate] {
        guard !specs.isEmpty else { return [try standard()] }
        var found: [InterpreterCandidate] = []
        for spec in specs {
            let requirement = VersionSpecifier(spec)
            if spec == Self.everything || requirement != nil {
                let everything = all()
                if everything.isEmpty { throw .noneFound }
                for var candidate in everything {
                    candidate.isOptional = true
                    candidate.requirement = requirement
                    found.append(candidate)
                }
            } else {
                found.append(try find(spec, relativeTo: directory))
            }
        }
        return found
    }

    /// All interpreters that can be found, each executable once. Used by `freshpyc interpreters` and `--python all`.
    package func all() -> [InterpreterCandidate] {
        var found: [InterpreterCandidate] = []
        if let standard = try? standard() { found.append(standard) }
        for directory in searchPath {
            for name in ["python3", "python2", "python2.7", "python", "pypy3", "pypy"]
                + (6...30).map({ "python3.\($0)" })
            {
                if let path = resolved(directory.appending(name)) {
                    found.append(InterpreterCandidate(path: path, origin: .path))
                }
            }
        }
        found += installed().sorted { $0.version < $1.version }.map {
            InterpreterCandidate(path: $0.path, origin: $0.origin)
        }
        var seen: Set<BytePath> = []
        return found.filter { seen.insert((try? Host.realPath($0.path)) ?? $0.path).inserted }
    }

    private static func python(in environment: BytePath) -> BytePath? {
        for name in ["bin/python3", "bin/python"] {
            let path = environment.appending(name)
            if Host.isExecutable(path) { return path }
        }
        return nil
    }

    private func command(_ name: String) -> BytePath? {
        for directory in searchPath {
            if let path = resolved(directory.appending(name)) { return path }
        }
        return nil
    }

    /// The executable for a name on PATH. A pyenv shim is a shell script that chooses by its environment; this consults
    /// the same sources without a shell.
    private func resolved(_ path: BytePath) -> BytePath? {
        guard Host.isExecutable(path) else { return nil }
        let directory = path.parent
        guard directory.lastComponent.elementsEqual("shims".utf8), !directory.parent.isEmpty,
            let versions = try? Host.status(directory.parent.appending("versions")), versions.kind == .directory
        else { return path }
        for version in pyenvVersions(pyenv: directory.parent) {
            let executable = directory.parent.appending("versions").appending(version).appending("bin")
                .appending(path.lastComponent)
            if Host.isExecutable(executable) { return executable }
        }
        return nil
    }

    /// pyenv's selection: `PYENV_VERSION`, else the nearest `.python-version` in the root or above, else the global
    /// file.
    private func pyenvVersions(pyenv: BytePath) -> [String] {
        var text = Host.environment("PYENV_VERSION").map { String(decoding: $0.bytes, as: UTF8.self) }
        var directory = root
        while text == nil {
            text = Host.contents(directory.appending(".python-version")).map { String(decoding: $0, as: UTF8.self) }
            if directory.components.isEmpty { break }
            directory = directory.parent
        }
        text = text ?? Host.contents(pyenv.appending("version")).map { String(decoding: $0, as: UTF8.self) }
        let selected = (text ?? "").split { $0.isWhitespace || $0 == ":" }.map(String.init)
        // A prefix such as `3.12` selects the newest installed version of its series.
        return selected.map { name in
            guard let version = PythonVersion(name), version.parts.count < 3 else { return name }
            let matching = installed().filter { $0.origin == .pyenv && version.covers($0.version) }
            return matching.max { $0.version < $1.version }?.version.text ?? name
        }
    }

    private struct Installed {
        let version: PythonVersion
        let path: BytePath
        let origin: InterpreterOrigin
    }

    /// pyenv's `versions/3.12.1`, and uv's `python/cpython-3.12.1-linux-x86_64-gnu`.
    private func installed() -> [Installed] {
        var found: [Installed] = []
        let pyenv = Host.environment("PYENV_ROOT") ?? home?.appending(".pyenv")
        let uv =
            Host.environment("UV_PYTHON_INSTALL_DIR")
            ?? (Host.environment("XDG_DATA_HOME") ?? home?.appending(".local/share"))?.appending("uv/python")
        for (folder, origin) in [(pyenv?.appending("versions"), InterpreterOrigin.pyenv), (uv, .uv)] {
            guard let folder, let directory = try? Directory(path: folder) else { continue }
            try? DirectoryListing().forEach(in: directory, path: folder) { name, _ throws(SystemError) in
                let entry = BytePath(cString: name)
                var text = entry.description
                if origin == .uv {
                    let fields = text.split(separator: "-")
                    guard fields.count > 1, fields[0] == "cpython" || fields[0] == "pypy" else { return }
                    text = String(fields[1])
                }
                guard let version = PythonVersion(text), version.parts.count == 3 else { return }
                guard let python = Self.python(in: folder.appending(entry)) else { return }
                found.append(Installed(version: version, path: python, origin: origin))
            }
        }
        return found
    }
}

/// One to three numbers separated by dots.
struct PythonVersion: Comparable, Hashable, Sendable {
    let parts: [Int]

    init?(_ text: String) {
        let fields = text.split(separator: ".", omittingEmptySubsequences: false)
        let parts = fields.compactMap { Int($0) }
        guard (1...3).contains(fields.count), parts.count == fields.count, parts.allSatisfy({ $0 >= 0 }) else {
            return nil
        }
        self.parts = parts
    }

    var text: String { parts.map(String.init).joined(separator: ".") }
    /// `3.12` for `3.12.1`.
    var series: String { parts.prefix(2).map(String.init).joined(separator: ".") }

    /// One of the numbers, zero if it is missing.
    func number(_ place: Int) -> Int { place < parts.count ? parts[place] : 0 }

    /// Whether the other version begins with these numbers.
    func covers(_ other: PythonVersion) -> Bool { other.parts.starts(with: parts) }

    static func < (left: Self, right: Self) -> Bool { left.parts.lexicographicallyPrecedes(right.parts) }
}
