#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET...]: runs the fuzz targets one after the other under libFuzzer. A finding ends it, and is left in
# fuzz/findings/TARGET; put into fuzz/corpus/found it is replayed by `make test`.
#
# libFuzzer needs nothing but the compiler's own coverage pass, which the stable compiler takes by these flags; `cargo fuzz` would
# ask for a nightly one, for the address sanitizer, which code without `unsafe` has little use for.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=$1
shift
targets=("$@")
[ $# -gt 0 ] || targets=(header hdu image table checksum unpack wcs display)

host=$(rustc -vV | sed -n 's/^host: //p')
folder=${CARGO_TARGET_DIR:-$PWD/../target}/fuzz
# One unit, or the coverage of what is inlined gets lost. The host's triple keeps the flags from build scripts.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1" \
    cargo build --locked --quiet --release --target "$host" --target-dir "$folder"

for target in "${targets[@]}"; do
    mkdir -p "$folder/found/$target" "findings/$target"
    echo "fuzzing $target for $seconds seconds"
    seeds=corpus/files
    case $target in header | wcs) seeds=corpus/headers ;; esac
    "$folder/$host/release/$target" "$folder/found/$target" "$seeds" -dict=fits.dict -max_len=40000 -timeout=20 -rss_limit_mb=2048 \
        -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="findings/$target/" >"$folder/$target.log" 2>&1 || {
        grep -aE -A 2 'panicked|ERROR|Test unit' "$folder/$target.log" | cut -c1-2000
        exit 1
    }
    grep -aE 'number_of_executed|peak_rss' "$folder/$target.log"
done
