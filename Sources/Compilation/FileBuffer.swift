// A buffer that is reused for reading many files.

import BasicTypes
import LinuxSystem

/// A growing read buffer. Use one per thread: allocating memory for each file costs as much as reading it.
package final class FileBuffer {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    package init() {}

    deinit { memory.deallocate() }

    /// Reads a whole file.
    ///
    /// - Parameter size: the size that `fstat` reported.
    /// - Returns: bytes that are valid until the next call.
    package func read(_ file: OwnedDescriptor, size: Int64, path: BytePath) throws(SystemError)
        -> UnsafeRawBufferPointer
    {
        // Neither sources nor bytecode are larger, and a sparse file can have any size.
        guard size <= Int64(Int32.max) else { throw SystemError("read", path, .tooLarge) }
        // One byte more than the size, to see the end of the file.
        grow(to: Int(clamping: size) + 1)
        var filled = 0
        while true {
            let rest = UnsafeMutableRawBufferPointer(rebasing: memory[filled...])
            let count = try file.read(into: rest)
            if count == 0 { return UnsafeRawBufferPointer(rebasing: memory[..<filled]) }
            filled += count
            if filled == memory.count {
                guard filled <= Int(Int32.max) else { throw SystemError("read", path, .tooLarge) }
                grow(to: filled * 2)
            }
        }
    }

    private func grow(to count: Int) {
        guard count > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(memory))
        memory.deallocate()
        memory = larger
    }
}
