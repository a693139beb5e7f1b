#!/usr/bin/env bash
# Answers per server CPU-second: orderlens beside a plain Python stack, one core each.
#
#   bash benches/peers/python_stack/run.sh            # 9 heads, as the shipped bundle has
#   HEADS=1 bash benches/peers/python_stack/run.sh    # the Python stack scores one head only
#
# Both servers get the same messages from `orderlens bench`, one after the other, pinned to
# core 0 while the load comes from the others. CPU time is the server's own, as the bench reads
# it, over both ways of calling. The Python stack is
# installed under target/peers/python_stack; what it leaves out is said in server.py. Ends with
# 1 when orderlens is less than $RATIO_MIN times as fast. Timings want a quiet machine.
set -euo pipefail
cd "$(dirname "$0")/../../.."

readonly HERE=benches/peers/python_stack TARGET=$PWD/target/peers/python_stack
readonly PYTHON=$TARGET/bin/python RUN=$TARGET/run
readonly HEADS=${HEADS:-9} SECONDS_EACH=${SECONDS_EACH:-10} RATIO_MIN=${RATIO_MIN:-50}
readonly START_S=300

[ -x "$PYTHON" ] || python3 -m venv "$TARGET"
"$PYTHON" -m pip install --quiet --disable-pip-version-check -r "$HERE/requirements.txt"
if [ -z "${ORDERLENS_BIN:-}" ]; then
    cargo build --locked --release
    ORDERLENS_BIN=${CARGO_TARGET_DIR:-target}/release/orderlens
fi
rm -rf "$RUN"
mkdir -p "$RUN/stubs"
google=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
"$PYTHON" -m grpc_tools.protoc -I proto -I "$google" \
    --python_out="$RUN/stubs" --grpc_python_out="$RUN/stubs" proto/orderlens/v1/*.proto

server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT

# Starts a server on core 0, sends the load from elsewhere, and prints its row.
measure() {
    local name=$1
    shift
    # The server opens it in the background, maybe only after the first look below.
    : >"$RUN/$name.txt"
    OMP_NUM_THREADS=1 taskset -c 0 "$@" >"$RUN/$name.txt" 2>"$RUN/$name.log" &
    server=$!
    local address=
    for _ in $(seq "$((START_S * 5))"); do
        address=$(sed -n 's,^listening on ,,p' "$RUN/$name.txt")
        [ -z "$address" ] || break
        kill -0 "$server" || { tail -n 20 "$RUN/$name.log"; return 1; }
        sleep 0.2
    done
    local rest=$(($(nproc) - 1))
    taskset -c "1-$((rest > 0 ? rest : 1))" "$ORDERLENS_BIN" bench --server "$address" \
        --server-pid "$server" --in-flight 16 --seconds "$SECONDS_EACH" --rounds 1 --json \
        >"$RUN/$name.json"
    kill -TERM "$server"
    wait "$server" || true
    server=
    "$PYTHON" - "$RUN/$name.json" "$name" <<'PY'
import json, sys
own = json.load(open(sys.argv[1]))["rows"]
answers = sum(row["orders"] for row in own)
errors = sum(row["errors"] for row in own)
cpu = sum(row["orders"] * row["cpu_us"] for row in own) / 1e6
for row in own:
    print(f"{sys.argv[2]:10} {row['mode']:7} {row['orders_per_s']:9.0f} answers/s  "
          f"p50 {row['p50_us'] / 1e3:8.2f} ms  p99 {row['p99_us'] / 1e3:8.2f} ms")
print(f"{sys.argv[2]:10} {answers / cpu:9.1f} answers per server CPU-second, {errors} errors", flush=True)
open(sys.argv[1] + ".rate", "w").write(str(answers / cpu))
PY
}

cp config/orderlens.toml "$RUN/service.toml"
measure python env PYTHONPATH="$RUN/stubs" "$PYTHON" "$HERE/server.py" "$TARGET/model" --heads "$HEADS"
measure orderlens "$ORDERLENS_BIN" serve --config "$RUN/service.toml" \
    --listen 127.0.0.1:0 --console 127.0.0.1:0 --data "$RUN/data"
"$PYTHON" - "$RUN" "$HEADS" "$RATIO_MIN" <<'PY'
import sys
run, heads, least = sys.argv[1], sys.argv[2], float(sys.argv[3])
ours, theirs = (float(open(f"{run}/{name}.json.rate").read()) for name in ("orderlens", "python"))
held = "PASS" if least <= ours / theirs else "FAIL"
print(f"{held}  {ours / theirs:.1f} times the answers per CPU-second of the Python stack "
      f"with {heads} heads, at least {least:.0f}")
sys.exit(0 if held == "PASS" else 1)
PY
