"""How accurate are our trees, and how long do they train, beside the peers' trees?

Two tables over the same matrices. Accuracy: area under the ROC curve and average
precision on later rows, every booster early-stopped on the same last fifth of the
training rows (log loss, step 0.05, depth 6). Every booster is fitted as it comes and
with our shares of rows and features per tree; the better on the stop rows counts.
Time: 300 trees of depth 6, two threads, nothing stopped, least of several fits;
CatBoost in several settings, of which the fastest counts.

Matrices come from `orderlens train --export-matrix TRAIN --export-test-matrix TEST`;
columns that both files have are used. Two synthetic tasks are always made.
"""

import argparse
import functools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import catboost
import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.metrics import average_precision_score, roc_auc_score

DEPTH, STEP, TREES_MAX, PATIENCE = 6, 0.05, 2000, 50
STOP_SHARE, N_TIMED_TREES, N_BINS, N_THREADS = 0.2, 300, 254, 2
# Row and feature shares per tree: as the peers come, and as ours do.
SHARES = [(1.0, 1.0), (0.8, 0.5)]
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target" / "peers"


class Task(NamedTuple):
    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def n_fit(self) -> int:
        """Rows before the stop rows; ours takes the last `ceil(share * n)` too."""
        return len(self.y) - int(np.ceil(STOP_SHARE * len(self.y)))


class Fitted(NamedTuple):
    scores: np.ndarray
    stop_loss: float
    n_trees: int


