#!/usr/bin/env bash
# Tests the published contract with clients that are not ours: buf, and stock grpcio.
#
#   bash tests/clients/run.sh            # everything
#   bash tests/clients/run.sh install    # nothing but what has to be installed
#   bash tests/clients/run.sh publish    # writes the contract that `buf breaking` compares with
#
# Installs buf from npm (pinned) into target/clients and grpcio into target/python; a second
# run installs nothing. Takes the binary in $ORDERLENS_BIN, or builds one. Prints a line for
# each check and ends with 1 when one failed. Leaves words of servers and of buf in
# target/clients/run. docs/clients.md says what callers may rely on.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly HERE=tests/clients TARGET=$PWD/target/clients
readonly RUN=$TARGET/run BUF=$TARGET/node_modules/.bin/buf
readonly PUBLISHED=proto/orderlens-v1.binpb CONFIG=proto/orderlens-service-config.json
readonly INSTALL_S=600 BUILD_S=1500 START_S=60 CHECK_S=120
# Places of the busy server: a handful of callers at once is too many.
readonly PLACES=2
export BUF_CACHE_DIR=$TARGET/cache

servers=()
n_failed=0
trap 'for pid in "${servers[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done' EXIT

install() {
    if ! command -v node >/dev/null; then
        local as_root=(env DEBIAN_FRONTEND=noninteractive)
        if ((EUID != 0)); then as_root=(sudo "${as_root[@]}"); fi
        timeout "$INSTALL_S" "${as_root[@]}" apt-get update -qq
        timeout "$INSTALL_S" "${as_root[@]}" apt-get install -y -qq --no-install-recommends nodejs npm
    fi
    if ! cmp -s "$HERE/package-lock.json" "$TARGET/installed.json"; then
        mkdir -p "$TARGET"
        cp "$HERE/package.json" "$HERE/package-lock.json" "$TARGET/"
        (cd "$TARGET" && timeout "$INSTALL_S" npm ci --ignore-scripts --no-audit --no-fund)
        cp "$HERE/package-lock.json" "$TARGET/installed.json"
    fi
    timeout "$INSTALL_S" sh tests/python/run.sh install
}

binary() {
    if [ -z "${ORDERLENS_BIN:-}" ]; then
        timeout "$BUILD_S" cargo build --locked
        ORDERLENS_BIN=${CARGO_TARGET_DIR:-target}/debug/orderlens
    fi
    ORDERLENS_BIN=$(realpath "$ORDERLENS_BIN")
}

# Starts a server by name with further arguments; sets `address` and `server`.
start_server() {
    local name=$1
    shift
    # The server opens it in the background, maybe only after the first look below.
    : >"$RUN/$name.txt"
    ORDERLENS_IDENTITY_SECRET="a secret of the tests only" "$ORDERLENS_BIN" serve \
        --listen 127.0.0.1:0 --console 127.0.0.1:0 --data "$RUN/$name" "$@" \
        >"$RUN/$name.txt" 2>"$RUN/$name.log" &
    server=$!
    servers+=("$server")
    for _ in $(seq "$((START_S * 10))"); do
        address=$(sed -n 's,^listening on http://,,p' "$RUN/$name.txt")
        if [ -n "$address" ]; then return; fi
        if ! kill -0 "$server" 2>/dev/null; then break; fi
        sleep 0.1
    done
    echo "server \"$name\" did not start:"
    tail -n 20 "$RUN/$name.txt" "$RUN/$name.log"
    return 1
}

# Runs one check and prints its line; what it says is shown when it fails.
check() {
    local name=$1 start=$SECONDS
    shift
    if "$@" >"$RUN/said.txt" 2>&1; then
        printf 'PASS  %s (%s s)\n' "$name" "$((SECONDS - start))"
    else
        printf 'FAIL  %s\n' "$name"
        cat "$RUN/said.txt"
        n_failed=$((n_failed + 1))
    fi
}

buf() { timeout "$CHECK_S" "$BUF" "$@"; }

# A copy of the contract with a line replaced; fails when the line is not there.
planted() {
    rm -rf "$RUN/planted"
    cp -r proto "$RUN/planted"
    sed -i "$2" "$RUN/planted/orderlens/v1/$1"
    ! cmp -s "$RUN/planted/orderlens/v1/$1" "proto/orderlens/v1/$1"
}

# The change must be refused, and for the reason that is named.
refused_as() {
    local reason=$1 said
    shift
    if said=$(buf "$@" 2>&1); then
        echo "not refused: $*"
        return 1
    fi
    printf '%s\n' "$said"
    grep -q "$reason" <<<"$said"
}

lint_catches() { planted "$1" "$2" && refused_as "$3" lint "$RUN/planted"; }
breaking_catches() { planted "$1" "$2" && refused_as "$3" breaking "$RUN/planted" --against "$PUBLISHED"; }
addition_passes() { planted "$1" "$2" && buf breaking "$RUN/planted" --against "$PUBLISHED"; }

