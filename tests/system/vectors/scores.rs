//! Figures of scores, calibration and drift against scikit-learn and scipy.

use orderlens::experiment::two_samples::LargestGap;
use orderlens::training::calibrate::HeldOut;
use orderlens::training::calibrate::weighted_isotonic::weighted_isotonic;
use orderlens::training::drift::floored_index;
use orderlens::training::metrics::probability::{Predicted, probability_figures};
use orderlens::training::metrics::ranking::{Ranked, ranking_figures};
use orderlens::training::metrics::weighted::{
    BinnedGaps, auc_and_average_precision, brier, gaps_by_mass, gaps_by_width,
};
use serde_json::Value;

use crate::vectors::compared::Compared;
use crate::vectors::{counts, numbers};

/// Scores with what happened.
fn scored(file: &Value) -> Vec<(f64, bool)> {
    let section = &file["classification"];
    let labels = counts(&section["label"]).into_iter();
    numbers(&section["score"]).into_iter().zip(labels.map(|it| it == 1)).collect()
}

pub(crate) fn classification(file: &Value, compared: &mut Compared) {
    let (section, scored) = (&file["classification"], scored(file));
    let weights = numbers(&section["weight"]);
    let ranked = |&(score, is_positive): &(f64, bool)| Ranked { score, is_positive };
    let ranked: Vec<Ranked> = scored.iter().map(ranked).collect();
    let figures = ranking_figures(&ranked, 0.01, 1);
    compared.number("auc", figures.auc.value, &section["auc"]);
    compared.number("ap", figures.average_precision.value, &section["ap"]);
    let (auc, average_precision) = auc_and_average_precision(&ranked, &weights);
    compared.number("auc_w", auc, &section["auc_w"]);
    compared.number("ap_w", average_precision, &section["ap_w"]);

    let predicted =
        |&(probability, is_positive): &(f64, bool)| Predicted { probability, is_positive };
    let predicted: Vec<Predicted> = scored.iter().map(predicted).collect();
    let figures = probability_figures(&predicted, 1);
    compared.number("brier", figures.brier.value, &section["brier"]);
    compared.number("brier_w", brier(&predicted, &weights), &section["brier_w"]);
    compared.number("log_loss", figures.log_loss.value, &section["log_loss_eps1e15"]);
    let gaps = [
        ("ece_width10", gaps_by_width(&predicted, &vec![1.0; weights.len()], 10)),
        ("ece_width10_w", gaps_by_width(&predicted, &weights, 10)),
        ("ece_mass10", gaps_by_mass(&predicted, 10)),
    ];
    for (name, BinnedGaps { mean, largest }) in gaps {
        compared.ends(name, (mean, largest), &section[name]);
    }
}

pub(crate) fn isotonic(file: &Value, compared: &mut Compared) {
    let section = &file["isotonic"];
    let rows = scored(file).into_iter();
    let rows: Vec<HeldOut> =
        rows.map(|(raw, label)| HeldOut { raw, target: f64::from(label) }).collect();
    let map = weighted_isotonic(&rows, &numbers(&file["classification"]["weight"]));
    let found: Vec<f64> = numbers(&section["grid"]).into_iter().map(|at| map.apply(at)).collect();
    compared.numbers("pred", &found, &section["pred"]);
}

pub(crate) fn drift(file: &Value, compared: &mut Compared) {
    let section = &file["drift"];
    let cells = |value: &Value| -> Vec<u32> {
        counts(value).into_iter().map(|it| u32::try_from(it).unwrap()).collect()
    };
    let (before, now) = (cells(&section["ref_counts"]), cells(&section["cur_counts"]));
    compared.number("psi", floored_index(&before, &now, 1e-4), &section["psi"]);
    let empty = &section["psi_zero_case"];
    let floor = empty["eps"].as_f64().unwrap();
    let found = floored_index(&cells(&empty["ref"]), &cells(&empty["cur"]), floor);
    compared.number("psi", found, &empty["psi"]);
    let (before, now) = (numbers(&section["ks_ref"]), numbers(&section["ks_cur"]));
    let found = LargestGap::new(&before, &now).unwrap();
    compared.ends("ks", (found.gap, found.p), &section["ks"]);
}
