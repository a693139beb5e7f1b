//! What-ifs: an order judged as it might have been, beside how it was.
//!
//! Nothing here reaches the journal or the state, and nothing runs where orders
//! are scored, but for one look at the graph.

use std::sync::Arc;

use crate::decision::difference::{Side, difference};
use crate::domain::counterfactual::{CounterfactualDirection, CounterfactualSearch};
use crate::domain::decision::{ActionKind, Decision, DecisionId};
use crate::domain::feature::FeatureSpec;
use crate::domain::head::HeadKind;
use crate::domain::query::{FeatureValue, OrderChange, ProbabilityTarget, StrategyChoice, WhatIf};
use crate::domain::record::{ScoreRequest, ScoredOrder};
use crate::domain::strategy_version::StrategyMistake;
use crate::domain::time::Timestamp;
use crate::model::engine::Scratch;
use crate::workflow::error::{Error, FieldMistake};
use crate::workflow::judge_order::{ActiveStrategy, Judge, Stamp};
use crate::workflow::pace::LeftOut;
use crate::workflow::past::{Past, judge_as_recorded};
use crate::workflow::service::WhatIfAnswer;
use crate::workflow::sight::{Given, Sight};
use crate::workflow::strategy_ledger::StrategyLedger;
use crate::workflow::strategy_shelf::names;
use crate::workflow::trial::{Seen, Trial};
use crate::workflow::turn_action::Judged;

/// What is different from how an order is, or was, judged.
#[derive(Debug)]
pub struct Terms {
    /// Another strategy; `None` keeps the judge's.
    strategy: Option<Arc<ActiveStrategy>>,
    changes: Vec<OrderChange>,
    given: Vec<Given>,
    target: Option<ProbabilityTarget>,
}

impl Terms {
    /// Checks what a question names against the loaded bundle and the known strategies.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] with everything that is not there, or
    /// [`Error::InvalidStrategy`] when that is all that is wrong.
    pub fn read(
        question: &WhatIf,
        (past, judge): (&Past, &Judge),
        known: &StrategyLedger,
    ) -> Result<Self, Error> {
        let bundle = judge.bundle();
        let mut mistakes = Mistakes::default();
        let given = mistakes.given(&question.features, &bundle.manifest().features);
        if let Some(ProbabilityTarget { head, .. }) = &question.target {
            let is_risk = bundle.head(head).is_some_and(|it| it.kind() == HeadKind::Risk);
            if !is_risk {
                let description = format!("`{head}` is no risk head of the model bundle");
                mistakes.note("target.head_id", description);
            }
        }
        let strategy = mistakes.strategy(question.strategy.as_ref(), past, known);
        mistakes.none()?;
        let (changes, target) = (question.changes.clone(), question.target.clone());
        Ok(Self { strategy, changes, given, target })
    }

    /// A request as it is, and with the changes; both to be seen in one state.
    pub fn trials(&self, request: ScoreRequest, ids: [DecisionId; 2]) -> Vec<Trial> {
        let [as_is, changed] = ids;
        let changed = Trial {
            request: self.changed(&request),
            given: self.given.clone(),
            strategy: self.strategy.clone(),
            decision_id: changed,
        };
        let as_is = Trial { request, given: Vec::new(), strategy: None, decision_id: as_is };
        vec![as_is, changed]
    }

    /// The answer about [`Terms::trials`] that were seen.
    ///
    /// # Errors
    /// `Unavailable` when fewer than two were.
    pub fn answer_seen(&self, seen: Seen, received_time: Timestamp) -> Result<WhatIfAnswer, Error> {
        let Seen { nanos, trials } = seen;
        let mut trials = trials.into_iter();
        let (Some(as_is), Some(changed)) = (trials.next(), trials.next()) else {
            return Err(Error::Unavailable("an order was not looked at".into()));
        };
        let decide = |(trial, judge, sight): &(Trial, Judge, Sight)| {
            let stamp = Stamp { decision_id: trial.decision_id, received_time };
            Arc::new(judge.decide(sight, &trial.request, &stamp, nanos))
        };
        let (baseline, decided) = (decide(&as_is), decide(&changed));
        let (changed, judge, sight) = &changed;
        Ok(self.answer(judge, baseline, decided, (&changed.request, sight)))
    }

