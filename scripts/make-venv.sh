#!/bin/sh
# Makes the virtual environment $1 with the first Python on the PATH that is new enough.
set -eu

oldest=3.11
suits() {
    "$1" -c "import sys; sys.exit(sys.version_info < (${oldest%.*}, ${oldest#*.}))" 2>/dev/null
}
has_pip() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

found=
for python in python3 python3.13 python3.12 python3.11; do
    suits "$python" || continue
    found=${found:-$python}
    if has_pip "$python"; then
        echo "Making $1 with $("$python" --version)" >&2
        exec "$python" -m venv "$1"
    fi
done

if [ -z "$found" ]; then
    echo "vod-origin needs Python $oldest or newer; there is none on the PATH." >&2
    exit 1
fi

# Debian keeps ensurepip, which venv needs, in a package of its own.
version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    "$(dirname "$0")/debian-packages.sh" "python$version-venv"
    echo "Making $1 with $("$found" --version)" >&2
    exec "$found" -m venv "$1"
fi
echo "$found has no ensurepip. On Debian or Ubuntu: apt-get install python$version-venv" >&2
exit 1
