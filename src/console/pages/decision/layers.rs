//! What stands below the first layer: why, and the evidence behind it.

use std::collections::BTreeSet;

use crate::console::format::short;
use crate::console::pages::decision::evidence::EvidenceView;
use crate::console::pages::decision::facts::Facts;
use crate::console::pages::decision::notes::NoteLine;
use crate::console::pages::decision::provenance::Provenance;
use crate::console::pages::decision::story::Story;
use crate::console::pages::decision::why::Why;
use crate::console::words::Words;
use crate::domain::decision::Decision;
use crate::domain::feature::FeatureUnit;
use crate::domain::note::Note;
use crate::workflow::dossier_service::{Dossier, FeatureSpecs};

/// What of an answer may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of it.
    Open,
    /// The order and its evidence, until somebody has chosen.
    Blind,
}

/// Where a decision is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// On a page of the console.
    Page,
    /// In a file that stands alone: no links, no forms, nothing folded.
    Paper,
}

/// What the layers are made of.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Words of the language.
    pub words: Words,
    /// The decision and what is known about its order.
    pub dossier: &'a Dossier,
    /// What people wrote about it.
    pub notes: &'a [Note],
    /// What its features are called.
    pub specs: &'a FeatureSpecs,
    /// What of it may be seen.
    pub sight: Sight,
    /// Where it is shown.
    pub medium: Medium,
}

impl<'a> Told<'a> {
    /// The decision.
    pub fn decision(&self) -> &'a Decision {
        &self.dossier.scored.decision
    }

    /// What a feature is called; its id when nobody knows.
    pub fn feature(&self, id: &str) -> String {
        self.specs.get(id).map_or_else(|| id.to_owned(), |it| self.words.of(&it.name).to_owned())
    }

    /// A value of a feature with its unit, for pictures and titles.
    pub fn value(&self, id: &str, value: Option<f64>) -> String {
        let Some(value) = value else { return self.words.t("unknown") };
        let unit = self.specs.get(id).map(|spec| spec.unit);
        self.words.t1(&format!("why-unit-{}", unit_key(unit)), "value", short(value))
    }

    /// A unit by itself, to stand behind a number; empty for plain ones.
    pub fn unit(&self, id: &str) -> String {
        let unit = self.specs.get(id).map(|spec| spec.unit);
        self.words.t1(&format!("why-unit-{}", unit_key(unit)), "value", "").trim().to_owned()
    }
}

fn unit_key(unit: Option<FeatureUnit>) -> &'static str {
    match unit {
        Some(FeatureUnit::Days) => "days",
        Some(FeatureUnit::Hour) => "hour",
        Some(FeatureUnit::Kilometers) => "km",
        Some(FeatureUnit::ZScore) => "deviations",
        Some(FeatureUnit::PercentPerDay) => "percent-per-day",
        Some(
            FeatureUnit::Count
            | FeatureUnit::Money
            | FeatureUnit::Share
            | FeatureUnit::Ratio
            | FeatureUnit::Flag
            | FeatureUnit::Number
            | FeatureUnit::Declared,
        )
        | None => "plain",
    }
}

/// Ids of the features that a decision speaks of.
pub fn features_of(decision: &Decision) -> BTreeSet<&str> {
    let listed = decision.risks.iter().flat_map(|risk| &risk.contributions);
    let changed = decision.counterfactuals.iter().flat_map(|search| &search.counterfactuals);
    let levers = changed.flat_map(|it| &it.levers).map(|it| &*it.lever);
    let shown = decision.evidence.edges.iter().flat_map(|edge| &edge.features);
    let unusual = decision.unlike_training.reasons.iter().map(|it| &*it.feature);
    let mut ids: BTreeSet<&str> = listed.map(|it| &*it.feature).chain(levers).collect();
    ids.extend(shown.map(|it| &**it).chain(unusual));
    ids.extend(decision.missing_inputs.iter().map(|it| &**it));
    ids
}

/// Layers 2 and 3 of a decision.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The decision's id, for addresses.
    pub id: String,
    /// Layer 2; `None` while it is hidden.
    pub why: Option<Why>,
    /// Who met whom.
    pub evidence: EvidenceView,
    /// What happened when.
    pub story: Story,
    /// What is known of the order itself.
    pub facts: Facts,
    /// What people wrote.
    pub notes: Vec<NoteLine>,
    /// What made the answer.
    pub provenance: Provenance,
    /// True in a file that stands alone.
    pub is_paper: bool,
    /// True while scores are hidden.
    pub is_blind: bool,
}

impl Layers {
    /// Both layers of a decision.
    pub fn new(told: &Told<'_>) -> Self {
        let is_blind = told.sight == Sight::Blind;
        Self {
            id: told.decision().decision_id.to_string(),
            why: (!is_blind).then(|| Why::new(told)),
            evidence: EvidenceView::new(told),
            story: Story::new(told),
            facts: Facts::new(told),
            notes: told.notes.iter().map(|note| NoteLine::new(told.words, note)).collect(),
            provenance: Provenance::new(told),
            is_paper: told.medium == Medium::Paper,
            is_blind,
        }
    }
}
