#!/usr/bin/env bash
# A zip for AWS Lambda in which every module is compiled: a cold start compiles nothing. The same input gives the same
# zip, byte for byte.
#
#   lambda-zip.sh [--no-sources] PROJECT OUT.zip [MODULE]
#
# PROJECT: the folder with the handler's module, and with requirements.txt if it needs packages.
# MODULE is imported from the finished zip, unpacked and read-only, to prove that nothing is compiled (default:
# lambda_function; '-' imports none). PYTHON is the runtime's Python (default: python3.13); SOURCE_DATE_EPOCH, the time
# of all files in the zip, is the last commit's, or 1980.
set -euo pipefail

sourceless=()
if [ "${1:-}" = --no-sources ]; then sourceless=(--sourceless) && shift; fi
[ $# -ge 2 ] || { sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; }
project=$(cd "$1" && pwd) out=$(realpath "$2") module=${3:-lambda_function}
python=$(command -v "${PYTHON:-python3.13}")
compile=(freshpyc precompile --python "$python")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$project" log -1 --format=%ct 2>/dev/null || echo 315532800)}

work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
stage=$work/stage
mkdir "$stage"
# Tracebacks will name the files as they lie in Lambda.
compile+=(--strip-prefix "$stage" --prepend-prefix /var/task "${sourceless[@]}")

if [ -f "$project/requirements.txt" ]; then
    # For another machine than this one, say also: --platform manylinux2014_aarch64 --only-binary=:all:
    "$python" -m pip install --quiet --no-compile --target "$stage" -r "$project/requirements.txt"
    rm -rf "$stage/bin"  # scripts, with this machine's path of Python in them
    # What is installed may hold modules for other Pythons, which do not compile here (1).
    "${compile[@]}" "$stage" || [ $? -eq 1 ]
fi
(cd "$project" && find . \( -name '.?*' -o -name __pycache__ \) -prune -o -type f ! -name requirements.txt -print0 |
    xargs -0 -r cp --parents -t "$stage")
# The project's own: a module that does not compile ends the script.
(cd "$project" && find . -name '.?*' -prune -o -type f -name '*.py' -printf "$stage/%P\0") | xargs -0 -r "${compile[@]}"
if [ ${#sourceless[@]} -gt 0 ]; then find "$stage" -name '*.py' -delete; fi

# Sorted names, one time, two modes: what is left of a file in the zip is its name and its contents.
"$python" - "$stage" "$out" <<'PACK'
import os, sys, time, zipfile
stage, out = sys.argv[1:]
when = max(time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6], (1980, 1, 1, 0, 0, 0))
paths = [os.path.join(folder, name) for folder, _, files in os.walk(stage) for name in files]
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
    for path in sorted(paths):
        entry = zipfile.ZipInfo(os.path.relpath(path, stage), when)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = (0o100755 if os.access(path, os.X_OK) else 0o100644) << 16
        with open(path, "rb") as stream:
            archive.writestr(entry, stream.read())
PACK

if [ "$module" != - ]; then
    mkdir "$work/task"
    "$python" -m zipfile -e "$out" "$work/task"
    chmod -R a-w "$work/task"
    # `python -v` tells where each module's code comes from: "code object from 'x.py'" is one that was compiled.
    (cd "$work/task" && "$python" -B -v -c "import $module") >/dev/null 2>"$work/log" || { cat "$work/log"; exit 1; }
    if compiled=$(grep "code object from '\?$work/task/.*\.py'\?\$" "$work/log"); then
        printf 'compiled at import:\n%s\n' "$compiled" >&2
        exit 1
    fi
    printf '%s: %d modules imported from bytecode, none compiled\n' \
        "$out" "$(grep -c "code object from '\?$work/task/.*\.pyc'\?\$" "$work/log")"
fi
