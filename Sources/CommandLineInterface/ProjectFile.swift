// pyproject.toml: `[tool.freshpyc]` and `requires-python`, read with an interpreter's own tomllib; the result is remembered
// in `.freshpyc/`.

import BasicTypes
import Interpreters
import LinuxSystem

/// A pyproject.toml.
struct ProjectFile {
    private let root: BytePath
    private let contents: [UInt8]

    /// What freshpyc takes from the file.
    struct Contents {
        /// `[tool.freshpyc]`; `nil` if there is no such table.
        var table: [String: JSONValue]?
        /// `requires-python` of `[project]` (PEP 621).
        var requiredPython: String?
    }

    /// `nil` if there is no such file.
    init?(root: BytePath) throws(UsageError) {
        let place = root.appending("pyproject.toml")
        do throws(SystemError) {
            guard try Host.status(place)?.kind == .regular, let contents = try Host.readFile(place) else { return nil }
            self.contents = contents
        } catch {
            throw UsageError(message: "\(place): cannot read the configuration: \(error.reason); make it readable")
        }
        self.root = root
    }

    /// Whether the file mentions us at all, in any way that TOML allows. If not, the settings need no interpreter to read it.
    var mentionsUs: Bool { contents.firstRange(of: Array("freshpyc".utf8)) != nil }

    /// Whether the file may say which Pythons the project supports.
    var mentionsRequiredPython: Bool { contents.firstRange(of: Array("requires-python".utf8)) != nil }

    /// Whether a line looks like the header of our table. Otherwise a mention may be that of a dependency.
    private var looksConfigured: Bool {
        contents.split(separator: UInt8(ascii: "\n")).contains { line in
            let text = String(decoding: line, as: UTF8.self).filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" }
            return text.hasPrefix("[tool.freshpyc") || text.hasPrefix("tool.freshpyc") || text.hasPrefix("freshpyc={")
        }
    }

    private static let remembered = BytePath(".freshpyc/pyproject.json")
    /// Prints an object with both values. Exit status 3 and a message: the file is not TOML.
    private static let program = """
        import json, sys
        try:
            import tomllib
        except ImportError:
            sys.exit(4)
        try:
            contents = tomllib.loads(sys.stdin.buffer.read().decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            print(error)
            sys.exit(3)
        def entry(table, *names):
            for name in names:
                table = table.get(name) if isinstance(table, dict) else None
            return table
        print(json.dumps({"freshpyc": entry(contents, "tool", "freshpyc"),
                          "requires-python": entry(contents, "project", "requires-python")}, default=str))
        """

    /// Reads the file: remembered from an earlier run if it has not changed, else with an interpreter.
    ///
    /// - Parameter mayRemember: whether `.freshpyc/` may be written.
    func read(mayRemember: Bool) throws(UsageError) -> Contents {
        let mark = Array("2 \(Fingerprint(of: contents))\n".utf8)
        if let earlier = Host.contents(root.appending(Self.remembered)), earlier.starts(with: mark),
            let contents = try? Self.decode(Array(earlier[mark.count...]))
        {
            return contents
        }
        guard let answer = try ask() else { return Contents() }
        let contents = try Self.decode(answer)
        if mayRemember { remember(mark + answer) }
        return contents
    }

    private static func decode(_ bytes: [UInt8]) throws(UsageError) -> Contents {
        guard case .table(let answer)? = try? JSONValueReader.read(bytes) else {
            throw UsageError(message: "pyproject.toml: the interpreter's answer cannot be read")
        }
        var contents = Contents()
        switch answer["freshpyc"] {
        case .table(let table): contents.table = table
        case nil, .null: break
        default: throw UsageError(message: "pyproject.toml: [tool.freshpyc] is not a table")
        }
        if case .text(let text) = answer["requires-python"] { contents.requiredPython = text }
        return contents
    }

    /// - Returns: what the program prints; `nil` if no interpreter has tomllib, and nothing looks like our table.
    private func ask() throws(UsageError) -> [UInt8]? {
        // tomllib is new in Python 3.11.
        for candidate in InterpreterFinder(root: root).all() {
            guard let answer = try? Self.run(candidate.path, input: contents) else { continue }
            switch answer.ending {
            case .status(0): return answer.output
            case .status(3):
                let lines = answer.output.split(separator: UInt8(ascii: "\n"))
                let reason = lines.first.map { String(decoding: $0, as: UTF8.self) } ?? "not TOML"
                throw UsageError(message: "pyproject.toml: invalid TOML: \(reason)")
            default: continue
            }
        }
        guard looksConfigured else { return nil }
        throw UsageError(
            message:
                "reading pyproject.toml needs Python 3.11 or newer, and none was found; install one, or use freshpyc.json instead"
        )
    }

    /// The time limit for an interpreter to read the file, in nanoseconds.
    private static let deadline: Int64 = 10_000_000_000

    private static func run(
        _ python: BytePath, input: [UInt8]
    ) throws(ProcessExchange.Failure) -> ProcessExchange.Answer {
        try ProcessExchange(
            python, arguments: ["-I", "-S", "-c", program].map { BytePath($0) },
            environment: [BytePath("LC_ALL=C.UTF-8")], input: input, deadline: deadline
        ).run()
    }

    private func remember(_ bytes: [UInt8]) {
        guard let directory = try? Directory(path: root).directory(BytePath(".freshpyc")) else { return }
        let name = BytePath.empty.appending(Self.remembered.lastComponent)
        _ = try? FileReplacement(name, in: directory).write(bytes)
    }
}
