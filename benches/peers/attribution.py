"""How long does exact attribution of one order take, here and in the peers?

One table: microseconds per order at batch one, one thread, for models of one shape
(300 trees of depth 6 over 48 features, a tenth of the values missing). Ours is the
bench `explain` of benches/model.rs, run in the same minute. `--fasttreeshap` prints
only the row of FastTreeSHAP, which needs an environment of its own (run.sh).
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

N_TREES, DEPTH, N_FEATURES, N_ROWS = 300, 6, 48, 20_000
N_CALLS, N_WARM = 60, 5
ROOT = Path(__file__).resolve().parents[2]


def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(N_ROWS, N_FEATURES)).astype(np.float32)
    log_odds = x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3] * x[:, 4] + x[:, 5:20].sum(axis=1) / 4 - 2
    labels = (rng.random(N_ROWS) < 1 / (1 + np.exp(-log_odds))).astype(int)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, labels


def timed(call, inputs) -> tuple[float, float]:
    """Least and median microseconds of a call on one input after the other."""
    took = []
    for given in inputs:
        start = time.perf_counter_ns()
        call(given)
        took.append((time.perf_counter_ns() - start) / 1e3)
    took = took[N_WARM:]
    return min(took), float(np.median(took))


def lightgbm_model(x, labels):
    import lightgbm

    settings = {
        "objective": "binary", "num_leaves": 2**DEPTH, "max_depth": DEPTH, "num_threads": 1,
        "learning_rate": 0.05, "min_data_in_leaf": 5, "verbose": -1,
    }
    return lightgbm.train(settings, lightgbm.Dataset(x, labels), num_boost_round=N_TREES)


def peers(x, labels):
    import catboost
    import shap
    import xgboost

    one = [x[i : i + 1] for i in range(N_CALLS + N_WARM)]
    settings = {
        "objective": "binary:logistic", "max_depth": DEPTH, "eta": 0.05, "nthread": 1,
        "tree_method": "hist",
    }
    booster = xgboost.train(settings, xgboost.DMatrix(x, labels), num_boost_round=N_TREES)
    # A matrix per call: XGBoost remembers its answers about a matrix.
    matrices = [xgboost.DMatrix(row, nthread=1) for row in one]
    yield "XGBoost pred_contribs", timed(lambda m: booster.predict(m, pred_contribs=True), matrices)
    model = lightgbm_model(x, labels)
    yield "LightGBM pred_contrib", timed(lambda r: model.predict(r, pred_contrib=True), one)
    cat = catboost.CatBoostClassifier(
        iterations=N_TREES, depth=DEPTH, learning_rate=0.05, thread_count=1, verbose=False,
        allow_writing_files=False,
    ).fit(x, labels)
    pools = [catboost.Pool(row) for row in one]
    explain = lambda p: cat.get_feature_importance(p, type="ShapValues", thread_count=1)
    yield "CatBoost ShapValues", timed(explain, pools)
    for name, fitted in (("XGBoost", booster), ("LightGBM", model)):
        explainer = shap.TreeExplainer(fitted, feature_perturbation="tree_path_dependent")
        explain = lambda r: explainer.shap_values(r, check_additivity=False)
        yield f"shap.TreeExplainer on {name}", timed(explain, one)


def fast_tree_shap(x, labels):
    import fasttreeshap

    one = [x[i : i + 1] for i in range(N_CALLS + N_WARM)]
    model = lightgbm_model(x, labels)
    for algorithm in ("v1", "v2"):
        explainer = fasttreeshap.TreeExplainer(model, algorithm=algorithm, n_jobs=1)
        explain = lambda r: explainer.shap_values(r, check_additivity=False)
        yield f"FastTreeSHAP {algorithm} on LightGBM", timed(explain, one)


def ours() -> tuple[float, float]:
    """Least and median of the bench, in microseconds."""
    command = ["cargo", "bench", "--locked", "--bench", "model", "--", "explain", "--min-time", "2"]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = text[re.search(r"─ explain ", text).start() :].splitlines()
    line = next(line for line in lines if re.search(r"─ 300 ", line))
    units = {"ns": 1e-3, "µs": 1.0, "ms": 1e3}
    figures = [float(n) * units[unit] for n, unit in re.findall(r"([\d.]+) (ns|µs|ms)", line)]
    return figures[0], figures[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fasttreeshap", action="store_true")
    parser.add_argument("--with-rows", type=Path, help="further rows, as --fasttreeshap printed them")
    args = parser.parse_args()
    if args.fasttreeshap:
        json.dump(list(fast_tree_shap(*rows())), sys.stdout)
        return
    least, median = ours()
    table = list(peers(*rows()))
    if args.with_rows:
        table += json.loads(args.with_rows.read_text())
    print(f"{'exact attribution of one order':40}{'least µs':>12}{'median µs':>12}{'times ours':>12}")
    print(f"{'orderlens, score and attribution':40}{least:12.2f}{median:12.2f}{1:12.0f}")
    for name, (peer_least, peer_median) in table:
        print(f"{name:40}{peer_least:12.1f}{peer_median:12.1f}{peer_least / least:12.0f}")


if __name__ == "__main__":
    main()
