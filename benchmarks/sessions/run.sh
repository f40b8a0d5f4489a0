#!/usr/bin/env bash
# Stacking and pictures beside numpy, ccdproc and Siril, then aperture sums beside photutils; see measure.py and photometry.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
folder=target/bench-sessions
mkdir -p "$folder"
if ! command -v siril-cli >/dev/null; then
    echo "siril-cli is missing: apt-get install siril (the comparison needs it)" >&2
    exit 1
fi
python=$(scripts/venv.sh bench-sessions benchmarks/sessions/requirements.txt)/python
if [ ! -e "$folder/frames/done" ] || [ benchmarks/sessions/frames.py -nt "$folder/frames/done" ]; then
    echo "making the frames (once, half a minute)"
    "$python" benchmarks/sessions/frames.py "$folder/frames"
fi
cargo build --release --locked --quiet -p holotype-imaging --example measure
"$python" benchmarks/sessions/measure.py --folder "$folder/frames" --measure "$target/release/examples/measure" "$@"
exec benchmarks/sessions/photometry.sh
