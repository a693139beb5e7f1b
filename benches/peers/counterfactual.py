"""The same questions about the same model, asked of DiCE: found, valid, how small, how fast.

First `cargo bench --bench counterfactual -- --export FOLDER`: it writes the bundle, 500
orders near the threshold and our answers. Then `python counterfactual.py FOLDER [N]` in an
environment of requirements.txt asks DiCE about the first N orders (default 40). DiCE may
use any value between the least and the largest of the training rows; we only use values
and pairs that the rows have. DiCE proves nothing about size, so that column is ours alone.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import dice_ml
import numpy as np
import pandas as pd
from raiutils.exceptions import UserConfigValidationException

METHODS = ("random", "genetic")
# Values that differ by less are unchanged: DiCE rounds what it gives back.
SAME = 1e-3
# A question's target counts as met; far below one step of a score.
TIE = 1e-9


class Head:
    """The trees of a bundle's first head, for many rows at once."""

    def __init__(self, folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        trees = json.loads((folder / manifest["heads"][0]["file"]).read_text())["ensemble"]
        self.borders = [np.array(borders, np.float32) for borders in manifest["binning"]]
        self.step = 2.0 ** -trees["shift"]
        self.bias = trees["bias"]
        self.trees = [(tree["s"], np.array(tree["v"], np.int64)) for tree in trees["trees"]]

    def raw(self, rows: np.ndarray) -> np.ndarray:
        rows = np.asarray(rows, np.float32)
        # "Is the value above the border" is "is its rank above the border's position".
        ranks = [np.searchsorted(borders, rows[:, at]) for at, borders in enumerate(self.borders)]
        sums = np.full(len(rows), self.bias, np.int64)
        for splits, leaves in self.trees:
            leaf = np.zeros(len(rows), np.int64)
            for level, (feature, border, _) in enumerate(splits):
                leaf |= (ranks[feature] > border).astype(np.int64) << level
            sums += leaves[leaf]
        return sums * self.step


class Side:
    """A classifier as DiCE wants one: class 1 is above the target of a question."""

    def __init__(self, head: Head, target: float, is_below: bool) -> None:
        self.head = head
        self.border = target + (TIE if is_below else -TIE)

    def predict_proba(self, rows) -> np.ndarray:
        above = 1 / (1 + np.exp(self.border - self.head.raw(np.asarray(rows, np.float64))))
        return np.column_stack([1 - above, above])

    def predict(self, rows) -> np.ndarray:
        return (self.predict_proba(rows)[:, 1] > 0.5).astype(int)


def ask(method: str, head: Head, order: dict, rows: pd.DataFrame, levers: list[str]):
    """The changed row, or None, and the seconds it took."""
    side = Side(head, order["raw"], order["is_below"])
    labeled = rows.assign(above=side.predict(rows))
    data = dice_ml.Data(
        dataframe=labeled, continuous_features=list(rows.columns), outcome_name="above"
    )
    model = dice_ml.Model(model=side, backend="sklearn", model_type="classifier")
    dice = dice_ml.Dice(data, model, method=method)
    query = pd.DataFrame([order["values"]], columns=rows.columns)
    options = {"random_seed": 1} if method == "random" else {}
    started = time.perf_counter()
    try:
        found = dice.generate_counterfactuals(
            query,
            total_CFs=1,
            desired_class="opposite",
            features_to_vary=levers,
            verbose=False,
            **options,
        )
        changed = found.cf_examples_list[0].final_cfs_df
    except UserConfigValidationException:
        changed = None
    seconds = time.perf_counter() - started
    if changed is None or changed.empty:
        return None, seconds
    return changed[rows.columns].to_numpy(np.float64)[0], seconds


def line(name: str, valid: list, sizes: list, costs: list, seconds: list, proven: str) -> None:
    def middle(values: list) -> float:
        return float(np.median(values)) if values else float("nan")

    print(
        f"{name:<14} {len(valid):>4} {sum(valid):>6} {middle(sizes):>8.1f} "
        f"{max(sizes, default=0):>6} {middle(costs):>8.2f} {middle(seconds) * 1e3:>11.3f} "
        f"{max(seconds) * 1e3:>11.3f} {proven:>7}"
    )


def main(folder: Path, n_orders: int) -> None:
    warnings.filterwarnings("ignore")
    head = Head(folder)
    questions = json.loads((folder / "questions.json").read_text())
    names = [f"x{at:02}" for at in range(len(questions["scales"]))]
    levers = names[: questions["n_levers"]]
    rows = pd.DataFrame(questions["training"], columns=names)
    scales = np.array(questions["scales"])
    orders = questions["orders"][:n_orders]
    print(f"{len(orders)} orders, {len(levers)} levers, {len(head.trees)} trees")
    print(
        f"{'':<14} found  valid  changed   most  cost      p50 ms    worst ms  proven"
    )
    ours = [order for order in orders if order["n_changed"] is not None]
    line(
        "orderlens",
        # Scored here as well, by the trees that DiCE asks.
        [is_met(head, order, np.array(order["changed"])) for order in ours],
        [order["n_changed"] for order in ours],
        [order["cost"] for order in ours],
        [order["micros"] / 1e6 for order in orders],
        str(sum(order["proof"] == "complete" for order in orders)),
    )
    for method in METHODS:
        valid, sizes, costs, seconds = [], [], [], []
        for order in orders:
            changed, took = ask(method, head, order, rows, levers)
            seconds.append(took)
            if changed is None:
                continue
            shift = np.abs(changed - np.array(order["values"])) / scales
            valid.append(is_met(head, order, changed))
            sizes.append(int((shift > SAME).sum()))
            costs.append(float(shift[shift > SAME].sum()))
        line(f"DiCE {method}", valid, sizes, costs, seconds, "-")


def is_met(head: Head, order: dict, changed: np.ndarray) -> bool:
    raw = head.raw(changed[None, :])[0]
    return bool(raw <= order["raw"] if order["is_below"] else order["raw"] <= raw)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
