#!/usr/bin/env bash
# Ours beside madsci.data_manager in one run; see run.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
peer=$(scripts/venv.sh peer benchmarks/datapoints/requirements-peer.txt)
exec python3 benchmarks/datapoints/run.py --holotype target/release/holotype --peer "$peer/python" "$@"
