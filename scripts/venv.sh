#!/usr/bin/env bash
# venv.sh NAME REQUIREMENTS: a Python environment under target/venvs/NAME, made again only when its requirements change.
# Prints its bin directory.
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 requirements=$2
folder="$PWD/target/venvs/$name"
if ! cmp -s "$requirements" "$folder/installed.txt"; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$folder/installed.txt"
fi
echo "$folder/bin"
