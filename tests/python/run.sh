#!/bin/sh
# Tests a running orderlens with stock grpcio and the published proto: no code of ours.
#
#   tests/python/run.sh 127.0.0.1:50051
#   tests/python/run.sh install                           # only what has to be installed
#   tests/python/run.sh 127.0.0.1:50051 SCRIPT ARGUMENT…   # another script beside the stubs
#
# The virtual environment is made once and kept in target/python (or $ORDERLENS_VENV).
set -eu

address=${1:?address of the server, such as 127.0.0.1:50051}
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=${ORDERLENS_VENV:-$root/target/python}

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi
if [ "$address" = install ]; then exit 0; fi

script=${1:-$here/client_test.py}
if [ $# -gt 0 ]; then shift; fi
generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT
"$venv/bin/python" -m grpc_tools.protoc \
    --proto_path="$root/proto" --python_out="$generated" --grpc_python_out="$generated" \
    "$root"/proto/orderlens/v1/*.proto
PYTHONPATH="$generated:${ORDERLENS_PYTHONPATH:-}" "$venv/bin/python" "$script" "$address" "$@"
