// The paths of many files: each directory is stored once, and each name once for the file that has it.

import BasicTypes

/// Paths as a directory's number and a range of names.
struct PathPool: Sendable {
    /// The place of a path.
    struct Place: BitwiseCopyable, Sendable {
        let directory: UInt32
        /// The range of the name.
        let start: UInt32
        let length: UInt32
    }

    private var names: [UInt8] = []
    private var directories: [BytePath] = []
    private var numbers: [BytePath: UInt32] = [:]
    /// The number of bytes of names that are not used any more.
    private var forgotten = 0
    /// Most paths are added in order, so the directory of the last one is tried first.
    private var last: UInt32?

    /// Below this, forgotten names do not matter.
    private static let smallest = 1 << 16

    func path(_ place: Place) -> BytePath {
        directories[Int(place.directory)].appending(names[range(place)])
    }

    private func range(_ place: Place) -> Range<Int> {
        Int(place.start)..<Int(place.start) + Int(place.length)
    }

    func directory(_ path: BytePath) -> UInt32? { numbers[path] }

    mutating func add(_ path: BytePath) -> Place {
        let number: UInt32
        if let last, path.isDirectly(in: directories[Int(last)]) {
            number = last
        } else {
            let parent = path.parent
            if let known = numbers[parent] {
                number = known
            } else {
                number = UInt32(truncatingIfNeeded: directories.count)
                directories.append(parent)
                numbers[parent] = number
            }
            last = number
        }
        let name = path.lastComponent
        // More than four gigabytes of names do not fit into memory together with their records.
        let place = Place(
            directory: number, start: UInt32(truncatingIfNeeded: names.count),
            length: UInt32(truncatingIfNeeded: name.count))
        names.append(contentsOf: name)
        return place
    }

    /// Notes that a path is not used any more.
    mutating func forget(_ place: Place) { forgotten += Int(place.length) + Self.overhead }

    /// What a directory that is not used any more may take for each name.
    private static let overhead = 64

    /// Whether it is worth making the pool again.
    var isMostlyForgotten: Bool { forgotten > max(Self.smallest, names.count) }

    // MARK: Comparing

    /// A hash that is different in each run, so that nobody can choose names that collide.
    static func hash(_ name: UnsafeRawBufferPointer, in directory: UInt32) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(directory)
        hasher.combine(bytes: name)
        return UInt64(truncatingIfNeeded: hasher.finalize())
    }

    func hash(_ place: Place) -> UInt64 {
        names.withUnsafeBytes { Self.hash(UnsafeRawBufferPointer(rebasing: $0[range(place)]), in: place.directory) }
    }

    func isEqual(_ place: Place, _ name: UnsafeRawBufferPointer, in directory: UInt32) -> Bool {
        guard place.directory == directory, Int(place.length) == name.count else { return false }
        return names.withUnsafeBytes { names in
            for offset in 0..<name.count where names[Int(place.start) + offset] != name[offset] { return false }
            return true
        }
    }

    func areEqual(_ one: Place, _ other: Place) -> Bool {
        names.withUnsafeBytes { isEqual(one, UnsafeRawBufferPointer(rebasing: $0[range(other)]), in: other.directory) }
    }

    // MARK: Joining

    /// How places of one pool become places of another.
    struct Move {
        fileprivate let directories: [UInt32]
        fileprivate let start: UInt32

        func moved(_ place: Place) -> Place {
            Place(directory: directories[Int(place.directory)], start: start + place.start, length: place.length)
        }
    }

    /// Adds the paths of another pool.
    mutating func append(_ other: PathPool) -> Move {
        var moved: [UInt32] = []
        for directory in other.directories {
            if let known = numbers[directory] {
                moved.append(known)
                continue
            }
            let number = UInt32(truncatingIfNeeded: directories.count)
            directories.append(directory)
            numbers[directory] = number
            moved.append(number)
        }
        let start = UInt32(truncatingIfNeeded: names.count)
        names += other.names
        return Move(directories: moved, start: start)
    }
}
