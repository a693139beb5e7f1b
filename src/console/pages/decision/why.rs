//! Layer 2: what moved the score, what would turn it, how sure it is.

use crate::console::pages::decision::contributions::RiskWhy;
use crate::console::pages::decision::impacts::ImpactTable;
use crate::console::pages::decision::layers::Told;
use crate::console::pages::decision::number::Number;
use crate::console::pages::decision::turns::{Turns, turns};
use crate::console::words::Words;
use crate::domain::decision::{Decision, DecisionState};
use crate::domain::exploration::ExplorationLimit;
use crate::domain::risk::{RiskAssessment, RiskBand, top_risk};
use crate::domain::rule::{RuleObstacle, RuleOutcome};

/// Layer 2 of a decision.
#[derive(Clone, Debug)]
pub struct Why {
    /// The leading risk, then every other one that is not low.
    pub risks: Vec<RiskWhy>,
    /// What would have led to another first action.
    pub turns: Turns,
    /// How sure the answer is.
    pub confidence: Confidence,
    /// Rules that matched or could not be judged.
    pub rules: Vec<RuleLine>,
    /// What follows from each action; `None` when none is eligible.
    pub impacts: Option<ImpactTable>,
    /// Whether a declined order is released to learn; empty when nothing was drawn.
    pub exploration: Option<Explored>,
}

/// How sure an answer is.
#[derive(Clone, Debug)]
pub struct Confidence {
    /// How complete it is.
    pub state: String,
    /// Class of that.
    pub class: &'static str,
    /// Why it is less than complete.
    pub degraded: Vec<String>,
    /// How many inputs are unknown.
    pub missing_title: String,
    /// Which: id and name.
    pub missing: Vec<(String, String)>,
    /// Whether the order is unlike the training data.
    pub is_unlike: bool,
    /// How much it stands out, and from where on that is too much.
    pub surprise: Number,
    /// See above.
    pub surprise_max: Number,
    /// What is unusual.
    pub unlike: Vec<String>,
}

/// A rule that had something to say.
#[derive(Clone, Debug)]
pub struct RuleLine {
    /// ✓, – or ?.
    pub mark: &'static str,
    /// What people read.
    pub title: String,
    /// Its name in the strategy.
    pub rule: String,
    /// What it did, or why it did not.
    pub effect: String,
}

/// A declined order that was or was not released to learn.
#[derive(Clone, Debug)]
pub struct Explored {
    /// What was drawn.
    pub text: String,
    /// Its chance.
    pub chance: Number,
}

impl Why {
    /// Layer 2 of a decision.
    pub fn new(told: &Told<'_>) -> Self {
        let (words, decision) = (told.words, told.decision());
        let mut leading = true;
        let risks = explained(&decision.risks).into_iter().map(|at| {
            let is_leading = std::mem::take(&mut leading);
            if is_leading { RiskWhy::leading(told, at) } else { RiskWhy::further(told, at) }
        });
        Self {
            risks: risks.collect(),
            turns: turns(words, decision),
            confidence: confidence(told),
            rules: decision.rules.iter().map(|rule| rule_line(words, rule)).collect(),
            impacts: ImpactTable::new(told),
            exploration: explored(words, decision),
        }
    }
}

/// Positions of the leading risk and of every other one that is not low.
pub fn explained(risks: &[RiskAssessment]) -> Vec<usize> {
    let leading = top_risk(risks);
    let is_leading = |risk: &RiskAssessment| leading.is_some_and(|it| it.head == risk.head);
    let mut shown: Vec<usize> = (0..risks.len())
        .filter(|at| is_leading(&risks[*at]) || RiskBand::Low < risks[*at].band)
        .collect();
    shown.sort_by_key(|at| !is_leading(&risks[*at]));
    shown
}

