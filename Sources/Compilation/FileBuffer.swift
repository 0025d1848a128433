// Memory that one file after the other is read into.
// Knows: that it grows. Does not know: what is in a file.

import BasicTypes
import LinuxSystem

/// One for each thread: memory that is set aside anew for each file costs as much as to read it.
package final class FileBuffer {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    package init() {}

    deinit { memory.deallocate() }

    /// All of a file, as it is now.
    ///
    /// - Parameter size: what `fstat` said.
    /// - Returns: bytes that are good until the next call.
    package func read(_ file: OwnedDescriptor, size: Int64, path: BytePath) throws(SystemError)
        -> UnsafeRawBufferPointer
    {
        // Neither a source nor bytecode is larger, and a sparse file may claim anything.
        guard size <= Int64(Int32.max) else { throw SystemError("read", path, .tooLarge) }
        // One more shows that the file ends there.
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
