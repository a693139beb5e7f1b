//! Contributions under the strategy's weights: still an exact sum.
//!
//! `z = base + Σ_g w_g Σ_{f∈g} φ_f`, computed as `raw + Σ_g (w_g − 1) Φ_g`, so
//! that weights of 1 leave the raw score as it is to the last bit and changing
//! one weight moves it by exactly that group's share.

use crate::decision::strategy::{GroupWeights, Strategy};
use crate::domain::entity::EntityKind;
use crate::domain::feature::{FeatureGroup, FeatureSpec};
use crate::domain::head::HeadScore;
use crate::domain::risk::{Contribution, ContributionRest, Probability, RiskAssessment, Share};

/// A calibrated answer of one head at one score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrated {
    /// Probability in [0, 1].
    pub probability: f64,
    /// 90 % interval of it: model uncertainty.
    pub interval: (f64, f64),
    /// Held-out rows near this score.
    pub n_support: u64,
}

/// Turns a re-weighted score into a probability: what a model bundle offers.
pub trait Recalibrate: std::fmt::Debug {
    /// The calibrated answer of the head at a position of the scores, at a log-odds.
    fn calibrate(&self, head_idx: usize, log_odds: f64) -> Calibrated;
}

/// The features of a bundle and their values for one order.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What the features are, in bundle order.
    pub specs: &'a [FeatureSpec],
    /// Their values; NaN is unknown.
    pub values: &'a [f32],
}

/// What one risk head says under the strategy.
///
/// `contributions_max` caps the list; the others are summed in `rest`.
pub fn assess(
    strategy: &Strategy,
    score: &HeadScore,
    inputs: Inputs<'_>,
    recalibrate: impl Fn(f64) -> Calibrated,
    contributions_max: usize,
) -> RiskAssessment {
    let brief = assess_briefly(strategy, score, inputs.specs, recalibrate);
    let sum: f64 = score.contributions.iter().sum();
    let shown = strongest(&strategy.weights, score, inputs.specs, contributions_max);
    RiskAssessment {
        residual: score.raw - score.base - sum,
        contributions: shown
            .iter()
            .map(|idx| contribution(&strategy.weights, score, inputs, *idx))
            .collect(),
        rest: rest(&strategy.weights, score, inputs.specs, &shown),
        groups: by_group(&strategy.weights, score, inputs.specs),
        entities: by_entity(&strategy.weights, score, inputs.specs),
        ..brief
    }
}

/// What [`assess`] says without its lists: all that the choice of an action reads.
pub fn assess_briefly(
    strategy: &Strategy,
    score: &HeadScore,
    specs: &[FeatureSpec],
    recalibrate: impl Fn(f64) -> Calibrated,
) -> RiskAssessment {
    let (weighted, calibrated) = weigh(&strategy.weights, score, specs, recalibrate);
    RiskAssessment {
        head: score.head.clone(),
        probability: Probability::clamped(calibrated.probability),
        interval: (
            Probability::clamped(calibrated.interval.0),
            Probability::clamped(calibrated.interval.1),
        ),
        model_probability: Probability::clamped(score.calibrated),
        band: strategy.risk(&score.head).band(calibrated.probability),
        base: score.base,
        raw_log_odds: score.raw,
        weighted_log_odds: weighted,
        residual: 0.0,
        contributions: Vec::new(),
        rest: ContributionRest::default(),
        n_support: calibrated.n_support,
        groups: Vec::new(),
        entities: Vec::new(),
    }
}

/// A score under the weights, log-odds, and what that is calibrated to.
pub fn weigh(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
    recalibrate: impl Fn(f64) -> Calibrated,
) -> (f64, Calibrated) {
    let weighted = weighted_log_odds(weights, score, specs);
    let model = Calibrated {
        probability: score.calibrated,
        interval: score.interval,
        n_support: score.n_support,
    };
    // Bits, not nearness: only an untouched score may keep the model's own answer.
    let is_untouched = weighted.to_bits() == score.raw.to_bits();
    (weighted, if is_untouched { model } else { recalibrate(weighted) })
}

/// An assessed risk at another score, as [`assess`] would see it; contributions stay.
pub fn move_to(
    strategy: &Strategy,
    risk: &mut RiskAssessment,
    log_odds: f64,
    calibrated: Calibrated,
) {
    risk.weighted_log_odds = log_odds;
    risk.probability = Probability::clamped(calibrated.probability);
    risk.interval =
        (Probability::clamped(calibrated.interval.0), Probability::clamped(calibrated.interval.1));
    risk.n_support = calibrated.n_support;
    risk.band = strategy.risk(&risk.head).band(calibrated.probability);
}

