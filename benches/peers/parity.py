"""Writes the fixtures of tests/system/parity.rs: what CatBoost and shap say.

Synthetic rows with missing values; a CatBoost model of them as JSON; CatBoost's own
ShapValues (path-dependent) and shap's interventional values against a background.
Run by hand: `python parity.py FOLDER` in an environment of requirements.txt.
"""

import json
import sys
from pathlib import Path

import catboost
import numpy as np
import shap

N_ROWS, N_FEATURES, N_BACKGROUND = 1000, 8, 200
# Above no border: what CatBoost's nan_mode "Min" makes of a missing value.
LOWEST = float(np.finfo(np.float32).min)


def main(folder: Path) -> None:
    rng = np.random.default_rng(20261125)
    rows = rng.normal(size=(6000, N_FEATURES)).round(3)
    rows[:, 1] = rng.integers(0, 6, size=len(rows))
    rows[:, 2] = np.exp(2 * rows[:, 2]).round(2)
    rows[rng.random(rows.shape) < 0.08] = np.nan
    x = np.nan_to_num(rows, nan=-0.5)
    log_odds = x[:, 0] * x[:, 3] + (x[:, 1] > 3) - 0.3 * np.log1p(np.abs(x[:, 2])) * x[:, 4]
    labels = (rng.random(len(rows)) < 1 / (1 + np.exp(-log_odds))).astype(int)

    model = catboost.CatBoostClassifier(
        iterations=60, depth=6, learning_rate=0.1, border_count=64, random_seed=1,
        thread_count=2, nan_mode="Min", allow_writing_files=False, verbose=False,
    )
    model.fit(rows[1000:], labels[1000:])
    model.save_model(folder / "model.json", format="json")
    strip(folder / "model.json")
    test, background = rows[:N_ROWS], rows[-N_BACKGROUND:]

    # Columns: one per feature, then the expected value.
    path = model.get_feature_importance(catboost.Pool(test), type="ShapValues")
    explainer = shap.TreeExplainer(
        model,
        shap.maskers.Independent(filled(background), max_samples=N_BACKGROUND),
        feature_perturbation="interventional",
    )
    values = explainer.shap_values(filled(test), check_additivity=False)
    base = np.full((N_ROWS, 1), float(np.ravel(explainer.expected_value)[0]))
    write(folder / "rows.csv", test, "%.6g")
    write(folder / "background.csv", background, "%.6g")
    write(folder / "path_dependent.csv", path, "%.9g")
    write(folder / "interventional.csv", np.hstack([values, base]), "%.9g")


def filled(rows: np.ndarray) -> np.ndarray:
    return np.nan_to_num(rows, nan=LOWEST)


def strip(path: Path) -> None:
    """Keeps what a score needs."""
    model = json.loads(path.read_text())
    kept = {key: model[key] for key in ("oblivious_trees", "scale_and_bias")}
    features = model["features_info"]["float_features"]
    kept["features_info"] = {"float_features": features}
    path.write_text(json.dumps(kept, separators=(",", ":")))


def write(path: Path, rows: np.ndarray, form: str) -> None:
    lines = (",".join("" if np.isnan(v) else form % v for v in row) for row in rows)
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
