// Maps a function over an array on all processors.

import Dispatch
import Synchronization

/// Maps a pure or read-only function over an array in parallel.
package enum ParallelSlices {
    /// Serial queues, one for each processor but the caller's.
    ///
    /// Not `concurrentPerform`, which uses a global queue: once that has a thread, libdispatch monitors the pool every
    /// second for the rest of the process's life (workqueue.c), but an idle daemon should have no wake-ups. Serial
    /// queues use overcommit threads, which are not monitored.
    private static let queues = (1..<max(2, Processors.available)).map {
        DispatchQueue(label: "freshpyc.slices.\($0)", qos: .userInitiated)
    }

    /// The results of `transform`, in the order of the elements.
    ///
    /// Each processor takes one slice after another and has its own scratch value. Slices are small, so a slow one
    /// hardly delays the end. A short array is processed on the calling thread alone.
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
