#!/usr/bin/env bash
# The long rounds, inside scripts/with-services.sh, on the release binary.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v cargo-nextest >/dev/null; then
    cargo nextest run --locked --workspace --no-fail-fast
else
    cargo test --locked --workspace --no-fail-fast
fi
python3 tests/kill/run.py --holotype target/release/holotype --rounds "${HOLOTYPE_KILL_ROUNDS:-200}"
python3 tests/archives/run.py --holotype target/release/holotype --rounds "${HOLOTYPE_FETCH_KILL_ROUNDS:-100}"
python3 tests/sessions/run.py --holotype target/release/holotype --rounds "${HOLOTYPE_OPERATE_KILL_ROUNDS:-30}"
# Ten minutes for each target, from its corpus.
scripts/fuzz.sh "${HOLOTYPE_FUZZ_SECONDS:-600}"