def three_way() -> Task:
    """100,000 rows of 40 features; the truth is in pairs and triples of them."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100_000, 40)).astype(np.float32)
    log_odds = x[:, 24:40] @ rng.normal(0, 0.15, 16)
    for a in range(0, 12, 3):
        log_odds += 0.9 * np.sign(x[:, a] * x[:, a + 1] * x[:, a + 2])
    for a in range(12, 24, 2):
        log_odds += 0.5 * x[:, a] * x[:, a + 1]
    y = (rng.random(len(x)) < 1 / (1 + np.exp(0.5 - log_odds))).astype(np.float32)
    return split("synthetic, three-way", x, y)


def order_like() -> Task:
    """120,000 rows of 48 features: heavy tails, counts, gaps that tell, 4.7 % bad."""
    rng = np.random.default_rng(2)
    n = 120_000
    x = rng.normal(size=(n, 48)).astype(np.float32)
    x[:, :12] = np.exp(1.5 * x[:, :12])
    x[:, 12:24] = rng.poisson(np.exp(0.7 * x[:, 12:24]))
    amount, count, age = np.log1p(x[:, 0]), x[:, 12], x[:, 24]
    log_odds = 1.2 * (amount > 1.5) * (count > 2) + 0.8 * (age < -1) * amount
    log_odds += 0.35 * np.log1p(x[:, 1]) * x[:, 25] - 0.5 * np.minimum(x[:, 13], 3) * (x[:, 26] > 0)
    log_odds += 0.3 * x[:, 27:35].sum(axis=1) + 0.6 * x[:, 35] * x[:, 36]
    is_gap = rng.random(x.shape) < 0.1
    is_gap[:, 28] = rng.random(n) < 0.15 + 0.2 * (x[:, 29] > 1)
    log_odds += 1.0 * is_gap[:, 28]
    log_odds *= 1.7
    # The intercept that makes 4.7 % of the rows bad, by bisection.
    low, high = -20.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        share = np.mean(1 / (1 + np.exp(-(log_odds + middle))))
        low, high = (middle, high) if share < 0.047 else (low, middle)
    y = (rng.random(n) < 1 / (1 + np.exp(-(log_odds + low)))).astype(np.float32)
    x[is_gap] = np.nan
    return split("synthetic, order-like", x, y)


def split(name: str, x: np.ndarray, y: np.ndarray) -> Task:
    """The first 70 % of the rows are learned from."""
    n = int(0.7 * len(y))
    return Task(name, x[:n], y[:n], x[n:], y[n:])


def exported(text: str) -> Task:
    """`NAME=TRAIN.csv,TEST.csv,HEAD`; rows without a label are left out."""
    name, rest = text.split("=", 1)
    train_path, test_path, head = rest.split(",")
    train, test = pd.read_csv(train_path), pd.read_csv(test_path)
    label = f"label:{head}"
    train, test = train[train[label].notna()], test[test[label].notna()]
    own = {"order_id", "event_time", "account"}
    columns = [c for c in train.columns if c in test.columns and c not in own]
    columns = [c for c in columns if not c.startswith("label:")]
    matrix = lambda table: table[columns].to_numpy(np.float32)
    labels = lambda table: table[label].to_numpy(np.float32)
    return Task(name, matrix(train), labels(train), matrix(test), labels(test))


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def xgboost_fit(task: Task, shares: tuple, seed: int) -> Fitted:
    n = task.n_fit()
    fit = xgboost.QuantileDMatrix(task.x[:n], task.y[:n], max_bin=N_BINS)
    stop = xgboost.QuantileDMatrix(task.x[n:], task.y[n:], ref=fit, max_bin=N_BINS)
    model = xgboost.train(
        xgboost_settings(shares, seed), fit, TREES_MAX, evals=[(stop, "stop")],
        early_stopping_rounds=PATIENCE, verbose_eval=False,
    )
    scores = model.inplace_predict(task.x_test, iteration_range=(0, model.best_iteration + 1))
    return Fitted(scores, model.best_score, model.best_iteration + 1)


def xgboost_settings(shares: tuple, seed: int) -> dict:
    return {
        "objective": "binary:logistic", "eval_metric": "logloss", "tree_method": "hist",
        "max_depth": DEPTH, "eta": STEP, "max_bin": N_BINS, "nthread": N_THREADS,
        "subsample": shares[0], "colsample_bytree": shares[1], "seed": seed,
    }


def lightgbm_fit(task: Task, shares: tuple, seed: int) -> Fitted:
    n = task.n_fit()
    fit = lightgbm.Dataset(task.x[:n], task.y[:n])
    stop = lightgbm.Dataset(task.x[n:], task.y[n:], reference=fit)
    model = lightgbm.train(
        lightgbm_settings(shares, seed), fit, TREES_MAX, valid_sets=[stop],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    stop_loss = model.best_score["valid_0"]["binary_logloss"]
    return Fitted(model.predict(task.x_test), stop_loss, model.best_iteration)


def lightgbm_settings(shares: tuple, seed: int) -> dict:
    return {
        "objective": "binary", "metric": "binary_logloss", "max_depth": DEPTH,
        "num_leaves": 2**DEPTH - 1, "learning_rate": STEP, "max_bin": N_BINS,
        "num_threads": N_THREADS, "bagging_freq": 1, "bagging_fraction": shares[0],
        "feature_fraction": shares[1], "seed": seed, "verbose": -1,
    }


def catboost_fit(task: Task, shares: tuple, seed: int) -> Fitted:
    n = task.n_fit()
    settings = catboost_settings(shares, seed)
    if shares == (1.0, 1.0):
        # As it comes: CatBoost's own choice of bootstrap.
        del settings["bootstrap_type"]
    model = catboost.CatBoostClassifier(iterations=TREES_MAX, **settings)
    stop = catboost.Pool(task.x[n:], task.y[n:])
    model.fit(task.x[:n], task.y[:n], eval_set=stop, early_stopping_rounds=PATIENCE)
    stop_loss = model.best_score_["validation"]["Logloss"]
    return Fitted(model.predict_proba(task.x_test)[:, 1], stop_loss, model.tree_count_)


def catboost_settings(shares: tuple, seed: int) -> dict:
    settings = {
        "depth": DEPTH, "learning_rate": STEP, "border_count": N_BINS, "random_seed": seed,
        "thread_count": N_THREADS, "logging_level": "Silent", "allow_writing_files": False,
        "bootstrap_type": "No", "rsm": shares[1],
    }
    if shares[0] < 1:
        settings |= {"bootstrap_type": "Bernoulli", "subsample": shares[0]}
    return settings


def ours(task: Task, **asked) -> tuple[np.ndarray, dict]:
    """Raw scores of the test rows, and what the bench said."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = {part: FOLDER / f"{part}.bin" for part in ("train", "labels", "test", "output")}
    for part, table in (("train", task.x), ("labels", task.y), ("test", task.x_test)):
        np.ascontiguousarray(table, "<f4").tofile(paths[part])
    config = {part: str(path) for part, path in paths.items()}
    config |= {"n_features": task.x.shape[1], "learning_rate": STEP, "patience": PATIENCE} | asked
    path = FOLDER / "config.json"
    path.write_text(json.dumps(config))
    said = subprocess.run([bench(), path], check=True, stdout=subprocess.PIPE, text=True).stdout
    return np.fromfile(paths["output"], "<f8"), json.loads(said)


@functools.cache
def bench() -> str:
    """Our trainer, built once; `ORDERLENS_PEERS` names one that is built already."""
    if built := os.environ.get("ORDERLENS_PEERS"):
        return built
    command = ["cargo", "bench", "--locked", "--bench", "peers", "--no-run", "--message-format=json"]
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    # The server's own binary comes along with every bench.
    messages = [json.loads(line) for line in said.splitlines()]
    return next(
        message["executable"]
        for message in messages
        if message.get("executable") and message["target"]["name"] == "peers"
    )


def ours_fit(task: Task, shares: tuple, seed: int) -> Fitted:
    """The stop loss is measured from a second look: the stop rows scored as test rows."""
    n = task.n_fit()
    both = task._replace(x_test=np.vstack([task.x_test, task.x[n:]]))
    raw, said = ours(
        both, n_fits=1, n_trees_max=TREES_MAX, stop_share=STOP_SHARE, seed=seed,
        row_share=shares[0], feature_share=shares[1],
    )
    scores, stop = raw[: len(task.y_test)], raw[len(task.y_test) :]
    return Fitted(scores, log_loss(task.y[n:], 1 / (1 + np.exp(-stop))), said["n_trees"])


