//! Choosing features by a quick first fit of every head.

use crate::training::bundle::BundleParams;
use crate::training::columns::Columns;
use crate::training::error::FitError;
use crate::training::head::HeadFit;
use crate::training::params::ObliviousValidParams;
use crate::training::parts::Parts;
use crate::training::set::{HeadTarget, TrainingSet};

/// The features that matter most to a quick fit of every head, in column order.
pub(crate) fn screen(
    set: &TrainingSet,
    columns: &Columns,
    varying: Vec<u16>,
    targets: &[&HeadTarget],
    params: &BundleParams,
    trees: &ObliviousValidParams,
) -> Result<Vec<u16>, FitError> {
    let Some(n_max) = params.features_max.filter(|n_max| *n_max < varying.len()) else {
        return Ok(varying);
    };
    let mut shares = vec![0.0; columns.n_features()];
    for &target in targets {
        let fit = HeadFit { set, columns, features: &varying, target };
        let quick = trees.for_screening();
        let rows = set.rows_by_time(target);
        let parts = Parts::new(&rows, &set.times, params.cut(&quick));
        let gains = fit.boost(&quick, (parts.fit, parts.stop), &mut |_| {})?.gains;
        let total: f64 = gains.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        for (share, gain) in shares.iter_mut().zip(gains) {
            *share += gain / total;
        }
    }
    let mut ranked = varying;
    ranked.sort_by(|&a, &b| {
        shares[usize::from(b)].total_cmp(&shares[usize::from(a)]).then(a.cmp(&b))
    });
    ranked.truncate(n_max.max(1));
    ranked.sort_unstable();
    Ok(ranked)
}
