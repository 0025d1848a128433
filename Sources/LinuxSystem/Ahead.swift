// Work that begins before its result is wanted.
// Knows: a queue of its own. Does not know: the work.

import Dispatch
import Synchronization

/// One value that is being made on another thread.
package final class Ahead<Value: Sendable>: Sendable {
    private let made = Mutex<Value?>(nil)
    private let group = DispatchGroup()

    /// Begins at once.
    package init(_ work: @escaping @Sendable () -> Value) {
        let queue = DispatchQueue(label: "freshpyc.ahead", qos: .userInitiated)
        queue.async(group: group) { [self] in
            let value = work()
            made.withLock { $0 = value }
        }
    }

    /// Waits for it.
    package var value: Value {
        group.wait()
        guard let value = made.withLock({ $0 }) else { preconditionFailure("the group is left once there is a value") }
        return value
    }
}
