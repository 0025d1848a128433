// Finds the interpreters that tests use.
// Must not use freshpyc's own search for interpreters, which these tests check.

import BasicTypes
import LinuxSystem

/// One interpreter.
struct TestPython: Sendable, CustomStringConvertible {
    let path: BytePath
    let cacheTag: String
    let version: String

    var description: String { "Python \(version)" }

    private init?(_ path: BytePath) {
        let script =
            "import sys; i = getattr(sys, 'implementation', None); print(' '.join([i.cache_tag if i else '-', '.'.join(map(str, sys.version_info[:3])), sys.executable]))"
        guard let result = try? Program.run(path.description, "-c", script), result.status == 0 else { return nil }
        let fields = result.output.split(whereSeparator: \.isWhitespace).map(String.init)
        guard fields.count == 3 else { return nil }
        cacheTag = fields[0]
        version = fields[1]
        self.path = BytePath(fields[2])
    }

    /// The `python3` in PATH.
    static let standard: TestPython? = TestPython(BytePath("python3"))

    static let pypy: TestPython? = TestPython(BytePath("pypy3"))

    /// An interpreter of a series such as `3.12`, from PATH or pyenv.
    static func series(_ series: String) -> TestPython? {
        known.first { $0.version.hasPrefix(series + ".") }
    }

    private static let known: [TestPython] = {
        var paths: [String] = ((6...14).map { "python3.\($0)" }) + ["python2.7"]
        if let result = try? Program.shell(
            "ls -d \"$HOME\"/.pyenv/versions/[23].*/bin/python 2>/dev/null || true", in: home)
        {
            paths += result.output.split(separator: "\n").map(String.init)
        }
        return paths.compactMap { TestPython(BytePath($0)) }
    }()

    private static let home = Host.environment("HOME") ?? BytePath("/")
}
