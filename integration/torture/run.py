#!/usr/bin/env python3
"""Runs random operations on a tree while a daemon keeps it up to date, and compares the result with CPython. See README.md.

    run.py [--seed N] [--seeds N] [--operations N] [--minutes M] [--freshpyc BINARY] [--python PYTHON] [--keep]
    run.py --seed N --replay 3:create,17:edit_outside,18:wait

A seed gives the same operations every time. If there is a difference, prints it with a short list of operations that
still shows it, and exits with 1.
"""
import argparse
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from environments import installed  # noqa: E402
from shrink import shrink  # noqa: E402
from torture import Torture, plan  # noqa: E402
from world import OPERATIONS  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def attempt(options, seed, steps, deadline=float("inf"), finishes=True):
    """Runs the steps in a new tree. Returns the number of operations, the difference (None if there is none) and the run."""
    torture = Torture(options, seed)
    done, problem, keeps = 0, None, False
    try:
        done = torture.go(steps, deadline, finishes)
    except Exception as error:
        problem, keeps = error, options.keep
        torture.log_tail = torture.daemon.log_tail()
    finally:
        torture.end(keeps)
    return done, problem, torture


def show(torture, problem, limit):
    for number, name, notes in torture.trace[-limit:]:
        for note in notes or ["(nothing to do)"]:
            print("    %5d %-22s %s" % (number, name, note))
    print("  %s: %s" % (type(problem).__name__, problem))
    if torture.log_tail:
        print("  the end of the log:\n    " + torture.log_tail.replace("\n", "\n    "))


def names(text):
    found = [name for name in text.split(",") if name]
    for name in found:
        if name not in OPERATIONS:
            raise argparse.ArgumentTypeError("no operation %s; there are: %s" % (name, ", ".join(sorted(OPERATIONS))))
    return found


def steps(text):
    return [(int(step.partition(":")[0]), step.partition(":")[2]) for step in text.split(",") if step]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed upwards")
    parser.add_argument("--operations", type=int, default=2000, help="of each seed")
    parser.add_argument("--minutes", type=float, help="stop after this long, whatever is left")
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/debug/freshpyc"))
    parser.add_argument("--python", default=sys.executable, help="the first interpreter; others are found in pyenv")
    parser.add_argument("--scratch", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    parser.add_argument("--keep", action="store_true", help="leave the tree of a difference where it is")
    parser.add_argument("--only", type=names, default=[], metavar="NAMES", help="choose from these operations")
    parser.add_argument("--without", type=names, default=[], metavar="NAMES", help="leave these operations out")
    parser.add_argument("--modules", type=int, default=60, help="a tree becomes about so large")
    parser.add_argument("--shrink", type=float, default=60, metavar="SECONDS",
                        help="look that long for a shorter list of operations")
    parser.add_argument("--replay", type=steps, metavar="STEPS", help="run exactly these steps of --seed")
    parser.add_argument("--list", action="store_true", help="list the operations and their weights")
    options = parser.parse_args()
    if options.list:
        print("\n".join("%3d %s" % (weight, name) for name, weight in OPERATIONS.items()))
        return 0
    options.freshpyc = os.path.abspath(options.freshpyc)
    options.bases = installed(options.python)
    deadline = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    total = 0
    for seed in range(options.seed, options.seed + options.seeds):
        chosen = options.replay or plan(seed, options)
        began = time.monotonic()
        done, problem, torture = attempt(options, seed, chosen, deadline)
        if problem:
            print("seed %d, after %d steps:" % (seed, len(torture.trace)))
            show(torture, problem, 40)
            if options.keep:
                print("  the tree: %s" % torture.root)
            finishes = torture.trace[-1][1] == "finish"
            useful = {number for number, name, notes in torture.trace if notes} | {torture.trace[-1][0]}
            ran = [step for step in chosen if step[0] in useful or step[1] == "wait"
                   and (finishes or step[0] <= torture.trace[-1][0])]
            shortest = shrink(
                ran, lambda some: attempt(options, seed, some, finishes=finishes)[1:], problem, options.shrink)
            if shortest:
                some, torture, problem = shortest
                print("shortest, %d steps:" % len(some))
                show(torture, problem, 40)
                print("to repeat it: run.py --seed %d --replay %s" % (seed, ",".join("%d:%s" % step for step in some)))
            else:
                print("a second run of these steps showed no difference; to repeat it: run.py --seed %d --operations %d" % (
                    seed, options.operations))
            return 1
        total += done
        print("seed %d: %d operations in %.1f s, no difference" % (seed, done, time.monotonic() - began), flush=True)
        if time.monotonic() >= deadline:
            break
    print("%d operations, no difference" % total)
    return 0


if __name__ == "__main__":
    # Stop the daemon too when this script is terminated.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
