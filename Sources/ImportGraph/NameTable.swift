// Interns names: each name gets one number.

/// The number of a name in its table. Equal names have equal numbers; 0 is the empty name.
package struct NameID: Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let empty = NameID(rawValue: 0)
}

/// All names of imports, bindings and directories.
///
/// Not a dictionary of byte arrays, to save memory: a large tree has a hundred thousand imports of a few thousand
/// names, and the daemon keeps them all.
package struct NameTable: Sendable {
    private var bytes: [UInt8] = []
    /// The end of each name in `bytes`; it begins where the previous one ends.
    private var ends: [UInt32] = [0]
    /// Open-addressing hash table of numbers; 0 marks a free slot.
    private var places = [UInt32](repeating: 0, count: 1024)
    /// The components of dotted names, computed on demand.
    private var parts: [NameID: [NameID]] = [:]

    package init() {}

    package var count: Int { ends.count }

    /// The bytes of a name.
    package subscript(name: NameID) -> ArraySlice<UInt8> {
        let index = Int(name.rawValue)
        return bytes[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])]
    }

    package func text(_ name: NameID) -> String { String(decoding: self[name], as: UTF8.self) }

    /// The number of a name, which is added if it is new.
    package mutating func intern(_ name: some Collection<UInt8>) -> NameID {
        if let id = name.withContiguousStorageIfAvailable({ intern(UnsafeRawBufferPointer($0)) }) { return id }
        return Array(name).withUnsafeBytes { intern($0) }
    }

    private mutating func intern(_ name: UnsafeRawBufferPointer) -> NameID {
        guard !name.isEmpty else { return .empty }
        if ends.count * 2 > places.count { grow() }
        let place = place(of: name)
        if places[place] != 0 { return NameID(rawValue: places[place]) }
        bytes.append(contentsOf: name)
        ends.append(UInt32(bytes.count))
        places[place] = UInt32(ends.count - 1)
        return NameID(rawValue: places[place])
    }

    /// The number of a name; `nil` if it was never interned.
    package func find(_ name: some Collection<UInt8>) -> NameID? {
        let found = Array(name).withUnsafeBytes { name in name.isEmpty ? 0 : places[place(of: name)] }
        return found == 0 && !name.isEmpty ? nil : NameID(rawValue: found)
    }

    /// The slot of a name, or the free slot where it belongs.
    private func place(of name: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        let mask = places.count - 1
        var place = hasher.finalize() & mask
        while places[place] != 0, !isEqual(NameID(rawValue: places[place]), name) { place = (place + 1) & mask }
        return place
    }

    private func isEqual(_ id: NameID, _ name: UnsafeRawBufferPointer) -> Bool {
        let own = self[id]
        return own.count == name.count && own.elementsEqual(name)
    }

    private mutating func grow() {
        places = [UInt32](repeating: 0, count: places.count * 2)
        for index in 1..<ends.count {
            let own = self[NameID(rawValue: UInt32(index))]
            places[own.withUnsafeBytes { place(of: $0) }] = UInt32(index)
        }
    }

    /// For each number, whether the name is one of these or has one of them as a component.
    package func mentioning(_ wanted: Set<NameID>) -> [Bool] {
        var mentions = [Bool](repeating: false, count: ends.count)
        for name in wanted { mentions[Int(name.rawValue)] = true }
        for (name, components) in parts where components.contains(where: { wanted.contains($0) }) {
            mentions[Int(name.rawValue)] = true
        }
        return mentions
    }

    /// Adds the components of all names in a set, which has one `Bool` per number.
    package func addComponents(to set: inout [Bool]) {
        for (name, components) in parts where set[Int(name.rawValue)] {
            for component in components { set[Int(component.rawValue)] = true }
        }
    }

    /// The components of a dotted name.
    /// The components, if they were asked for before, as those of each resolved import were.
    func knownComponents(of name: NameID) -> [NameID]? { parts[name] }

    package mutating func components(of name: NameID) -> [NameID] {
        if let known = parts[name] { return known }
        let own = Array(self[name])
        let found = own.split(separator: UInt8(ascii: ".")).map { intern($0) }
        parts[name] = found
        return found
    }
}
