#!/usr/bin/env bash
# Copies a program to a server as one file, with the bytecode of the server's Python. Whoever starts it meanwhile gets the old program
# or the new one.
#
#   bundle-deploy.sh HOST ENTRY PLACE [OPTION...]
#
# PLACE: the path of the program on the server. ENTRY and the OPTIONs are those of `freshpyc bundle`. Needs a Python of the server's
# version here, with the packages of the program; name it with --python if it is not in PATH.
set -euo pipefail

[ $# -ge 3 ] || { sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; }
host=$1 entry=$2 place=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case " $* " in
*" --python "* | *" -p "*) ;;
*)
    version=$(ssh "$host" "python3 -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'")
    set -- --python "$version" "$@"
    ;;
esac
freshpyc bundle "$entry" --form pyz -o "$work/app" "$@"
scp -q "$work/app" "$host:$place.new"
# mv replaces the old file in one step. Processes that run keep it.
ssh "$host" "chmod +x '$place.new' && mv '$place.new' '$place'"