BOOSTERS = {
    "XGBoost": xgboost_fit, "LightGBM": lightgbm_fit, "CatBoost": catboost_fit, "orderlens": ours_fit,
}


def accuracy(tasks: list[Task], n_seeds: int) -> None:
    print(f"\nAccuracy on later rows, mean of {n_seeds} seeds; the last two columns are ours minus the peers'")
    names = "".join(f"{name:>11}" for name in BOOSTERS)
    print(f"{'task':24}{'figure':8}{names}{'- best':>9}{'- median':>10}")
    for task in tasks:
        figures: dict[str, list] = {name: [] for name in BOOSTERS}
        for name, fit in BOOSTERS.items():
            for seed in range(1, n_seeds + 1):
                tried = [fit(task, shares, seed) for shares in SHARES]
                best = min(tried, key=lambda fitted: fitted.stop_loss)
                auc = roc_auc_score(task.y_test, best.scores)
                figures[name].append((auc, average_precision_score(task.y_test, best.scores)))
                told = ", ".join(f"{f.n_trees} trees {f.stop_loss:.5f}" for f in tried)
                print(f"  {task.name}, {name}, seed {seed}: {told}", file=sys.stderr)
        for idx, figure in enumerate(("AUC", "AP")):
            means = {name: float(np.mean([f[idx] for f in figures[name]])) for name in BOOSTERS}
            mine = means["orderlens"]
            peers = [mean for name, mean in means.items() if name != "orderlens"]
            line = "".join(f"{mean:11.4f}" for mean in means.values())
            gaps = f"{mine - max(peers):+9.4f}{mine - float(np.median(peers)):+10.4f}"
            print(f"{task.name:24}{figure:8}{line}{gaps}", flush=True)


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def catboost_timed(task: Task, shares: tuple, **more) -> float:
    pool = catboost.Pool(task.x, task.y)
    settings = catboost_settings(shares, 1) | more
    model = catboost.CatBoostClassifier(iterations=N_TIMED_TREES, boosting_type="Plain", **settings)
    return seconds(lambda: model.fit(pool))


def timed_round(task: Task) -> dict[str, float]:
    """One fit of everything; the peers' reading of the matrix is not counted where it can be kept apart."""
    all_rows, sampled = SHARES
    once = {"leaf_estimation_iterations": 1, "score_function": "L2"}
    took = {
        "CatBoost": catboost_timed(task, all_rows),
        "CatBoost, sampled": catboost_timed(task, sampled),
        "CatBoost, lean": catboost_timed(task, all_rows, **once),
        "CatBoost, sampled, lean": catboost_timed(task, sampled, **once),
    }
    frame = xgboost.QuantileDMatrix
    settings = xgboost_settings(sampled, 1)
    took["XGBoost"] = seconds(
        lambda: xgboost.train(settings, frame(task.x, task.y, max_bin=N_BINS), N_TIMED_TREES)
    )
    settings = lightgbm_settings(sampled, 1)
    took["LightGBM"] = seconds(
        lambda: lightgbm.train(settings, lightgbm.Dataset(task.x, task.y), N_TIMED_TREES)
    )
    asked = {"n_fits": 1, "n_trees_max": N_TIMED_TREES, "stop_share": 0.0, "seed": 1}
    for name, shares in (("orderlens", sampled), ("orderlens, all rows", all_rows)):
        _, said = ours(task, row_share=shares[0], feature_share=shares[1], **asked)
        took[name] = said["seconds"]
    return took


def times(tasks: list[Task], n_rounds: int) -> None:
    print(f"\nSeconds for {N_TIMED_TREES} trees of depth {DEPTH}, {N_THREADS} threads, least of {n_rounds} rounds")
    for task in tasks:
        rounds = [timed_round(task) for _ in range(n_rounds)]
        least = {name: min(took[name] for took in rounds) for name in rounds[0]}
        fastest = min(took for name, took in least.items() if name.startswith("CatBoost"))
        print(f"{task.name}: {task.x.shape[0]} rows, {task.x.shape[1]} features")
        for name, took in least.items():
            print(f"    {name:26}{took:9.2f} s{took / fastest:9.2f} x the fastest CatBoost", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("matrices", nargs="*", type=exported, help="NAME=TRAIN.csv,TEST.csv,HEAD")
    parser.add_argument("--seeds", type=int, default=1, help="fits per booster and task")
    parser.add_argument("--rounds", type=int, default=3, help="timed fits of everything")
    parser.add_argument("--only", choices=("accuracy", "times"))
    args = parser.parse_args()
    tasks = [*args.matrices, three_way(), order_like()]
    for task in tasks:
        shape, share = task.x.shape, task.y.mean()
        print(f"{task.name}: {shape[0]} rows to learn from, {len(task.y_test)} to judge, "
              f"{shape[1]} features, {share:.4f} bad")
    if args.only != "times":
        accuracy(tasks, args.seeds)
    if args.only != "accuracy":
        times(tasks, args.rounds)


if __name__ == "__main__":
    main()
