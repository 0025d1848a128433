// Runs a child process with a given input, and reads its output to the end, within a deadline. Both pipes are served as
// they become ready, so a child that reads late or writes early does not block.

import BasicTypes

/// Runs one program to its end and collects its standard output.
package struct ProcessExchange {
    package var executable: BytePath
    package var arguments: [BytePath]
    /// The child's complete environment.
    package var environment: [BytePath]
    /// The contents of its standard input.
    package var input: [UInt8]
    /// Maximum number of bytes of output.
    package var outputLimit: Int
    /// Maximum run time, in nanoseconds.
    package var deadline: Int64
    /// Whether it inherits standard error; otherwise its standard error is discarded.
    package var sharesErrors: Bool

    /// The result of a program that exited by itself.
    package struct Answer: Sendable {
        package let output: [UInt8]
        package let ending: ExitReason
    }

    /// Why there is no answer. If it was started, the child has been killed.
    package enum Failure: Error, Hashable, Sendable {
        case system(SystemError)
        /// It did not exit within the deadline (nanoseconds).
        case timedOut(Int64)
        /// It wrote more than the limit (bytes).
        case tooMuchOutput(Int)

        /// For use after a colon.
        package var reason: String {
            switch self {
            case .system(let error): error.reason
            case .timedOut(let deadline): "no answer within \(deadline / 1_000_000_000) s"
            case .tooMuchOutput(let limit): "more than \(limit) bytes of output"
            }
        }
    }

    package init(
        _ executable: BytePath, arguments: [BytePath], environment: [BytePath], input: [UInt8] = [],
        outputLimit: Int = 64 << 20, deadline: Int64, sharesErrors: Bool = false
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.input = input
        self.outputLimit = outputLimit
        self.deadline = deadline
        self.sharesErrors = sharesErrors
    }

    /// Starts the program, sends the input, and reads until the program has exited.
    ///
    /// A child that closes its standard input early is not an error; its exit status shows whether it failed.
    package func run() throws(Failure) -> Answer {
        let end = Host.monotonic.addingReportingOverflow(deadline)
        let due = end.overflow ? Int64.max : end.partialValue
        let child: ChildProcess
        let output: [UInt8]?
        let ending: ExitReason?
        do throws(SystemError) {
            child = try ChildProcess(
                executable, arguments: arguments, environment: environment, sharesErrors: sharesErrors)
            output = try transfer(child, due: due)
            // A program may close its output and keep running.
            ending = try output == nil ? nil : child.wait(nanoseconds: max(0, due - Host.monotonic))
        } catch {
            throw .system(error)
        }
        guard let output, let ending else {
            child.kill()
            throw .timedOut(deadline)
        }
        guard output.count <= outputLimit else { throw .tooMuchOutput(outputLimit) }
        return Answer(output: output, ending: ending)
    }

    /// Sends the input and reads the output to its end. Kills the child if there is more output than the limit.
    ///
    /// - Returns: the output; `nil` on timeout.
    private func transfer(_ child: ChildProcess, due: Int64) throws(SystemError) -> [UInt8]? {
        var sent = 0
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        if input.isEmpty { child.closeInput() }
        while output.count <= outputLimit {
            let remaining = due - Host.monotonic
            guard remaining > 0 else { return nil }
            let ready = try child.waitUntilReady(forInput: sent < input.count, nanoseconds: remaining)
            if ready.input {
                sent += try send(from: sent, to: child)
                if sent == input.count { child.closeInput() }
            }
            guard ready.output else { continue }
            let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in
                try child.output.read(into: bytes)
            }
            if count == 0 {
                child.closeInput()
                return output
            }
            output += buffer[..<count]
        }
        child.kill()
        return output
    }

    /// - Returns: the number of bytes that need not be sent again: all of the rest once the child has closed its input.
    private func send(from start: Int, to child: ChildProcess) throws(SystemError) -> Int {
        do throws(SystemError) {
            return try input.withRawBytes { bytes throws(SystemError) in
                try child.input.writeSome(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            }
        } catch  where error.isBrokenPipe {
            return input.count - start
        } catch  where error.wouldBlock {
            return 0
        }
    }
}
