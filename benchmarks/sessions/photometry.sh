#!/usr/bin/env bash
# Aperture sums beside photutils, in one run; see photometry.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
cargo build --release --quiet --package holotype-photometry --example aperture_sums
python="$(scripts/venv.sh bench-photometry benchmarks/sessions/photometry-requirements.txt)/python"
exec "$python" benchmarks/sessions/photometry.py "$target/bench-photometry" "$target/release/examples/aperture_sums" "$@"
