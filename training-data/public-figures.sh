#!/usr/bin/env bash
# What the default settings reach on public data, with nothing but the mappings of config/.
#
#   cargo build --release && training-data/public-figures.sh DATA_FOLDER WORK_FOLDER
#
# DATA_FOLDER holds fdh_transactions_dev.csv.gz, fraudecom_sample.csv.gz and
# online_retail_dev.csv.gz; WORK_FOLDER takes events and bundles (3 GB). About 20 minutes
# on two cores. Figures go to standard output, one line each.
#
# FDH is judged by the handbook's protocol. A fold starts at S: 7 days to train, 7 days for
# the labels to come, 7 days of test. "28 days" learns from S - 21 days on, and is judged on
# the same orders: those of cards that had a known fraud since S when their day began are
# left out. The second line of a fold leaves out cards known since S - 21 days as well, which
# takes away more of the orders that are easy to find.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly DATA=$1 WORK=$2 BIN=target/release/orderlens
mkdir -p "$WORK"

day() { date -u -d "$1 $2" +%F; }

events() {
    [ -e "$WORK/$1.jsonl" ] || "$BIN" import --mapping "config/mappings/$1.toml" \
        --input "$DATA/$2" --output "$WORK/$1.jsonl" >"$WORK/$1.import.log" 2>&1
}

# The first value of each of some metrics: those of the bundle, of its first head.
figures() {
    local log=$1 metric
    shift
    for metric in "$@"; do
        printf '  %s %s' "$metric" "$(awk -v m="$metric" '$1 == m {print $2; exit}' "$log")"
    done
    echo
}

fdh() {
    events fdh fdh_transactions_dev.csv.gz
    local start model known log
    for start in 2018-07-25 2018-07-18 2018-07-11 2018-07-04; do
        model=$WORK/fdh-$start/1
        "$BIN" train --events "$WORK/fdh.jsonl" --output "$model" --label-delay 7d \
            --train-from "$(day "$start" -21days)" --train-to "$(day "$start" +14days)" \
            >"$WORK/fdh-$start.train.log" 2>&1
        for known in "$start" "$(day "$start" -21days)"; do
            log=$WORK/fdh-$start-$known.log
            "$BIN" evaluate --events "$WORK/fdh.jsonl" --model "$model" --label-delay 7d \
                --test-from "$(day "$start" +14days)" --test-to "$(day "$start" +21days)" \
                --train-from "$known" --exclude-known --no-baselines >"$log" 2>&1
            printf 'fdh fold %s, without cards known since %s:' "$start" "$known"
            figures "$log" auc average_precision card_precision_at_100
        done
    done
}

# The first 80 % of the purchases by time, labels seven days late.
fraudecom() {
    events fraudecom fraudecom_sample.csv.gz
    local model=$WORK/fraudecom/1 log=$WORK/fraudecom.log
    "$BIN" train --events "$WORK/fraudecom.jsonl" --output "$model" \
        --train-to 2015-08-31T00:40:00Z >"$WORK/fraudecom.train.log" 2>&1
    "$BIN" evaluate --events "$WORK/fraudecom.jsonl" --model "$model" --no-baselines \
        --test-from 2015-08-31T00:40:00Z >"$log" 2>&1
    printf 'fraudecom:'
    figures "$log" auc recall_at_1_percent_fpr
}

# The first 80 % of the file; the baseline of the same run that learns from order-only features.
online_retail() {
    events online_retail online_retail_dev.csv.gz
    local seed model log
    for seed in 1 2 3 4 5; do
        model=$WORK/retail-$seed/1 log=$WORK/retail-$seed.log
        "$BIN" train --events "$WORK/online_retail.jsonl" --output "$model" --seed "$seed" \
            --train-to 2011-06-15 >"$WORK/retail-$seed.train.log" 2>&1
        "$BIN" evaluate --events "$WORK/online_retail.jsonl" --model "$model" \
            --test-from 2011-06-15 >"$log" 2>&1
        printf 'online retail, seed %s:' "$seed"
        figures "$log" auc average_precision
        printf 'online retail, seed %s, order-only features:' "$seed"
        awk '/order-only/ {found = 1} found' "$log" >"$log.order-only"
        figures "$log.order-only" auc average_precision
    done
}

fdh
fraudecom
online_retail
