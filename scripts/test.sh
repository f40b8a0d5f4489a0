#!/usr/bin/env bash
# Every test, inside scripts/with-services.sh. A step that fails ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "unit, contract and guide tests"
cargo build --locked -p holotype
if command -v cargo-nextest >/dev/null; then
    cargo nextest run --locked --workspace --no-fail-fast ${CI:+--profile ci}
    cargo test --locked --workspace --doc
else
    cargo test --locked --workspace --no-fail-fast
fi

step "unmodified clients of the earlier system"
python3 tests/clients/run.py --holotype target/debug/holotype

step "plain requests to the archive"
"$(dirname "$HOLOTYPE_MOTO_SERVER")/python" tests/clients/archive.py --holotype target/debug/holotype

step "the OpenAPI document"
"$(dirname "$HOLOTYPE_MOTO_SERVER")/python" tests/openapi/run.py --holotype target/debug/holotype

step "FITS files beside astropy and funpack"
"$(scripts/venv.sh fits tests/fits/requirements.txt)/python" tests/fits/run.py --holotype target/debug/holotype

step "resampled images beside astropy, and products read by others"
cargo build --locked --quiet -p holotype-imaging --example measure
"$(scripts/venv.sh imaging tests/imaging/requirements.txt)/python" tests/imaging/run.py --measure target/debug/examples/measure

step "full disk, read-only home, broken clients"
python3 tests/faults/run.py --holotype target/debug/holotype

step "kill -9 under load"
python3 tests/kill/run.py --holotype target/debug/holotype --rounds "${HOLOTYPE_KILL_ROUNDS:-10}"

step "operations on frames, and kill -9 while they are done"
python3 tests/sessions/run.py --holotype target/debug/holotype --rounds "${HOLOTYPE_OPERATE_KILL_ROUNDS:-3}"

step "archives that misbehave, and kill -9 while fetching from them"
python3 tests/archives/run.py --holotype target/debug/holotype --rounds "${HOLOTYPE_KILL_ROUNDS:-10}"

step "the datalab-ui front end in Chromium, or its recorded calls"
python3 tests/sessions/frontend/run.py --holotype target/debug/holotype
