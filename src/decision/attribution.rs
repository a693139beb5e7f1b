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
    let mut ranked = rank_by_shift(&strategy.weights, score, inputs.specs);
    let others = ranked.split_off(contributions_max.min(ranked.len()));
    RiskAssessment {
        residual: score.raw - score.base - sum,
        contributions: ranked
            .into_iter()
            .map(|idx| contribution(&strategy.weights, score, inputs, idx))
            .collect(),
        rest: rest(&strategy.weights, score, inputs.specs, others),
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

/// Positions of the features, largest shift under the weights first, then by id.
pub fn rank_by_shift(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
) -> Vec<usize> {
    let shift = |idx: usize| (weights.get(specs[idx].group) * score.contributions[idx]).abs();
    let mut ranked: Vec<usize> = (0..specs.len().min(score.contributions.len())).collect();
    ranked.sort_by(|a, b| {
        shift(*b).total_cmp(&shift(*a)).then_with(|| specs[*a].id.cmp(&specs[*b].id))
    });
    ranked
}

/// Shares of each theme, in [`FeatureGroup::ALL`] order; themes without features are left out.
fn by_group(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
) -> Vec<Share<FeatureGroup>> {
    roll_up(weights, score, specs, &FeatureGroup::ALL, |spec| spec.group)
}

/// Shares of each kind of entity whose history was read, `None` first for the order itself.
fn by_entity(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
) -> Vec<Share<Option<EntityKind>>> {
    let kinds: Vec<Option<EntityKind>> =
        std::iter::once(None).chain(EntityKind::ALL.map(Some)).collect();
    roll_up(weights, score, specs, &kinds, |spec| spec.entity)
}

fn roll_up<K: Copy + PartialEq>(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
    all: &[K],
    key_of: impl Fn(&FeatureSpec) -> K,
) -> Vec<Share<K>> {
    let mut shares: Vec<Share<K>> = all
        .iter()
        .map(|of| Share { of: *of, n_features: 0, log_odds: 0.0, weighted_log_odds: 0.0 })
        .collect();
    for (spec, phi) in specs.iter().zip(&score.contributions) {
        let key = key_of(spec);
        if let Some(share) = shares.iter_mut().find(|share| share.of == key) {
            share.n_features += 1;
            share.log_odds += phi;
            share.weighted_log_odds += weights.get(spec.group) * phi;
        }
    }
    shares.retain(|share| share.n_features != 0);
    shares
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

fn rest(
    weights: &GroupWeights,
    score: &HeadScore,
    specs: &[FeatureSpec],
    mut others: Vec<usize>,
) -> ContributionRest {
    others.sort_unstable();
    let mut rest = ContributionRest {
        n_features: u32::try_from(others.len()).unwrap_or(u32::MAX),
        ..ContributionRest::default()
    };
    for idx in others {
        rest.log_odds += score.contributions[idx];
        rest.weighted_log_odds += weights.get(specs[idx].group) * score.contributions[idx];
    }
    rest
}
