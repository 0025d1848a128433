// One interpreter process that runs worker.py.
// Knows: how it is started, and how frames are put together from what its pipe gives. Does not know: jobs.

import BasicTypes
import BuildModel
import LinuxSystem

/// A worker's process and the bytes that came from it.
final class WorkerProcess {
    let child: ChildProcess
    private var received: [UInt8] = []
    private var consumed = 0
    private var chunk = [UInt8](repeating: 0, count: 65_536)

    /// Frames larger than this are rubbish: no code comes near it.
    private static let largestFrame = 1 << 31

    /// The program, and a first line short enough to be read in a list of processes: it reads the rest from standard
    /// input, for an argument must not be longer than 128 KiB.
    private static let program = PackageResources.worker_py
    private static let bootstrap = BytePath(
        "import os\ns=b''\nwhile len(s)<\(program.count):s+=os.read(0,\(program.count)-len(s))\n"
            + "exec(compile(s,'freshpyc-worker','exec'))")

    /// Nothing of the user's environment but what the dynamic loader may need to find libpython. This, `-S` and
    /// worker.py's first line isolate as `-I` does; `-I` itself would ignore PYTHONHASHSEED.
    static var environment: [BytePath] {
        var environment = [BytePath("PYTHONHASHSEED=0"), BytePath("LC_ALL=C.UTF-8")]
        if let libraries = Host.environment("LD_LIBRARY_PATH") {
            environment.append(BytePath(Array("LD_LIBRARY_PATH=".utf8) + libraries.bytes) ?? .empty)
        }
        return environment
    }

    /// - Parameters:
    ///   - level: given to the process where it cannot be given with each file (Python 2).
    ///   - tells: whether its first frame is to say all that a probe asks.
    init(_ executable: BytePath, level: OptimizationLevel?, tells: Bool = false) throws(SystemError) {
        var flags = ["-s", "-S", "-B"]
        switch level {
        case .asserts: flags.append("-O")
        case .docstrings: flags.append("-OO")
        case nil, .some(.none): break
        }
        child = try ChildProcess(
            executable,
            arguments: flags.map { BytePath($0) } + [BytePath("-c"), Self.bootstrap]
                + (tells ? [BytePath("tell")] : []),
            environment: Self.environment, sharesErrors: false)
        // Large pipes let several sources wait at the worker, so that it never waits for us.
        child.input.growPipe(to: 1 << 20)
        child.output.growPipe(to: 1 << 20)
        // A fresh pipe holds the program whole.
        do throws(SystemError) {
            _ = try Self.program.withRawBytes { bytes throws(SystemError) in try child.input.writeSome(bytes) }
        } catch  where error.isBrokenPipe {
            // It has ended already; the end of its output says so to whoever reads.
        }
    }

    /// Whether an idle worker, which says nothing, has something to read after all: the end of its output.
    var hasEnded: Bool { (try? child.output.waitUntilReadable(nanoseconds: -1_000_000)) ?? true }

    /// What reading came to.
    enum Reading {
        case more
        case ended
        case rubbish
    }

    /// Reads what there is and hands over each whole frame.
    func read(_ body: (WorkerFrame) -> Void) -> Reading {
        while true {
            var count = 0
            var failure: SystemError?
            chunk.withUnsafeMutableBytes { buffer in
                do throws(SystemError) {
                    count = try child.output.read(into: buffer)
                } catch {
                    failure = error
                }
            }
            if let failure { return failure.wouldBlock ? .more : .ended }
            if count == 0 { return .ended }
            received += chunk[..<count]
            guard takeFrames(body) else { return .rubbish }
            if count < chunk.count { return .more }
        }
    }

    private var frameLength: Int? {
        guard received.count - consumed >= 4 else { return nil }
        return received.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: consumed, as: UInt32.self)))
        }
    }

    private func takeFrames(_ body: (WorkerFrame) -> Void) -> Bool {
        while let length = frameLength {
            guard length < Self.largestFrame else { return false }
            guard received.count - consumed >= length + 4 else { break }
            let frame = received.withUnsafeBytes {
                WorkerFrame(payload: UnsafeRawBufferPointer(rebasing: $0[(consumed + 4)..<(consumed + 4 + length)]))
            }
            guard let frame else { return false }
            consumed += length + 4
            body(frame)
        }
        if consumed == received.count {
            // One large file must not leave its memory behind.
            received.removeAll(keepingCapacity: received.capacity <= 1 << 20)
            consumed = 0
        } else if consumed > 1 << 20 {
            received.removeFirst(consumed)
            consumed = 0
        }
        return true
    }
}
