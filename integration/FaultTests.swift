// Commands when system calls fail. `faults/run.py` makes every call fail; these tests check specific promises.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct FaultTests {
    /// Older seccomp profiles of container runtimes return EPERM for system calls that they do not know.
    @Test func aTreeIsBuiltWithoutOpenat2() throws {
        let tree = try Tree(["a.py": "x = 1\n", "p/b.py": "y = 2\n"])
        let result = try tree.run("build", environment: ["FRESHPYC_FAULT": "fail:openat2:1+:1"])
        #expect(result.status == 0 && result.summary.hasPrefix("2 modules: 2 compiled"), "\(result)")
        #expect(try tree.differences() == "")
    }

    /// Ignoring the configuration and building with other options would be worse than an error.
    @Test func aConfigurationThatCannotBeReadIsAnError() throws {
        let tree = try Tree(["a.py": "x = 1\n", "freshpyc.json": "{\"optimize\": [2]}\n"])
        try tree.shell("chmod 000 freshpyc.json")
        let result = try Freshpyc.runWithoutPrivileges(
            ["build", "--python", tree.python.path.description], in: tree.path)
        #expect(
            result.status == 2
                && result.errors.contains("freshpyc.json: cannot read the configuration: permission denied"),
            "\(result)")
        #expect(!tree.exists("__pycache__"))
    }

    /// A listener stays readable until its client is accepted, which takes a free descriptor.
    @Test func withoutDescriptorsTheDaemonDoesNotSpin() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        // Keep the record out of the tree: each line written would be an event that leads to more calls.
        let record = Scratch.unique("calls")
        defer { Scratch.remove(record) }
        let daemon = try Daemon(
            tree, environment: ["FRESHPYC_FAULT": "fail:accept:1:24;fail:accept:2:24;fail:accept:3:24;count:\(record)"])
        #expect(try daemon.ask("wait").status == 0)
        let calls = String(decoding: Host.contents(record, limit: 1 << 26) ?? [], as: UTF8.self).split(separator: "\n")
        #expect(calls.count { $0.hasPrefix("accept\t\t24") } == 3)
        // The daemon waits for a timer between two failures.
        let first = try #require(calls.firstIndex { $0.hasPrefix("accept") })
        let last = try #require(calls.lastIndex { $0.hasPrefix("accept\t\t24") })
        #expect(calls[first...last].contains { $0.hasPrefix("timerfd_settime") }, "\(calls[first...last])")
    }
}
