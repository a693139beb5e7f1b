//! Leaving out features and borders that no head asks for.

use std::collections::BTreeMap;

use crate::model::artifact::HeadArtifact;
use crate::model::binning::{Binning, BinningError};
use crate::model::conformal::OuterQuantiles;
use crate::model::ensemble::{Ensemble, Split, Tree};
use crate::training::error::FitError;

/// What is left.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// Old positions of the features that are used, ascending.
    pub(crate) features: Vec<usize>,
    /// Their used borders.
    pub(crate) binning: Binning,
}

/// Renumbers the splits of all heads to the features and borders they use. Keeps the
/// first feature when no tree uses any: a bundle has at least one.
pub(crate) fn prune(binning: &Binning, heads: &mut [HeadArtifact]) -> Result<Kept, FitError> {
    let mut used: BTreeMap<u16, BTreeMap<u8, u8>> = BTreeMap::new();
    for split in heads.iter().flat_map(ensembles).flat_map(Ensemble::trees).flat_map(Tree::splits) {
        used.entry(split.feature).or_default().insert(split.border, 0);
    }
    if used.is_empty() {
        used.insert(0, BTreeMap::new());
    }
    let mut position = BTreeMap::new();
    let mut borders = Vec::with_capacity(used.len());
    for (new, (&feature, kept)) in (0_u16..).zip(&mut used) {
        position.insert(feature, new);
        let old = binning.borders(usize::from(feature));
        borders.push(kept.keys().map(|&border| old[usize::from(border)]).collect());
        for (new, slot) in (0_u8..).zip(kept.values_mut()) {
            *slot = new;
        }
    }
    let renumber = |split: &Split| Split {
        feature: position.get(&split.feature).copied().unwrap_or(0),
        border: used
            .get(&split.feature)
            .and_then(|kept| kept.get(&split.border))
            .copied()
            .unwrap_or(0),
        missing: split.missing,
    };
    for head in heads {
        head.ensemble = head.ensemble.map_splits(renumber);
        if let Some(OuterQuantiles { low, high }) = &mut head.quantiles {
            *low = low.map_splits(renumber);
            *high = high.map_splits(renumber);
        }
    }
    let features = used.keys().map(|&feature| usize::from(feature)).collect();
    let binning = Binning::new(borders).map_err(|error: BinningError| FitError::from(error))?;
    Ok(Kept { features, binning })
}

fn ensembles(head: &HeadArtifact) -> impl Iterator<Item = &Ensemble> {
    let quantiles = head.quantiles.iter().flat_map(OuterQuantiles::ensembles);
    [&head.ensemble].into_iter().chain(quantiles)
}
