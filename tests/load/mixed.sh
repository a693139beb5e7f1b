#!/usr/bin/env bash
# One hour of mixed load on a service of its own; ends with pass and fail lines.
#
#   bash tests/load/mixed.sh                          # 60 minutes, 150 calls a second
#   bash tests/load/mixed.sh --minutes 2 --rate 100
#
# Orders one by one and in a stream, events, choices, outcomes, reads, what-ifs, a strategy
# file that changes every 20 s (to garbage as well), and pages of the console. A line a minute
# says answers a second, p50 and p99 of scoring, resident memory and errors by status. Bounds
# are named in tests/load/mixed.py. Takes the binary in $ORDERLENS_BIN, or builds a release.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly TARGET=$PWD/target/load

if [ -z "${ORDERLENS_BIN:-}" ]; then
    cargo build --locked --release
    ORDERLENS_BIN=${CARGO_TARGET_DIR:-target}/release/orderlens
fi
ORDERLENS_BIN=$(realpath "$ORDERLENS_BIN")
export ORDERLENS_BIN
# What faults and load share: the orders, and how a service is started.
export ORDERLENS_PYTHONPATH=$PWD/tests/faults
rm -rf "$TARGET/mixed"
sh tests/python/run.sh "$TARGET/mixed" tests/load/mixed.py "$@"
