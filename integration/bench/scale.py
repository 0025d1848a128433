#!/usr/bin/env python3
"""Shows how far the engine scales: builds a tree with a stand-in for the interpreter, which has the code in memory.

    scale.py [--freshpyc BINARY] [--work DIR] [--modules N] [--jobs 1,2,4,...] [--delay MICROSECONDS] [--runs N] [--peers] [--uv UV]

The stand-in (standin.c, compiled with cc) answers as a real compiler does, after a delay in which it sleeps. What remains is the
engine. Prints, for each number of workers: modules a second; the engine's processor time for each module; the part of it that is
spent on the queue that owns all state, which is the serial part (one more build under perf tells, by the functions that only run
there); and the modules a second that Amdahl's law allows on more processors. Prints first what the system calls alone cost (floor.c).
DIR should be on a RAM disk. --peers adds uv and compileall with the real interpreter.
"""
import argparse
import glob
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
WORKER = os.path.join(HERE, "../../Sources/Interpreters/worker.py")


def prepare(work, python):
    """The stand-in with what it answers. Returns the templates: sources of the standard library."""
    folder = os.path.join(work, "standin")
    os.makedirs(folder, exist_ok=True)
    subprocess.run([shutil.which("cc") or "clang", "-O2", "-o", folder + "/python3", HERE + "/standin.c"], check=True)
    with open(folder + "/python", "w") as file:
        file.write(python + "\n")
    with open(WORKER, "rb") as file:
        worker = file.read()
    loader = "import os\ns=b''\nwhile len(s)<%d:\n c=os.read(0,%d-len(s))\n if not c:os._exit(0)\n s+=c\n" \
             "exec(compile(s,'freshpyc-worker','exec'))" % (len(worker), len(worker))
    for name, more in (("hello", []), ("hello-tell", ["tell"])):
        done = subprocess.run([python, "-s", "-S", "-B", "-c", loader] + more, input=worker, capture_output=True,
                              env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"})
        with open(os.path.join(folder, name), "wb") as file:
            file.write(done.stdout)
    library = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"], capture_output=True,
                             text=True).stdout.strip()
    # The mean is then 4.7 kB, as in Home Assistant.
    sources = sorted(path for path in glob.glob(library + "/*.py") + glob.glob(library + "/*/*.py")
                     if os.path.getsize(path) < 12000)
    # Some files of the test suite do not compile on purpose; they are left out, with a size of 0.
    script = "import marshal, sys\nfor path in sys.stdin.read().split('\\n'):\n" \
             "    try:\n        code = compile(open(path, 'rb').read(), path.rpartition('/')[2], 'exec', dont_inherit=True)\n" \
             "    except (SyntaxError, ValueError):\n        code = b''\n" \
             "    code = code and marshal.dumps(code)\n" \
             "    sys.stdout.buffer.write(len(code).to_bytes(4, 'little') + code)\n"
    codes = subprocess.run([python, "-W", "ignore", "-c", script], input="\n".join(sources).encode(), capture_output=True,
                           check=True).stdout
    places, bodies, compiled, position = [], [], [], 0
    for path in sources:
        size, = struct.unpack_from("<I", codes, position)
        if size:
            compiled.append(path)
            bodies.append(codes[position + 4:position + 4 + size])
        position += 4 + size
    offset = 4 + 8 * len(bodies)
    for body in bodies:
        places.append(struct.pack("<II", offset, len(body)))
        offset += len(body)
    with open(folder + "/templates", "wb") as file:
        file.write(struct.pack("<I", len(bodies)) + b"".join(places) + b"".join(bodies))
    return folder, compiled