fn confidence(told: &Told<'_>) -> Confidence {
    let (words, decision) = (told.words, told.decision());
    let unlike = &decision.unlike_training;
    let n_missing = i64::try_from(decision.missing_inputs.len()).unwrap_or(i64::MAX);
    let path = |field: &str| format!("decision.unlike_training.{field}");
    let nats = |field: &str, value: f64| Number::new(format!("{value:.1}"), path(field), value);
    Confidence {
        state: words.state(decision.state),
        class: match decision.state {
            DecisionState::Final => "low",
            DecisionState::Degraded | DecisionState::Abstained => "elevated",
        },
        degraded: decision.degraded_reasons.iter().map(|it| words.degraded(*it)).collect(),
        missing_title: words.n("why-missing", n_missing),
        missing: decision
            .missing_inputs
            .iter()
            .map(|id| (id.to_string(), told.feature(id)))
            .collect(),
        is_unlike: unlike.is_unlike,
        surprise: nats("surprise", unlike.surprise),
        surprise_max: nats("surprise_max", unlike.surprise_max),
        unlike: unlike.reasons.iter().map(|it| words.of(&it.text).to_owned()).collect(),
    }
}

fn rule_line(words: Words, rule: &RuleOutcome) -> RuleLine {
    let mark = match rule.obstacle {
        None => "✓",
        Some(RuleObstacle::Overruled | RuleObstacle::NotEligible) => "–",
        Some(RuleObstacle::MissingInput) => "?",
    };
    let mut effects = Vec::new();
    if let Some(action) = rule.force {
        effects.push(words.t1("why-rule-forces", "action", words.action(action)));
    }
    if rule.is_selected() && !rule.tags.is_empty() {
        effects.push(words.t1("why-rule-tags", "tags", rule.tags.join(", ")));
    }
    match rule.obstacle {
        None => {}
        Some(RuleObstacle::Overruled) => effects.push(words.t("why-rule-overruled")),
        Some(RuleObstacle::NotEligible) => effects.push(words.t("why-rule-not-eligible")),
        Some(RuleObstacle::MissingInput) => {
            effects = vec![words.t1("why-rule-unknown", "inputs", rule.missing_inputs.join(", "))];
        }
    }
    RuleLine {
        mark,
        title: words.of(&rule.title).to_owned(),
        rule: rule.rule.to_string(),
        effect: effects.join(" · "),
    }
}

fn explored(words: Words, decision: &Decision) -> Option<Explored> {
    let drawn = decision.exploration.as_ref()?;
    let key = match drawn.withheld_by {
        None if drawn.is_released => "why-explore-released",
        None => "why-explore-not-drawn",
        Some(ExplorationLimit::Hour) => "why-explore-hour",
        Some(ExplorationLimit::Day) => "why-explore-day",
        Some(ExplorationLimit::Month) => "why-explore-month",
        Some(ExplorationLimit::Ring) => "why-explore-ring",
    };
    let chance = Number::percent("decision.exploration.propensity", drawn.propensity.value());
    Some(Explored { text: words.t(key), chance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::head::HeadId;
    use crate::domain::risk::{ContributionRest, Probability};

    fn risk(name: &str, band: RiskBand, probability: f64) -> RiskAssessment {
        let p = Probability::clamped(probability);
        RiskAssessment {
            head: HeadId(name.into()),
            probability: p,
            interval: (p, p),
            model_probability: p,
            band,
            base: 0.0,
            raw_log_odds: 0.0,
            weighted_log_odds: 0.0,
            residual: 0.0,
            contributions: Vec::new(),
            rest: ContributionRest::default(),
            n_support: 0,
            groups: Vec::new(),
            entities: Vec::new(),
        }
    }

    #[test]
    fn the_leading_risk_comes_first_and_low_ones_are_left_out() {
        let risks = [
            risk("low", RiskBand::Low, 0.9),
            risk("some", RiskBand::Elevated, 0.3),
            risk("most", RiskBand::High, 0.2),
        ];
        assert_eq!(explained(&risks), [2, 1]);
        // One is explained even when all is well.
        assert_eq!(explained(&risks[..1]), [0]);
        assert_eq!(explained(&[]), Vec::<usize>::new());
    }
}
