// A function of each element of an array, on all processors.

import Dispatch
import Synchronization

/// Fans a pure or read-only function out over the elements of an array.
package enum ParallelSlices {
    /// Serial queues, one for each processor but the caller's.
    ///
    /// Not `concurrentPerform`, which uses a global queue: from its first thread on, libdispatch monitors the pool once a
    /// second for the rest of the process's life (workqueue.c), but an idle daemon should have no wake-ups. Serial
    /// queues use overcommit threads, which are not monitored.
    private static let queues = (1..<max(2, Processors.available)).map {
        DispatchQueue(label: "freshpyc.slices.\($0)", qos: .userInitiated)
    }

    /// The results of `transform`, in the order of the elements.
    ///
    /// Each processor takes one slice after another and has a scratch value of its own. Slices are small, so a slow one
    /// does not delay the end much. A short array is handled on the calling thread alone.
    package static func map<Element: Sendable, Result: Sendable, Scratch>(
        _ elements: [Element], sliceSize: Int = 64, scratch: @Sendable () -> Scratch,
        _ transform: @Sendable (Element, Scratch) -> Result
    ) -> [Result] {
        guard elements.count > sliceSize else {
            let scratch = scratch()
            return elements.map { transform($0, scratch) }
        }
        return [Result](unsafeUninitializedCapacity: elements.count) { buffer, initialized in
            let slots = Slots(base: buffer)
            let next = Atomic(0)
            withoutActuallyEscaping(scratch) { scratch in
                withoutActuallyEscaping(transform) { transform in
                    let group = DispatchGroup()
                    let work: @Sendable () -> Void = {
                        let scratch = scratch()
                        while true {
                            let start = next.add(sliceSize, ordering: .relaxed).oldValue
                            guard start < elements.count else { return }
                            for index in start..<min(start + sliceSize, elements.count) {
                                slots.base.initializeElement(at: index, to: transform(elements[index], scratch))
                            }
                        }
                    }
                    for queue in queues { queue.async(group: group, execute: work) }
                    work()
                    group.wait()
                }
            }
            initialized = elements.count
        }
    }

    /// The uninitialized results.
    ///
    /// `@unchecked Sendable` because the atomic counter gives each index to one thread only, and the results are read only
    /// after `group.wait()`.
    private struct Slots<Result>: @unchecked Sendable {
        let base: UnsafeMutableBufferPointer<Result>
    }
}