def make_tree(tree, sources, count):
    mark = tree + ".made"
    if os.path.exists(mark) and open(mark).read() == "%d %d" % (count, len(sources)):
        return
    shutil.rmtree(tree, ignore_errors=True)
    texts = [open(path, "rb").read() for path in sources]
    for number in range(count):
        folder = os.path.join(tree, "p%03d" % (number // 1000), "q%02d" % (number // 50 % 20))
        if number % 50 == 0:
            os.makedirs(folder)
        template = number % len(texts)
        with open(os.path.join(folder, "m%04d_%d.py" % (template, number)), "wb") as file:
            file.write(texts[template] + b"\n# %d\n" % number)
    open(tree + "/pyproject.toml", "w").close()
    with open(mark, "w") as file:
        file.write("%d %d" % (count, len(sources)))


def clean(tree):
    subprocess.run("find %s -name __pycache__ -prune -exec rm -rf {} +; rm -rf %s/.freshpyc" % (tree, tree), shell=True, check=True)


def threads(process):
    """Nanoseconds on a processor, for each thread."""
    found = {}
    for path in glob.glob("/proc/%d/task/*/schedstat" % process):
        try:
            with open(path) as file:
                found[path] = int(file.read().split()[0])
        except (OSError, IndexError):
            pass
    return found


def engine(command, count):
    """Seconds, and the processor time of each thread of the process itself, in nanoseconds."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=dict(os.environ, FRESHPYC_STORE="none"))
    used = {}
    while process.poll() is None:
        for thread, spent in threads(process.pid).items():
            used[thread] = max(spent, used.get(thread, 0))
        time.sleep(0.005)
    seconds = time.perf_counter() - begun
    if process.returncode:
        sys.exit("%s: %s" % (" ".join(command), process.stderr.read().decode()[-2000:]))
    return seconds, sorted(used.values(), reverse=True)


# Everything that runs on the owner's queue is called by one of these, mangled; the last is work that it waits for.
OWNER = ("9LaneInbox", "9ReadinessC7deliver", "9EventLoopC3run")
SHARED = "14ParallelSlicesO3map"


def owner_share(command, work):
    """The share of the process's time on the queue that owns all state; None without perf."""
    if not shutil.which("perf"):
        return None
    data = work + "/perf.data"
    subprocess.run(["perf", "record", "-q", "-F", "5000", "-g", "-o", data] + command, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=dict(os.environ, FRESHPYC_STORE="none"), check=True)
    script = subprocess.Popen(["perf", "script", "-i", data, "--no-demangle", "-F", "comm,ip,sym"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    own = other = 0
    stack = []
    for line in script.stdout:
        if line.strip():
            stack.append(line)
            continue
        if stack and not stack[0].startswith("python"):
            text = "".join(stack[1:])
            mine = any(re.search(name, text) for name in OWNER) and SHARED not in text
            own, other = own + mine, other + (not mine)
        stack = []
    script.wait()
    os.remove(data)
    return own / (own + other) if own + other else None


def floor(work, tree):
    """Microseconds of the system calls that a module costs."""
    subprocess.run([shutil.which("cc") or "clang", "-O2", "-o", work + "/floor", HERE + "/floor.c"], check=True)
    clean(tree)
    listed = sorted("%s %s\n" % (folder, name) for folder, _, names in os.walk(tree) for name in names if name.endswith(".py"))
    done = subprocess.run([work + "/floor", tree, "7700"], input="".join(listed), capture_output=True, text=True, check=True)
    return float(done.stdout)


def uv_alone(uv, python, work, tree, count):
    """uv's own processor time for each module that it has compiled, without its workers, in microseconds.

    It is that of an installation with --compile-bytecode, less that of one without.
    """
    wheel = os.path.join(work, "scale_tree-1-py3-none-any.whl")
    info = "scale_tree-1.dist-info/"
    clean(tree)
    with zipfile.ZipFile(wheel, "w") as archive:
        names = []
        for folder, _, files in sorted(os.walk(tree)):
            for name in sorted(files):
                if name.endswith(".py"):
                    names.append(os.path.join("scale_tree", os.path.relpath(os.path.join(folder, name), tree)))
                    archive.write(os.path.join(folder, name), names[-1])
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: scale-tree\nVersion: 1\n")
        archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        names += [info + name for name in ("METADATA", "WHEEL", "RECORD")]
        archive.writestr(info + "RECORD", "".join(name + ",,\n" for name in names))
    home, spent = os.path.join(work, "venv"), []
    for more in ([], ["--compile-bytecode"]):
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([uv, "venv", "-q", "--python", python, home], check=True)
        command = [uv, "pip", "install", "-q", "--offline", "--no-cache", "--no-deps", "--link-mode", "copy", "--python",
                   home + "/bin/python", wheel]
        spent.append(sum(engine(command + more, count)[1]))
    shutil.rmtree(home)
    os.remove(wheel)
    return (spent[1] - spent[0]) / count / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--work", default="/dev/shm/freshpyc-scale")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--modules", type=int, default=20000)
    parser.add_argument("--jobs", default="1,2,4,8,16,32,64")
    parser.add_argument("--delay", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--uv", default=shutil.which("uv"))
    options = parser.parse_args()
    freshpyc, work = os.path.abspath(options.freshpyc), os.path.abspath(options.work)
    folder, sources = prepare(work, os.path.realpath(options.python))
    tree = os.path.join(work, "tree")
    make_tree(tree, sources, options.modules)
    with open(folder + "/delay", "w") as file:
        file.write("%d\n" % options.delay)
    print("%d modules, %d templates, a delay of %d us" % (options.modules, len(sources), options.delay))
    print("the system calls alone: %.1f us for each module" % statistics.median(floor(work, tree) for _ in range(3)))
    print("%5s %12s %12s %12s %10s   modules/s on 8, 16, 32, 64, 128 processors" % (
        "jobs", "modules/s", "engine us", "owner us", "share"))
    for jobs in map(int, options.jobs.split(",")):
        command = [freshpyc, "build", tree, "--python", folder + "/python3", "--jobs", str(jobs), "-q"]
        rows = []
        for _ in range(options.runs):
            clean(tree)
            seconds, used = engine(command, options.modules)
            rows.append((options.modules / seconds, sum(used) / options.modules / 1000))
        speed, total = (statistics.median(column) for column in zip(*rows))
        clean(tree)
        share = owner_share(command, work)
        if share is None:
            print("%5d %12.0f %12.1f %12s" % (jobs, speed, total, "(no perf)"), flush=True)
            continue
        serial = total * share
        predicted = [1e6 / (serial + (total - serial) / cores) for cores in (8, 16, 32, 64, 128)]
        print("%5d %12.0f %12.1f %12.1f %9.0f%%   %s" % (jobs, speed, total, serial, 100 * share, " ".join(
            "%.0f" % value for value in predicted)), flush=True)
    if options.peers:
        for jobs in map(int, options.jobs.split(",")):
            clean(tree)
            begun = time.perf_counter()
            subprocess.run([options.python, "-m", "compileall", "-q", "-j", str(jobs), tree], check=True)
            print("compileall -j %d: %.0f modules/s" % (jobs, options.modules / (time.perf_counter() - begun)), flush=True)
        if options.uv:
            print("uv: %.1f us of its own for each module (its workers write the files)" % uv_alone(
                options.uv, os.path.realpath(options.python), work, tree, options.modules), flush=True)


if __name__ == "__main__":
    main()
