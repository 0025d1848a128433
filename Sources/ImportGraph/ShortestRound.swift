// Finds a shortest cycle in a strongly connected component.

/// Searches breadth-first from each source in turn. Then removes that source, and every source that is no longer on any
/// cycle: in a ring of thousands, a single search suffices.
struct ShortestRound {
    private let next: [[Int]]
    private let previous: [[Int]]
    private var isOut: [Bool]
    private var outDegree: [Int]
    private var inDegree: [Int]
    /// Number of edges that the searches may still follow.
    private var budget: Int

    /// A tangle of thousands of sources can have millions of shortest paths. After this many steps, the best cycle so
    /// far is returned.
    static let standardBudget = 20_000_000

    /// - Parameter next: for each source, the positions of the sources that it imports.
    init(_ next: [[Int]], budget: Int = Self.standardBudget) {
        self.next = next
        self.budget = budget
        var previous = [[Int]](repeating: [], count: next.count)
        for (source, targets) in next.enumerated() { for target in targets { previous[target].append(source) } }
        self.previous = previous
        isOut = [Bool](repeating: false, count: next.count)
        outDegree = next.map(\.count)
        inDegree = previous.map(\.count)
    }

    /// - Returns: positions along a shortest cycle; of several, one through the first position that has one.
    mutating func find() -> [Int] {
        var best: [Int] = []
        var seen = [Int](repeating: -1, count: next.count)
        var from = [Int](repeating: -1, count: next.count)
        for start in next.indices where !isOut[start] {
            let limit = best.isEmpty ? Int.max : best.count - 1
            if let round = search(from: start, limit: limit, &seen, &from) { best = round }
            if best.count == 2 || budget <= 0 { break }
            takeOut(start)
        }
        return best
    }

    /// Searches breadth-first from a source back to itself, through at most `limit` sources.
    private mutating func search(from start: Int, limit: Int, _ seen: inout [Int], _ from: inout [Int]) -> [Int]? {
        var level = [start]
        var length = 1
        from[start] = -1
        while !level.isEmpty, length <= limit {
            var further: [Int] = []
            for source in level {
                budget -= next[source].count
                for target in next[source] where !isOut[target] {
                    if target == start {
                        var way = [source]
                        while let last = way.last, from[last] >= 0 { way.append(from[last]) }
                        return way.reversed()
                    }
                    guard seen[target] != start else { continue }
                    seen[target] = start
                    from[target] = source
                    further.append(target)
                }
            }
            level = further
            length += 1
        }
        return nil
    }

    /// Removes a source, and all sources that then have no outgoing or no incoming edges.
    private mutating func takeOut(_ source: Int) {
        var pending = [source]
        isOut[source] = true
        while let source = pending.popLast() {
            for target in next[source] where !isOut[target] {
                inDegree[target] -= 1
                if inDegree[target] == 0 {
                    isOut[target] = true
                    pending.append(target)
                }
            }
            for importer in previous[source] where !isOut[importer] {
                outDegree[importer] -= 1
                if outDegree[importer] == 0 {
                    isOut[importer] = true
                    pending.append(importer)
                }
            }
        }
    }
}
