//! What each action earns once it is known what the order was.
//!
//! The formulas of [`crate::decision::impact`] with the truth about the risks in place of
//! their probabilities. Returns, later purchases and the price index stay at what the heads
//! say: they are not what an action turns on.

use crate::decision::impact::{Friction, Scenario, Stakes, total};
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
    let point = outlook.at_point();
    let mut uncertain: Vec<usize> = (0..point.risks.len()).collect();
    uncertain.sort_by(|a, b| point.risks[*b].total_cmp(&point.risks[*a]).then(a.cmp(b)));
    uncertain.truncate(RISKS_MAX);
    let mut chances = vec![0.0; actions.len()];
    let mut truth = vec![0.0; point.risks.len()];
    for combination in 0..1_u32 << uncertain.len() {
        let mut chance = 1.0;
        for (bit, &risk) in uncertain.iter().enumerate() {
            let is_real = combination >> bit & 1 == 1;
            truth[risk] = f64::from(u8::from(is_real));
            chance *= if is_real { point.risks[risk] } else { 1.0 - point.risks[risk] };
        }
        // The first of equals, as in the ranking.
        let scenario = Scenario { risks: &truth, ..point };
        let values = actions.iter().map(|action| total(&stakes.parts(action, &scenario)));
        let best = values.enumerate().min_by(|a, b| b.1.total_cmp(&a.1));
        if let Some((best, _)) = best {
            chances[best] += chance;
        }
    }
    chances
}
