import BasicTypes
import LinuxSystem
import Testing

@Suite struct ProcessExchangeTests {
    init() { Host.ignoreWriteSignals() }

    private func shell(
        _ script: String, input: [UInt8] = [], limit: Int = 1 << 26, deadline: Int64 = 60_000_000_000
    ) throws(ProcessExchange.Failure) -> ProcessExchange.Answer {
        try ProcessExchange(
            BytePath("/bin/sh"), arguments: [BytePath("-c"), BytePath(script)],
            environment: [BytePath("PATH=/usr/bin:/bin")], input: input, outputLimit: limit, deadline: deadline
        ).run()
    }

    /// More than any pipe holds, in both directions at the same time.
    @Test func largeInputComesBackWhole() throws {
        let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let answer = try shell("exec cat", input: input)
        #expect(answer.ending == .status(0))
        #expect(answer.output == input)
    }

    @Test func inputForAProgramThatDoesNotReadIsDropped() throws {
        let answer = try shell("exec 0<&-; echo done; exit 7", input: [UInt8](repeating: 1, count: 1_000_000))
        #expect(answer.ending == .status(7))
        #expect(answer.output == Array("done\n".utf8))
    }

    @Test func endlessOutputIsCutOff() {
        #expect(throws: ProcessExchange.Failure.tooMuchOutput(1_000_000)) {
            try shell("exec cat /dev/zero", limit: 1_000_000)
        }
    }

    @Test(arguments: ["exec sleep 1000", "exec 1>&-; exec sleep 1000", "while :; do echo x; done"])
    func programsThatDoNotEndAreKilled(_ script: String) {
        #expect(throws: ProcessExchange.Failure.timedOut(300_000_000)) {
            try shell(script, limit: 1 << 40, deadline: 300_000_000)
        }
    }

    @Test func aMissingProgramIsAnError() {
        #expect(throws: ProcessExchange.Failure.self) {
            try ProcessExchange(BytePath("/nonexistent"), arguments: [], environment: [], deadline: 1).run()
        }
    }
}