order() {
    printf '{"event_time":"%s","order":{"key":{"channel":"buf","order_id":"%s"},"amount":{"currency_code":"CNY","minor_units":29900},"entities":[{"kind":"ENTITY_KIND_ACCOUNT","id":"member-7"}]}}' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1"
}

call() {
    local method=$1 data=$2
    shift 2
    buf curl --protocol grpc --http2-prior-knowledge "$@" --data "$data" \
        "http://$address/orderlens.v1.DecisionService/$method"
}

scores_by_reflection() { call ScoreOrder "$(order "$1")" --reflect-protocol "$1" | grep -q '"decisionId"'; }
scores_by_files() { call ScoreOrder "$(order files)" --schema proto | grep -q '"decisionId"'; }
lists_by_reflection() {
    local listed
    listed=$(buf curl --protocol grpc --http2-prior-knowledge --list-methods "http://$address")
    printf '%s\n' "$listed"
    [ "$(grep -c '^orderlens\.v1\.' <<<"$listed")" = "$(cat proto/orderlens/v1/*.proto | grep -c '^  rpc ')" ]
}
streams() {
    local n answers
    answers=$(for n in 1 2 3; do printf '{"item_id":"%s","request":%s}\n' "$n" "$(order "stream-$n")"; done |
        call ScoreOrders @-)
    printf '%s\n' "$answers"
    [ "$(grep -c '"itemId"' <<<"$answers")" = 3 ] && [ "$(grep -c '"decisionId"' <<<"$answers")" = 3 ]
}
names_every_mistake() {
    local said
    if said=$(call ScoreOrder '{"order":{"amount":{"currency_code":"yuan"}}}' 2>&1); then return 1; fi
    printf '%s\n' "$said"
    local wanted
    for wanted in invalid_argument google.rpc.BadRequest event_time order.key order.amount.currency_code; do
        grep -q "$wanted" <<<"$said" || return 1
    done
}

# Other clients keep their own lines.
retries() {
    timeout "$CHECK_S" sh tests/python/run.sh "$address" "$HERE/retries.py" "$CONFIG" "$server" ||
        n_failed=$((n_failed + 1))
}
stopped() {
    for _ in $(seq 100); do
        if ! kill -0 "$server" 2>/dev/null; then return; fi
        sleep 0.1
    done
    return 1
}

install
if [ "${1:-}" = install ]; then exit 0; fi
if [ "${1:-}" = publish ]; then
    buf build proto --path proto/orderlens/v1 --exclude-source-info -o "$PUBLISHED"
    exit 0
fi
rm -rf "$RUN"
mkdir -p "$RUN"

check "buf lint: the contract keeps STANDARD and COMMENTS" buf lint proto
check "buf lint catches an enum value without its prefix" \
    lint_catches order.proto 's/  PAYMENT_KIND_CARD = /  CARD = /' 'should be prefixed'
check "buf lint catches a field without a comment" \
    lint_catches decision_service.proto '/^  \/\/ The order; required\.$/d' 'non-empty comment'
check "buf breaking: callers of the published contract still compile and are understood" \
    buf breaking proto --against "$PUBLISHED"
check "buf breaking catches a field of another number" \
    breaking_catches decision_service.proto 's/uint32 max_actions = 4;/uint32 max_actions = 14;/' 'max_actions'
check "buf breaking catches a field of another type" \
    breaking_catches decision_service.proto 's/bool dry_run = 6;/string dry_run = 6;/' 'changed type'
check "buf breaking catches a method that is gone" \
    breaking_catches decision_service.proto '/^  rpc WhatIf(/d' 'WhatIf'
check "buf breaking catches an enum value that is gone" \
    breaking_catches decision_service.proto '/EXPLAIN_LEVEL_FULL = 3;/d' 'Previously present enum value'
check "buf breaking lets an addition pass" \
    addition_passes decision_service.proto 's,^  string strategy_ref = 7;,&\n  // Planted.\n  string planted = 777;,'

binary
start_server calm
check "buf curl scores an order by reflection v1" scores_by_reflection grpc-v1
check "buf curl scores an order by reflection v1alpha" scores_by_reflection grpc-v1alpha
check "buf curl scores an order by the files of proto/" scores_by_files
check "buf curl lists every method of the contract" lists_by_reflection
check "buf curl streams orders both ways" streams
check "buf curl shows every mistake of a broken order" names_every_mistake
kill -TERM "$server"
check "the server stops when asked" stopped

sed "s/^in_flight_max = [0-9]*/in_flight_max = $PLACES/" config/orderlens.toml >"$RUN/busy.toml"
start_server busy --config "$RUN/busy.toml"
retries
check "the server stops although health is watched" stopped

if ((0 < n_failed)); then
    printf 'clients: %s FAILED (%s s)\n' "$n_failed" "$SECONDS"
    exit 1
fi
printf 'clients: every check passed (%s s)\n' "$SECONDS"
