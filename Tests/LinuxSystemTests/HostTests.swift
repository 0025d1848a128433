import BasicTypes
import Glibc
import LinuxSystem
import Testing

@Suite struct HostTests {
    /// A killed process keeps its files and locks for a while, and must not count as running meanwhile.
    @Test func aKilledProcessIsEndingAtOnce() throws {
        for _ in 0..<50 {
            let child = try ChildProcess(
                BytePath("/bin/sleep"), arguments: [BytePath("1000")], environment: [], sharesErrors: false)
            #expect(Host.isAlive(child.identifier) && !Host.isEnding(child.identifier))
            Glibc.kill(child.identifier, SIGKILL)
            #expect(Host.isEnding(child.identifier))
            child.wait()
            #expect(Host.isEnding(child.identifier) && !Host.isAlive(child.identifier))
        }
    }

    @Test func otherSignalsDoNotEndAProcess() throws {
        let child = try ChildProcess(
            BytePath("/bin/sleep"), arguments: [BytePath("1000")], environment: [], sharesErrors: false)
        Glibc.kill(child.identifier, SIGSTOP)
        // Of two pending signals, the kernel delivers that with the lower number first, and that would end the process.
        let status = BytePath("/proc/\(child.identifier)/status")
        while !String(decoding: Host.contents(status) ?? [], as: UTF8.self).contains("State:\tT") {
            Host.sleep(nanoseconds: 1_000_000)
        }
        Glibc.kill(child.identifier, SIGUSR1)
        #expect(!Host.isEnding(child.identifier))
        child.kill()
    }

    @Test func aComputingProcessIsToldFromAnIdleOne() throws {
        let idle = try ChildProcess(
            BytePath("/bin/sleep"), arguments: [BytePath("1000")], environment: [], sharesErrors: false)
        let busy = try ChildProcess(
            BytePath("/bin/sh"), arguments: [BytePath("-c"), BytePath("while :; do :; done")], environment: [],
            sharesErrors: false)
        #expect(!Host.isComputing(idle.identifier))
        // On a busy machine, it may get no processor for a while.
        var isComputing = false
        for _ in 0..<40 where !isComputing { isComputing = Host.isComputing(busy.identifier) }
        #expect(isComputing)
        busy.kill()
        busy.wait()
        #expect(!Host.isComputing(busy.identifier))
        idle.kill()
    }
}
