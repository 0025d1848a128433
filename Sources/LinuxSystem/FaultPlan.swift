// Injects failures of system calls, so that tests can exercise every call that may fail. Debug builds only.

#if DEBUG
    import BasicTypes
    import Glibc
    import Synchronization

    /// The plan in the environment variable FRESHPYC_FAULT: a list of parts separated by `;`:
    ///
    /// - `count:FILE` appends a line to FILE for each call: its operation, a tab and its path. An injected failure adds
    ///   a tab and its errno. FILE must not be in a watched directory.
    /// - `fail:OPERATION:K:ERRNO` makes the K-th call of OPERATION, counted from 1, fail with ERRNO (a number) instead
    ///   of being made. `K+` also fails every later call of OPERATION.
    package final class FaultPlan: Sendable {
        /// For tests that inject failures into their own task.
        @TaskLocal package static var local: FaultPlan?
        private static let ofProcess: FaultPlan? = getenv("FRESHPYC_FAULT").map { raw in
            let text = String(cString: raw)
            guard let plan = FaultPlan(text) else {
                let message = "freshpyc: FRESHPYC_FAULT: cannot read '\(text)'\n"
                _ = message.withCString { Glibc.write(2, $0, strlen($0)) }
                Host.exit(2)
            }
            return plan
        }

        private struct Failure {
            let operation: String
            let call: Int
            let isLasting: Bool
            let code: Int32
        }

        private let failures: [Failure]
        private let record: OwnedDescriptor?
        private let calls = Mutex<[String: Int]>([:])

        /// - Returns: `nil` if the text is malformed, or FILE cannot be opened.
        package init?(_ text: String) {
            var failures: [Failure] = []
            var record: OwnedDescriptor?
            for part in text.split(separator: ";") {
                let words = part.split(separator: ":", omittingEmptySubsequences: false)
                switch words.first {
                case "count" where words.count == 2:
                    let raw = open(String(words[1]), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
                    guard raw >= 0 else { return nil }
                    record = OwnedDescriptor(raw)
                case "fail" where words.count == 4:
                    let isLasting = words[2].hasSuffix("+")
                    guard let call = Int(isLasting ? words[2].dropLast() : words[2]), let code = Int32(words[3]) else {
                        return nil
                    }
                    failures.append(
                        Failure(operation: String(words[1]), call: call, isLasting: isLasting, code: code))
                default: return nil
                }
            }
            self.failures = failures
            self.record = record
        }

        /// Counts a call. Returns the errno with which it must fail, or `nil` to make the call.
        static func fault(at operation: String, _ path: BytePath) -> Int32? {
            (local ?? ofProcess)?.fault(at: operation, path)
        }

        private func fault(at operation: String, _ path: BytePath) -> Int32? {
            let number = calls.withLock { calls in
                calls[operation, default: 0] += 1
                return calls[operation, default: 0]
            }
            let code = failures.first {
                $0.operation == operation && ($0.call == number || $0.isLasting && $0.call < number)
            }?.code
            if let record {
                let line = "\(operation)\t\(path)\(code.map { "\t\($0)" } ?? "")\n"
                _ = line.withCString { Glibc.write(record.raw, $0, strlen($0)) }
            }
            return code
        }
    }
#endif
