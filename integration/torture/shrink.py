"""Finds a short list of steps that still shows a difference (delta debugging: Zeller, Hildebrandt 2002)."""
import time


def shrink(steps, attempt, problem, seconds):
    """Tries shorter and shorter lists for this many seconds. `attempt` returns (problem, torture).

    Returns (steps, torture, problem), or None if even the whole list shows no difference when it is run again.
    """
    deadline = time.monotonic() + seconds

    def shows(some, tries=1):
        for _ in range(tries):
            found, torture = attempt(some)
            if found is not None and type(found) is type(problem):
                return some, torture, found
            if time.monotonic() > deadline:
                break
        return None

    best = None
    # Usually the last steps are enough.
    for count in (8, 25, 80, 250, len(steps)):
        if time.monotonic() > deadline:
            break
        best = shows(steps[-count:], tries=2)
        if best or count >= len(steps):
            break
    size = (len(best[0]) + 1) // 2 if best else 0
    while size and time.monotonic() < deadline:
        begin, shorter = 0, False
        while begin < len(best[0]) and len(best[0]) > 1 and time.monotonic() < deadline:
            found = shows(best[0][:begin] + best[0][begin + size:])
            if found:
                best, shorter = found, True
            else:
                begin += size
        size = size // 2 if size > 1 else int(shorter)
    return best
