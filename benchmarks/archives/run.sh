#!/usr/bin/env bash
# `holotype archive fetch` beside curl, md5sum and funpack, and beside aria2, in one run; see measure.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=target/bench-archives
mkdir -p "$folder"
if [ ! -e "$folder/frames/frames.json" ] || [ benchmarks/archives/frames.py -nt "$folder/frames/frames.json" ]; then
    echo "making the frames (once, a few minutes)"
    "$(scripts/venv.sh bench-archives benchmarks/archives/requirements.txt)/python" benchmarks/archives/frames.py "$folder/frames"
fi
for program in files proxy; do
    rustc --edition 2024 -O -D warnings -o "$folder/$program" "benchmarks/archives/$program.rs"
done
exec python3 benchmarks/archives/measure.py --folder "$folder" --holotype target/release/holotype "$@"
