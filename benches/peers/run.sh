#!/usr/bin/env bash
# Compares orderlens with its peers: one table per question.
#
# Usage: benches/peers/run.sh [accuracy|attribution|counterfactual|parity] [ARGUMENT...]
#
# accuracy        our trees beside xgboost, lightgbm and catboost, on synthetic tasks and on
#                 NAME=TRAIN.csv,TEST.csv,HEAD as `orderlens train --export-matrix TRAIN.csv
#                 --export-test-matrix TEST.csv` writes them; --seeds N, --rounds N
# attribution     score and exact attribution of one order beside shap and its relatives
# counterfactual  smallest changes beside DiCE
# parity          writes CatBoost's and shap's own values anew (tests/parity), tests ours by them
#
# Without a question: all four. Environments are made under target/peers and kept there;
# delete that folder to start over. Timings want a quiet machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
# Settings of a BLAS that is tuned by hand would time that, not the peers.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
readonly FOLDER=target/peers
readonly PYTHON=$FOLDER/venv/bin/python
readonly FAST_PYTHON=$FOLDER/fasttreeshap/bin/python

environment() {
    [ -x "$PYTHON" ] || python3 -m venv "$FOLDER/venv"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check -r benches/peers/requirements.txt
}

# FastTreeSHAP is built from source against an older numpy: an environment of its own, and
# both installs name the old versions, or the second would bring the newest.
fast_environment() {
    [ -x "$FAST_PYTHON" ] || python3 -m venv "$FOLDER/fasttreeshap"
    local pip=("$FAST_PYTHON" -m pip install --quiet --disable-pip-version-check)
    local old=('numpy<1.24' 'lightgbm<4' 'scikit-learn<1.4')
    "${pip[@]}" "${old[@]}" 'setuptools<70' wheel cython &&
        "${pip[@]}" "${old[@]}" --no-build-isolation fasttreeshap==0.1.6
}

accuracy() {
    "$PYTHON" benches/peers/accuracy.py "$@"
}

attribution() {
    local more=()
    if fast_environment; then
        "$FAST_PYTHON" benches/peers/attribution.py --fasttreeshap >"$FOLDER/fasttreeshap.json"
        more=(--with-rows "$FOLDER/fasttreeshap.json")
    else
        echo "FastTreeSHAP cannot be built here: its row is missing"
    fi
    "$PYTHON" benches/peers/attribution.py "${more[@]}" "$@"
}

counterfactual() {
    cargo bench --locked --bench counterfactual -- --export "$FOLDER/counterfactual"
    "$PYTHON" benches/peers/counterfactual.py "$FOLDER/counterfactual" "$@"
}

parity() {
    "$PYTHON" benches/peers/parity.py tests/parity
    cargo test --locked --test system parity
    git diff --stat -- tests/parity
}

mkdir -p "$FOLDER"
environment
case ${1:-all} in
all) for question in accuracy attribution counterfactual parity; do "$question"; done ;;
accuracy | attribution | counterfactual | parity) "$@" ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
