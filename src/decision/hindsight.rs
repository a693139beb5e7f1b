//! What each action earns once it is known what the order was.
//!
//! The formulas of [`crate::decision::impact`] with the truth about the risks in place of
//! their probabilities. Returns, later purchases and the price index stay at what the heads
//! say: they are not what an action turns on.

use crate::decision::impact::{Friction, Scenario, Stakes, total};
use crate::decision::impact_draws::{Lanes, good, totals};
use crate::decision::outlook::Outlook;
use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::decision::ActionKind;
use crate::domain::head::{HeadId, HeadScore};
use crate::domain::order::Order;
use crate::domain::risk::RiskAssessment;

/// Most risks whose combinations are looked at one by one: 2^6 of them.
const RISKS_MAX: usize = 6;

/// Some actions on one order, and what each earns in any truth about its risks.
#[derive(Debug)]
pub struct Hindsight<'a> {
    stakes: Stakes<'a>,
    outlook: Outlook,
    actions: Vec<Friction<'a>>,
}

impl<'a> Hindsight<'a> {
    /// Actions on an order; `assessed` says which risks there are.
    pub fn new(
        strategy: &'a Strategy,
        order: &Order,
        scores: &[HeadScore],
        assessed: &[RiskAssessment],
        actions: &[&'a ActionPolicy],
    ) -> Self {
        let outlook = Outlook::new(strategy, scores, assessed);
        let stakes = Stakes::new(strategy, order, outlook.heads());
        let actions = actions.iter().map(|policy| stakes.friction(policy)).collect();
        Self { stakes, outlook, actions }
    }

    /// What each action earns, minor units, in the order given; `is_real` tells which risks
    /// the order turned out to be.
    pub fn values(&self, is_real: impl Fn(&HeadId) -> bool) -> Vec<(ActionKind, f64)> {
        let truth: Vec<f64> =
            self.outlook.heads().iter().map(|head| f64::from(u8::from(is_real(head)))).collect();
        self.values_if(&truth).collect()
    }

    /// The chance of each action to be the best of them, see [`chances`].
    pub fn chances(&self) -> Vec<f64> {
        chances(&self.stakes, &self.outlook, &self.actions.iter().collect::<Vec<_>>())
    }

    fn values_if<'t>(&'t self, truth: &'t [f64]) -> impl Iterator<Item = (ActionKind, f64)> + 't {
        let scenario = Scenario { risks: truth, ..self.outlook.at_point() };
        self.actions
            .iter()
            .map(move |action| (action.policy.kind, total(&self.stakes.parts(action, &scenario))))
    }
}

/// The chance of each action to be the best of them once the truth is known; they sum to
/// 1 unless there are no actions.
///
/// Every combination of risks has its probability, risks being independent given the
/// order as in the formulas of impact, and a best action. Of more than six risks the most
/// probable ones are combined; the others are taken as absent.
pub fn chances(stakes: &Stakes<'_>, outlook: &Outlook, actions: &[&Friction<'_>]) -> Vec<f64> {
    let risks = outlook.at_point().risks;
    let mut uncertain: Vec<usize> = (0..risks.len()).collect();
    uncertain.sort_by(|a, b| risks[*b].total_cmp(&risks[*a]).then(a.cmp(b)));
    uncertain.truncate(RISKS_MAX);
    // Half of the scenarios are enough for the risks that ship with a contract.
    if uncertain.len() < RISKS_MAX {
        chances_of::<{ 1 << (RISKS_MAX - 1) }>(stakes, outlook, actions, &uncertain)
    } else {
        chances_of::<{ 1 << RISKS_MAX }>(stakes, outlook, actions, &uncertain)
    }
}

/// As [`chances`], in up to `N` combinations of the uncertain risks.
fn chances_of<const N: usize>(
    stakes: &Stakes<'_>,
    outlook: &Outlook,
    actions: &[&Friction<'_>],
    uncertain: &[usize],
) -> Vec<f64> {
    let point = outlook.at_point();
    let mut truth = vec![[0.0; N]; point.risks.len()];
    let mut chance = [1.0; N];
    for (bit, &risk) in uncertain.iter().enumerate() {
        for combination in 0..N {
            let is_real = combination >> bit & 1 == 1;
            truth[risk][combination] = f64::from(u8::from(is_real));
            let p = point.risks[risk];
            chance[combination] *= if is_real { p } else { 1.0 - p };
        }
    }
    let lanes = Lanes {
        risks: &truth,
        returns: &[point.returns; N],
        future: &[point.future; N],
        good: &good(&truth),
    };
    let mut best: [Option<(usize, f64)>; N] = [None; N];
    for (action, friction) in actions.iter().enumerate() {
        let values = totals(stakes, friction, lanes);
        for (best, value) in best.iter_mut().zip(values) {
            // The first of equals, as in the ranking.
            if best.is_none_or(|(_, highest)| highest.total_cmp(&value).is_lt()) {
                *best = Some((action, value));
            }
        }
    }
    let mut chances = vec![0.0; actions.len()];
    for (best, chance) in best.iter().zip(chance).take(1 << uncertain.len()) {
        if let Some((action, _)) = best {
            chances[*action] += chance;
        }
    }
    chances
}
