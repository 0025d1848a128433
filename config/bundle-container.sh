#!/usr/bin/env bash
# The root file system of a container that holds a program, its Python and the C library, and nothing else: no shell, no packages.
#
#   bundle-container.sh ENTRY ROOT [OPTION...]
#
# ENTRY and the OPTIONs are those of `freshpyc bundle`. ROOT is a new directory. Then:
#
#   FROM scratch
#   COPY ROOT /
#   ENTRYPOINT ["/app/python/bin/python3.13", "-I", "/app"]
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; }
entry=$1 root=$2
shift 2
mkdir "$root"
freshpyc bundle "$entry" --form dir --with-interpreter -o "$root/app/" "$@"
# The parts of the C library, where the dynamic linker looks for them.
for library in ld-linux-* libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 libresolv.so.2 libnss_dns.so.2 \
    libnss_files.so.2; do
    for place in /lib64/$library /lib/*-linux-gnu/$library; do
        [ -e "$place" ] || continue
        mkdir -p "$root${place%/*}"
        cp -L "$place" "$root$place"
    done
done
mkdir -m 1777 "$root/tmp"
