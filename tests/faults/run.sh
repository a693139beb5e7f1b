#!/usr/bin/env bash
# Breaks things below and around a running service; a line for each says whether it held.
#
#   bash tests/faults/run.sh                    # every fault
#   bash tests/faults/run.sh disk-full kill     # these
#   ORDERLENS_KILLS=50 bash tests/faults/run.sh kill
#   bash tests/faults/run.sh --long             # also those that take a minute or more
#   bash tests/faults/run.sh partition          # the broker out of reach, by network namespaces
#
# What is checked: nothing acknowledged is lost (the same bytes come back), nothing is applied
# twice, every refusal is a clear status or names its file, and replay finds the same bytes.
# Mounts file systems where it may (root; $ORDERLENS_MOUNTS=no forbids it), else it says how it
# helped itself; needs strace and libfaketime for two of the faults, root, iproute2 and nats-server for
# another one, and says SKIP without.
# $ORDERLENS_MUST=1 makes SKIP fail.
# Takes the binary in $ORDERLENS_BIN, or builds one. What failed stays in target/faults.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly HERE=tests/faults TARGET=$PWD/target/faults BUILD_S=1500

sh tests/python/run.sh install
if [ -z "${ORDERLENS_BIN:-}" ]; then
    timeout "$BUILD_S" cargo build --locked
    ORDERLENS_BIN=${CARGO_TARGET_DIR:-target}/debug/orderlens
fi
ORDERLENS_BIN=$(realpath "$ORDERLENS_BIN")
export ORDERLENS_BIN
mkdir -p "$TARGET"
said=$(mktemp)
trap 'rm -f "$said"' EXIT
sh tests/python/run.sh "$TARGET" "$HERE/faults.py" "$@" 2>&1 | tee "$said"
if [ -n "${ORDERLENS_MUST:-}" ] && grep -q '^SKIP' "$said"; then
    echo "a fault was skipped, and ORDERLENS_MUST is set"
    exit 1
fi
