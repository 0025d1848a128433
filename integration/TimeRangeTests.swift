// Files with any time that stat(2) can return: nothing traps, and the bytecode is what import would write.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct TimeRangeTests {
    /// For `touch -d`. The last two are the limits of the kernel's seconds.
    private static let times = [
        "1600-01-01", "1677-09-20", "1677-09-22", "1901-12-13", "1969-12-31T23:59:58.5Z", "1970-01-01T00:00:00Z",
        "2038-01-20", "2106-02-08", "2262-04-10", "2262-04-13", "2446-05-10", "@9223372036854775807",
        "@-9223372036854775808",
    ]

    private func tree() throws -> Tree {
        let files = Self.times.indices.map { ("m\($0).py", "x = \($0)\nimport m0\n") }
        let tree = try Tree(
            Dictionary(uniqueKeysWithValues: files), isAged: false, in: Scratch.homeOfAllTimes)
        for (index, time) in Self.times.enumerated() { try tree.shell("touch -d '\(time)' m\(index).py") }
        return tree
    }

    @Test func everyVerbTakesEveryTime() throws {
        let tree = try tree()
        let count = Self.times.count
        let first = try tree.run("build")
        #expect(first.status == 0 && first.summary.hasPrefix("\(count) modules: \(count) compiled"), "\(first)")
        #expect(try tree.differences(mode: "guarded") == "")
        let before = try tree.everything()
        let second = try tree.run("build")
        #expect(second.summary.hasPrefix("\(count) modules: 0 compiled, \(count) up to date"), "\(second)")
        #expect(try tree.everything() == before)
        for index in Self.times.indices {
            let result = try tree.run("why", "m\(index).py")
            #expect(result.status == 0 && result.output.contains("up to date"), "\(Self.times[index])\n\(result)")
            #expect(try tree.run("inspect", tree.pyc("m\(index).py"), usesPython: false).status == 0)
        }
        for words in [
            ["check"], ["verify"], ["graph"], ["cycles"], ["affected", "m0.py"], ["precompile"],
            ["clean", "--dry-run"],
            ["compileall", "."],
        ] {
            let result = try tree.run(words, usesPython: !["clean", "compileall"].contains(words[0]))
            #expect(result.status == 0, "\(words)\n\(result)")
        }
    }

    @Test func aDaemonSeesTimesChange() throws {
        let tree = try Tree(["m.py": "x = 1\n"], in: Scratch.homeOfAllTimes)
        let watch = try Watch(tree)
        for time in Self.times {
            try tree.shell("touch -d '\(time)' m.py")
            #expect(try tree.run("wait", usesPython: false).status == 0, "\(time)")
            try watch.converges()
            #expect(try tree.run("status", usesPython: false).status == 0, "\(time)")
            #expect(try tree.run("why", "m.py", usesPython: false).status == 0, "\(time)")
        }
        #expect(watch.compilations(of: "m.py") == 0, "\(watch.program.errors)")
        #expect(watch.stop().status == 0)
        #expect(try tree.run("build").summary.hasPrefix("1 module: 0 compiled"))
    }

    @Test func timesOutOfTheEnvironmentAreRefusedOrTaken() throws {
        let tree = try Tree(["m.py": "x = 1\n"])
        for (text, status) in [
            ("9223372036854775807", 2), ("-1", 2), ("99999999999999999999", 2), ("8589934591", 0), ("0", 0),
        ] as [(String, Int32)] {
            let result = try tree.run("precompile", environment: ["SOURCE_DATE_EPOCH": text])
            #expect(result.status == status, "\(text)\n\(result)")
        }
        for microseconds in ["9223372036854775807", "-9223372036854775808", "0"] {
            let watch = try Freshpyc.start(
                ["watch", "--python", tree.python.path.description], in: tree.path,
                environment: ["WATCHDOG_USEC": microseconds])
            tree.eventually("the daemon is ready") { watch.errors.contains("ready:") }
            watch.send(.interrupt)
            #expect(watch.finish().status == 0, "\(microseconds)")
        }
    }
}
