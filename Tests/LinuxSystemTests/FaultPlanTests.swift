import BasicTypes
import Testing

@testable import LinuxSystem

@Suite struct FaultPlanTests {
    private let permissionDenied: Int32 = 1
    private let interrupted: Int32 = 4
    private let inputOutput: Int32 = 5
    private let outOfMemory: Int32 = 12

    /// Runs `body` with these failures injected into the current task.
    private func with<Result>(_ text: String, _ body: () throws -> Result) throws -> Result {
        let plan: FaultPlan = try #require(FaultPlan(text))
        return try FaultPlan.$local.withValue(plan) { try body() }
    }

    @Test func onlyTheNamedCallFails() throws {
        try with("fail:stat:2:\(inputOutput)") {
            _ = try #require(try Host.status(BytePath("/")))
            #expect(throws: SystemError("stat", BytePath("/"), code: inputOutput)) { try Host.status(BytePath("/")) }
            _ = try #require(try Host.status(BytePath("/")))
        }
    }

    @Test func aLastingFailureStays() throws {
        try with("fail:stat:2+:\(inputOutput)") {
            _ = try #require(try Host.status(BytePath("/")))
            for _ in 0..<3 { #expect(throws: SystemError.self) { try Host.status(BytePath("/")) } }
        }
    }

    @Test func interruptedCallsAreMadeAgain() throws {
        try with("fail:stat:1:\(interrupted);fail:stat:2:\(interrupted)") {
            _ = try #require(try Host.status(BytePath("/")))
        }
    }

    @Test(arguments: [
        "fail", "fail:stat:1", "fail:stat:x:5", "fail:stat:1:x", "count", "count:/nowhere/file", "other:1",
    ])
    func malformedPlansAreRefused(_ text: String) {
        #expect(FaultPlan(text) == nil)
    }

    /// Older seccomp profiles of container runtimes return EPERM for unknown system calls.
    @Test(arguments: ["38", "1"])
    func withoutOpenat2PathsAreWalked(_ code: String) throws {
        try Scratch.withDirectory { directory, _ in
            _ = try directory.makeDirectory(BytePath("in"))
            _ = try directory.file(BytePath("in/file"), .createNew(0o644))
            _ = try directory.makeLink(BytePath("link"), to: BytePath("in"))
            try with("fail:openat2:1+:\(code)") {
                _ = try directory.directory(.empty)
                _ = try directory.file(BytePath("in/file"), .read)
                #expect(throws: SystemError.self) { try directory.file(BytePath("link/file"), .read) }
                #expect(throws: SystemError.self) { try directory.directory(BytePath("in/../..")) }
                #expect { try directory.file(BytePath("in/none"), .read) } throws: {
                    ($0 as? SystemError)?.isMissing == true
                }
            }
        }
    }

    /// A watched descriptor must become readable even if the kernel had no memory at first.
    @Test func aWatchThatFailedIsMadeAgain() throws {
        try Scratch.withDirectory { directory, _ in
            let readiness = try Readiness()
            let inotify = try InotifyDescriptor()
            _ = try inotify.watch(directory, .cookies)
            var isReadable = false
            _ = try with("fail:epoll_ctl:1:\(outOfMemory)") {
                readiness.watch(inotify.descriptor, reads: { isReadable = true })
            }
            _ = try directory.file(BytePath("new"), .createNew(0o644))
            let begun = Host.monotonic
            while !isReadable, Host.monotonic - begun < 20_000_000_000 {
                if try readiness.descriptor.waitUntilReadable(nanoseconds: 100_000_000) { readiness.deliver() }
            }
            #expect(isReadable)
        }
    }
}
