#!/bin/sh
# Installs the named Debian packages that are missing, or says which command would.
set -eu

missing=
for package; do
    # A program of that name does as well: it need not come from Debian.
    command -v "$package" >/dev/null && continue
    [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Not found:$missing. What needs them will not run." >&2
elif [ "$(id -u)" != 0 ]; then
    echo "Not found:$missing. What needs them will not run. To install them, as root:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
else
    echo "Installing Debian packages:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    # shellcheck disable=SC2086  # a list of words
    apt-get install -qq --no-install-recommends $missing </dev/null >&2
fi
