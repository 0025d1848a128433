#!/usr/bin/env bash
# A zip for AWS Lambda with what a handler imports and no more, compiled. The same input gives the same bytes.
#
#   bundle-lambda.sh MODULE OUT.zip [OPTION...]
#
# MODULE: the handler's module, such as lambda_function. PYTHON is the runtime's Python (default: python3.13), with the packages that
# the handler needs. The OPTIONs go to `freshpyc bundle`: --include a plugin, --path a directory of packages.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; }
module=$1 out=$(realpath "$2") python=$(command -v "${PYTHON:-python3.13}")
shift 2

# Lambda unpacks the zip. Python then loads bytecode that lies where its source would be.
freshpyc bundle --include "$module" --form zip --sourceless -o "$out" --python "$python" "$@"

# The proof: the handler can be imported from a directory that cannot be written, and nothing is compiled.
work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
"$python" -m zipfile -e "$out" "$work/task"
chmod -R a-w "$work/task"
cd "$work"
PYTHONPATH=$work/task "$python" -v -c "import $module" 2> "$work/log"
if grep -F "code object from $work/task" "$work/log" | grep -v 'code object from .*\.py\(c\|\x27\)' >&2; then
    echo "these modules were compiled at the start" >&2
    exit 1
fi