    /// The answer about a recorded order, judged again where it stood, with its own id
    /// and clocks.
    ///
    /// # Errors
    /// `Unavailable` when the bundle that judged it is not loaded.
    pub fn answer_recorded(
        &self,
        past: &Past,
        scored: &ScoredOrder,
    ) -> Result<WhatIfAnswer, Error> {
        let (mut state, judge) = past.stand_at(scored, self.strategy.clone())?;
        let request = self.changed(&scored.request);
        let sight = judge.see(&mut state, &request, &self.given, || 0);
        let again = judge_as_recorded(&judge, &sight, &scored.decision, &request)?;
        let (baseline, changed) = (scored.decision.clone(), again.decision.clone());
        Ok(self.answer(&judge, baseline, changed, (&request, &sight)))
    }

    fn changed(&self, request: &ScoreRequest) -> ScoreRequest {
        let mut request = request.clone();
        self.changes.iter().for_each(|change| change.apply(&mut request.order));
        request
    }

    /// `request` and `sight` are those with the changes.
    fn answer(
        &self,
        judge: &Judge,
        baseline: Arc<Decision>,
        changed: Arc<Decision>,
        (request, sight): (&ScoreRequest, &Sight),
    ) -> WhatIfAnswer {
        let (bundle, mut scratch) = (judge.bundle(), Scratch::default());
        let scores = bundle.score_with(judge.engine(), &mut scratch, &baseline.features);
        let before = Side { decision: &baseline, scores: &scores };
        let after = Side { decision: &changed, scores: &sight.scores };
        let difference = difference(before, after, &bundle.manifest().features);
        // Without the graph a person decides first, whatever the order was like.
        let counterfactuals = if sight.left_out == LeftOut::Graph {
            Vec::new()
        } else {
            self.searches(&changed, &judge.judged(sight, request, &changed.risks))
        };
        WhatIfAnswer { baseline, changed, counterfactuals, difference }
    }

    /// The smallest further changes of the changed order.
    fn searches(&self, changed: &Decision, judged: &Judged<'_>) -> Vec<CounterfactualSearch> {
        // Toward release the decision has looked already, unless it releases the order.
        let mut searches = changed.counterfactuals.clone();
        if changed.actions.first().is_some_and(|first| first.action != ActionKind::Decline) {
            searches.extend(judged.other_action(CounterfactualDirection::TowardStopping));
        }
        let target = self.target.as_ref();
        searches.extend(target.and_then(|it| judged.given_probability(&it.head, it.probability)));
        searches
    }
}

/// What a question names and is not there.
#[derive(Debug, Default)]
struct Mistakes {
    fields: Vec<FieldMistake>,
    /// Of the text of a strategy.
    of_text: Vec<StrategyMistake>,
}

impl Mistakes {
    fn note(&mut self, field: &str, description: String) {
        self.fields.push(FieldMistake { field: field.into(), description: description.into() });
    }

    fn given(&mut self, features: &[FeatureValue], specs: &[FeatureSpec]) -> Vec<Given> {
        let mut given = Vec::with_capacity(features.len());
        for (idx, FeatureValue { feature, value }) in features.iter().enumerate() {
            match specs.iter().position(|spec| *spec.id == **feature) {
                Some(at) => given.push(Given { at, value: narrow(*value) }),
                None => self.note(
                    &format!("feature_overrides[{idx}].feature"),
                    format!("`{feature}` is no feature of the model bundle"),
                ),
            }
        }
        given
    }

    fn strategy(
        &mut self,
        choice: Option<&StrategyChoice>,
        past: &Past,
        known: &StrategyLedger,
    ) -> Option<Arc<ActiveStrategy>> {
        match choice? {
            StrategyChoice::Known(name) => {
                let found = past.shelves.strategies.find(known, name);
                if found.is_none() {
                    let names = names(known).join(", ");
                    let description = format!("`{name}` is not known here; known are {names}");
                    self.note("strategy_ref", description);
                }
                found
            }
            StrategyChoice::Text(toml) => {
                past.shelves.strategies.check(toml).map_err(|mistakes| self.of_text = mistakes).ok()
            }
        }
    }

    fn none(mut self) -> Result<(), Error> {
        if self.fields.is_empty() && self.of_text.is_empty() {
            return Ok(());
        }
        if self.fields.is_empty() {
            return Err(Error::InvalidStrategy(self.of_text));
        }
        for mistake in std::mem::take(&mut self.of_text) {
            self.note("strategy_toml", mistake.to_string());
        }
        Err(Error::InvalidFields(self.fields))
    }
}

/// NaN is unknown. The door lets only values pass that an `f32` can hold.
#[expect(clippy::cast_possible_truncation, reason = "f32 is the precision of features")]
fn narrow(value: Option<f64>) -> f32 {
    value.map_or(f32::NAN, |value| value as f32)
}
