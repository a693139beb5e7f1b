#!/usr/bin/env bash
# Tests the console in real Chromium, as people use it, in both languages.
#
#   bash tests/browser/run.sh                  # everything
#   bash tests/browser/run.sh selftest nojs    # these parts, in this order
#   bash tests/browser/run.sh install          # nothing but what has to be installed
#
# Parts: selftest (the checks catch planted faults), console (the way through all pages),
# nojs (the same pages without JavaScript), privacy (nothing personal anywhere).
#
# Installs Debian's chromium, fonts-noto-cjk and, where there is no node, nodejs and npm; and
# playwright-core and axe-core from npm into target/browser. A second run installs nothing.
# Takes the binary in $ORDERLENS_BIN, or builds one. Leaves screenshots in
# target/browser/screens and the server's words in target/browser/run.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly HERE=tests/browser TARGET=$PWD/target/browser
readonly RUN=$TARGET/run
readonly PARTS=(selftest console nojs privacy)
# Longest time of a part, seconds: a dev build on two busy cores is slow.
readonly INSTALL_S=600 BUILD_S=1500 START_S=180 PART_S=300 STOP_S=20

server=
current=start
ended() {
    local status=$?
    stop_server
    if ((status != 0)); then
        printf '\nbrowser test: FAILED in "%s" after %s s\n' "$current" "$SECONDS"
        printf '  screenshots: %s/screens\n  server: %s/server.txt, server.log\n' "$TARGET" "$RUN"
    fi
}
trap ended EXIT

stop_server() {
    if [ -z "$server" ]; then return; fi
    kill -TERM "$server" 2>/dev/null || true
    for _ in $(seq "$((STOP_S * 10))"); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$server" 2>/dev/null && echo "the server did not stop in $STOP_S s: killed"
    server=
}

debian_packages() {
    local missing=()
    [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing+=(chromium)
    # Chinese would be drawn as boxes, which are wider and prove nothing.
    find /usr/share/fonts -iname '*cjk*' 2>/dev/null | grep -q . || missing+=(fonts-noto-cjk)
    command -v node >/dev/null || missing+=(nodejs npm)
    if ((${#missing[@]} == 0)); then return; fi
    if ! command -v apt-get >/dev/null; then
        echo "please install: ${missing[*]} (CHROMIUM names a browser elsewhere)"
        return 1
    fi
    local as_root=(env DEBIAN_FRONTEND=noninteractive)
    if ((EUID != 0)); then as_root=(sudo "${as_root[@]}"); fi
    timeout "$INSTALL_S" "${as_root[@]}" apt-get update -qq
    timeout "$INSTALL_S" "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

npm_packages() {
    local version
    version=$(node --version)
    if [[ ${version#v} =~ ^1?[0-9]\. ]]; then
        echo "please install Node.js 20 or newer: $version is too old for playwright-core"
        return 1
    fi
    if cmp -s "$HERE/package-lock.json" "$TARGET/installed.json"; then return; fi
    mkdir -p "$TARGET"
    cp "$HERE/package.json" "$HERE/package-lock.json" "$TARGET/"
    (cd "$TARGET" && timeout "$INSTALL_S" npm ci --ignore-scripts --no-audit --no-fund)
    cp "$HERE/package-lock.json" "$TARGET/installed.json"
}

binary() {
    if [ -z "${ORDERLENS_BIN:-}" ]; then
        timeout "$BUILD_S" cargo build --locked
        ORDERLENS_BIN=${CARGO_TARGET_DIR:-target}/debug/orderlens
    fi
    ORDERLENS_BIN=$(realpath "$ORDERLENS_BIN")
    export ORDERLENS_BIN
}

# Starts a demo and waits until its show is over and its sign-in link is printed.
start_server() {
    rm -rf "$RUN"
    mkdir -p "$RUN"
    # The server opens it in the background, maybe only after the first look below.
    : >"$RUN/server.txt"
    # At this level a log says all it ever says; `privacy` reads it.
    RUST_LOG=debug NO_COLOR=1 "$ORDERLENS_BIN" demo --listen 127.0.0.1:0 --console 127.0.0.1:0 \
        --data "$RUN/data" >"$RUN/server.txt" 2>"$RUN/server.log" &
    server=$!
    for _ in $(seq "$((START_S * 5))"); do
        if grep -q 'Ctrl-C' "$RUN/server.txt"; then break; fi
        if ! kill -0 "$server" 2>/dev/null; then
            server=
            echo "the server ended by itself:"
            tail -n 20 "$RUN/server.txt" "$RUN/server.log"
            return 1
        fi
        sleep 0.2
    done
    ORDERLENS_SIGN_IN=$(grep -Eom1 'http://[^ ]+/sign-in\?link=[0-9a-f]+' "$RUN/server.txt" || true)
    ORDERLENS_GRPC=$(grep -Eom1 'gRPC on http://[^ ]+' "$RUN/server.txt" | cut -d' ' -f3 || true)
    if [ -z "$ORDERLENS_SIGN_IN" ] || [ -z "$ORDERLENS_GRPC" ]; then
        echo "no sign-in link and gRPC address within $START_S s in:"
        tail -n 20 "$RUN/server.txt"
        return 1
    fi
    export ORDERLENS_SIGN_IN ORDERLENS_GRPC ORDERLENS_RUN=$RUN
}

# A part that fails does not keep the others from being looked at.
failed=()
part() {
    if ! timeout --kill-after=10 "$PART_S" node "$HERE/$1.mjs"; then failed+=("$1"); fi
}

# Runs one step by name. Called plainly, so that `set -e` holds inside of it.
step() {
    current=$1
    local start=$SECONDS
    shift
    "$@"
    printf '%s: %s s\n' "$current" "$((SECONDS - start))"
}

parts=("$@")
if ((${#parts[@]} == 0)); then parts=("${PARTS[@]}"); fi
step packages debian_packages
step npm npm_packages
if [ "${parts[*]}" = install ]; then exit 0; fi
for name in "${parts[@]}"; do
    if [ ! -f "$HERE/$name.mjs" ]; then
        echo "no part is called \"$name\"; there are: ${PARTS[*]}"
        exit 2
    fi
    if [ "$name" != selftest ] && [ -z "$server" ]; then
        step build binary
        step server start_server
    fi
    step "$name" part "$name"
done
if [ -n "$server" ] && ! kill -0 "$server" 2>/dev/null; then
    echo "the server did not survive the test:"
    tail -n 20 "$RUN/server.log"
    exit 1
fi
current=${failed[*]:-}
if ((0 < ${#failed[@]})); then exit 1; fi
echo "browser test: held (${parts[*]}; $SECONDS s)"
