// Work on values that is spread over the processors and brought back.
// Knows: Dispatch's concurrentPerform. Does not know: the work.

import Dispatch

/// Fans a pure or read-only function out over the elements of an array.
package enum ParallelSlices {
    /// The results of `transform`, in the order of the elements.
    ///
    /// Each slice is one call, with a scratch value of its own; slices are small enough that a slow one does not hold
    /// up the end. Runs on the calling thread alone where there is little to do.
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
            DispatchQueue.concurrentPerform(iterations: (elements.count + sliceSize - 1) / sliceSize) { slice in
                let scratch = scratch()
                let start = slice * sliceSize
                for index in start..<min(start + sliceSize, elements.count) {
                    slots.base.initializeElement(at: index, to: transform(elements[index], scratch))
                }
            }
            initialized = elements.count
        }
    }

    /// The uninitialized results.
    ///
    /// `@unchecked Sendable` because each index is written by exactly one iteration, and read only after
    /// `concurrentPerform` has returned.
    private struct Slots<Result>: @unchecked Sendable {
        let base: UnsafeMutableBufferPointer<Result>
    }
}