/// Positions of at most `n_max` features, largest shift under the weights first, then by id.
pub fn strongest(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
    n_max: usize,
) -> Vec<usize> {
    let shift = |(idx, phi): (usize, &f64)| ((weights.get(specs[idx].group) * phi).abs(), idx);
    let shifts = score.contributions.iter().take(specs.len()).enumerate().map(shift);
    // Many features of an order move nothing: these are compared only when they are shown.
    let mut moving = Vec::with_capacity(specs.len());
    moving.extend(shifts.clone().filter(|(shift, _)| *shift != 0.0));
    let by_shift = |a: &(f64, usize), b: &(f64, usize)| {
        b.0.total_cmp(&a.0).then_with(|| specs[a.1].id.cmp(&specs[b.1].id))
    };
    if n_max < moving.len() {
        moving.select_nth_unstable_by(n_max, by_shift);
        moving.truncate(n_max);
    }
    moving.sort_unstable_by(by_shift);
    let n_left = n_max - moving.len();
    if 0 < n_left {
        let mut idle: Vec<_> = shifts.filter(|(shift, _)| *shift == 0.0).collect();
        idle.sort_unstable_by(by_shift);
        moving.extend(idle.into_iter().take(n_left));
    }
    moving.into_iter().map(|(_, idx)| idx).collect()
}

/// Shares of each theme, in [`FeatureGroup::ALL`] order; themes without features are left out.
fn by_group(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
) -> Vec<Share<FeatureGroup>> {
    roll_up(weights, score, specs, FeatureGroup::ALL, |spec| spec.group as usize)
}

/// Shares of each kind of entity whose history was read, `None` first for the order itself.
fn by_entity(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
) -> Vec<Share<Option<EntityKind>>> {
    let mut kinds = [None; EntityKind::ALL.len() + 1];
    for (slot, kind) in kinds[1..].iter_mut().zip(EntityKind::ALL) {
        *slot = Some(kind);
    }
    let place = |spec: &FeatureSpec| spec.entity.map_or(0, |kind| kind as usize + 1);
    roll_up(weights, score, specs, kinds, place)
}

/// Sums by what features are of; `place_of` says where in `all` that stands.
fn roll_up<K: Copy, const N: usize>(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
    all: [K; N],
    place_of: impl Fn(&FeatureSpec) -> usize,
) -> Vec<Share<K>> {
    let mut shares =
        all.map(|of| Share { of, n_features: 0, log_odds: 0.0, weighted_log_odds: 0.0 });
    for (spec, phi) in specs.iter().zip(&score.contributions) {
        let share = &mut shares[place_of(spec)];
        share.n_features += 1;
        share.log_odds += phi;
        share.weighted_log_odds += weights.get(spec.group) * phi;
    }
    shares.into_iter().filter(|share| share.n_features != 0).collect()
}

fn weighted_log_odds(weights: &GroupWeights, score: &HeadScore, specs: &[FeatureSpec]) -> f64 {
    let mut sums = [0.0; FeatureGroup::ALL.len()];
    for (spec, phi) in specs.iter().zip(&score.contributions) {
        sums[spec.group as usize] += phi;
    }
    let mut weighted = score.raw;
    for (group, sum) in FeatureGroup::ALL.into_iter().zip(sums) {
        weighted += (weights.get(group) - 1.0) * sum;
    }
    weighted
}

fn contribution(
    weights: &GroupWeights,
    score: &HeadScore,
    inputs: Inputs<'_>,
    idx: usize,
) -> Contribution {
    let spec = &inputs.specs[idx];
    Contribution {
        feature: spec.id.clone(),
        group: spec.group,
        value: known(inputs.values, idx),
        log_odds: score.contributions[idx],
        weight: weights.get(spec.group),
    }
}

/// A feature's value, `None` when unknown.
pub fn known(values: &[f32], idx: usize) -> Option<f64> {
    values.get(idx).filter(|value| !value.is_nan()).map(|value| f64::from(*value))
}

/// What the features that are not shown sum up to, in the order of the bundle.
fn rest(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
    shown: &[usize],
) -> ContributionRest {
    let mut is_shown = vec![false; specs.len()];
    for idx in shown {
        is_shown[*idx] = true;
    }
    let mut rest = ContributionRest::default();
    for ((spec, phi), is_shown) in specs.iter().zip(&score.contributions).zip(is_shown) {
        if !is_shown {
            rest.n_features += 1;
            rest.log_odds += phi;
            rest.weighted_log_odds += weights.get(spec.group) * phi;
        }
    }
    rest
}
