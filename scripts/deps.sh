#!/usr/bin/env bash
# Installs what a fresh Debian machine lacks to build, test and measure Holotype; where it may not, says what is missing.
set -euo pipefail

packages=()
want() { command -v "$1" >/dev/null 2>&1 || packages+=("$2"); }
want cc build-essential
want curl curl
want aria2c aria2
want python3 python3
want strace strace
want sqlite3 sqlite3
want wrk wrk
want fpack libcfitsio-bin
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || packages+=(python3-venv)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)

if [ ${#packages[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ]; then as_root=(); elif command -v sudo >/dev/null; then as_root=(sudo); else
        echo "deps: missing: ${packages[*]}; install them as root: apt-get install ${packages[*]}" >&2
        exit 1
    fi
    command -v apt-get >/dev/null || { echo "deps: missing: ${packages[*]} (this is no Debian: install them by other means)" >&2; exit 1; }
    "${as_root[@]}" apt-get update -qq
    # The server package would start a cluster of its own: the tests make theirs.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

for tool in cargo git; do
    command -v "$tool" >/dev/null || { echo "deps: '$tool' is needed and is not something this script installs; see README.md" >&2; exit 1; }
done
