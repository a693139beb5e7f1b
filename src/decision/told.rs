//! Which features an answer speaks about, hence what its evidence has to show.

use crate::decision::attribution::{Recalibrate, strongest, weigh};
use crate::decision::strategy::{GroupWeights, Strategy};
use crate::decision::urgency::Urgency;
use crate::domain::entity::EntityKind;
use crate::domain::feature::{FeatureGroup, FeatureSpec};
use crate::domain::head::{HeadKind, HeadScore};
use crate::domain::risk::{Probability, RiskBand};

/// Most sentences about a risk.
pub const REASONS_MAX: usize = 3;
/// A smaller shift is not worth a sentence, log-odds.
const SHIFT_MIN: f64 = 0.05;

/// Features that say nearly the same: one count over several windows, for example.
#[derive(Debug, PartialEq)]
enum Family<'a> {
    /// History of one kind of entity, perhaps against another kind.
    History(FeatureGroup, EntityKind, Option<EntityKind>),
    /// A feature that stands for itself.
    Single(&'a str),
}

/// Positions of the features that the sentences about a risk tell, strongest first; at most
/// [`REASONS_MAX`], one of each family.
///
/// An elevated or high risk tells what raises it; a low one tells what reassures.
pub fn told(
    weights: &GroupWeights,
    band: RiskBand,
    score: &HeadScore,
    specs: &[FeatureSpec],
) -> Vec<usize> {
    let sign = match band {
        RiskBand::Low => -1.0,
        RiskBand::Elevated | RiskBand::High => 1.0,
    };
    let shift = |idx: usize| sign * weights.get(specs[idx].group) * score.contributions[idx];
    let n_features = specs.len().min(score.contributions.len());
    let mut speaking: Vec<usize> = (0..n_features).filter(|&idx| SHIFT_MIN <= shift(idx)).collect();
    speaking.sort_by(|&a, &b| {
        shift(b).total_cmp(&shift(a)).then_with(|| specs[a].id.cmp(&specs[b].id))
    });
    let mut families = Vec::new();
    let mut told = Vec::new();
    for idx in speaking {
        let family = family(&specs[idx]);
        if told.len() < REASONS_MAX && !families.contains(&family) {
            families.push(family);
            told.push(idx);
        }
    }
    told
}

/// Positions of the features whose evidence matters, each once, what matters most first:
/// those that the leading risk's sentences tell; those that would be told about the other
/// risks above the review threshold, since these drive actions too; then every feature, by
/// how far it moves the leading risk.
pub fn to_show(
    strategy: &Strategy,
    scores: &[HeadScore],
    recalibrate: &dyn Recalibrate,
    specs: &[FeatureSpec],
) -> Vec<usize> {
    let weights = &strategy.weights;
    let risks = by_urgency(strategy, scores, recalibrate, specs);
    let Some(&(_, leading)) = risks.first() else { return Vec::new() };
    let leading = &scores[leading];
    let mut found = Vec::new();
    for (rank, (urgency, idx)) in risks.into_iter().enumerate() {
        if rank == 0 || RiskBand::Low < urgency.band {
            found.extend(told(weights, urgency.band, &scores[idx], specs));
        }
    }
    let n_moving = leading.contributions.iter().filter(|phi| **phi != 0.0).count();
    let ranked = strongest(weights, leading, specs, n_moving);
    found.extend(ranked.into_iter().filter(|&idx| leading.contributions[idx] != 0.0));
    let mut is_found = vec![false; specs.len()];
    found.retain(|&idx| !std::mem::replace(&mut is_found[idx], true));
    found
}

/// Position of the score of the leading risk, unless that is low.
pub fn raised(
    strategy: &Strategy,
    scores: &[HeadScore],
    recalibrate: &dyn Recalibrate,
    specs: &[FeatureSpec],
) -> Option<usize> {
    let risks = by_urgency(strategy, scores, recalibrate, specs);
    let &(urgency, leading) = risks.first()?;
    (RiskBand::Low < urgency.band).then_some(leading)
}

/// Positions of the scores of risks, most urgent first.
fn by_urgency(
    strategy: &Strategy,
    scores: &[HeadScore],
    recalibrate: &dyn Recalibrate,
    specs: &[FeatureSpec],
) -> Vec<(Urgency, usize)> {
    let mut risks: Vec<(Urgency, usize)> = Vec::new();
    for (idx, score) in scores.iter().enumerate().filter(|(_, it)| it.kind == HeadKind::Risk) {
        let calibrate = |log_odds| recalibrate.calibrate(idx, log_odds);
        let (_, calibrated) = weigh(&strategy.weights, score, specs, calibrate);
        let probability = Probability::clamped(calibrated.probability);
        risks.push((Urgency::of(strategy, &score.head, probability), idx));
    }
    // Stable: of equals the first leads, as in the answer.
    risks.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    risks
}

fn family(spec: &FeatureSpec) -> Family<'_> {
    match spec.entity {
        Some(entity) if spec.is_graph => Family::History(spec.group, entity, spec.counterpart),
        Some(_) | None => Family::Single(&spec.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::fixtures::{Logistic, four_specs, risk_score, strategy};

    fn shown(scores: &[HeadScore]) -> Vec<usize> {
        to_show(&strategy(), scores, &Logistic, &four_specs())
    }

    #[test]
    fn what_a_second_high_risk_tells_is_shown_before_the_small_shifts_of_the_first() {
        let leading = risk_score("payment_fraud", 3.0, &[2.0, 0.0, -0.5, 0.01]);
        let second = risk_score("promo_abuse", 2.0, &[0.0, 0.0, 0.0, 1.0]);
        assert_eq!(shown(&[second, leading]), [0, 3, 2]);
    }

    #[test]
    fn what_would_be_told_about_a_low_risk_waits_for_what_moves_the_leading_one() {
        let leading = risk_score("payment_fraud", 3.0, &[2.0, 0.0, 0.0, 0.01]);
        let low = risk_score("promo_abuse", -2.0, &[0.0, -1.0, 0.0, 0.0]);
        assert_eq!(shown(&[leading, low]), [0, 3]);
    }

    #[test]
    fn no_risk_shows_nothing() {
        assert_eq!(shown(&[]), [0; 0]);
    }
}
