// Starts work before its result is needed.

import Dispatch
import Synchronization

/// One value that is computed on another thread.
package final class Prefetch<Value: Sendable>: Sendable {
    private let made = Mutex<Value?>(nil)
    private let group = DispatchGroup()

    /// Starts the work immediately.
    package init(_ work: @escaping @Sendable () -> Value) {
        let queue = DispatchQueue(label: "freshpyc.prefetch", qos: .userInitiated)
        queue.async(group: group) { [self] in
            let value = work()
            made.withLock { $0 = value }
        }
    }

    /// Waits until the value is ready.
    package var value: Value {
        group.wait()
        guard let value = made.withLock({ $0 }) else { preconditionFailure("the group ends once there is a value") }
        return value
    }
}
