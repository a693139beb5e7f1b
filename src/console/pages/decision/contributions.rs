//! What moved the score of one risk: a picture, and a table that says the same.

use std::collections::BTreeSet;

use crate::console::format::{shift, short};
use crate::console::pages::decision::layers::Told;
use crate::console::pages::decision::number::Number;
use crate::domain::decision::Decision;
use crate::domain::risk::{Contribution, RiskAssessment};
use crate::plot::svg::Caption;
use crate::plot::waterfall::{Bar, End, Group, Waterfall, waterfall};

/// Decimals of shifts in the picture.
const DECIMALS: usize = 2;

/// Why a risk is what it is.
#[derive(Clone, Debug)]
pub struct RiskWhy {
    /// Begins the ids of the section.
    pub id: String,
    /// What it is called.
    pub head: String,
    /// Its band, for a class.
    pub band: &'static str,
    /// Its band, for people.
    pub band_text: String,
    /// Under the strategy's weights, with its interval and what backs it.
    pub probability: Number,
    /// Lower end of the interval.
    pub low: Number,
    /// Upper end.
    pub high: Number,
    /// Held-out rows.
    pub n_support: Number,
    /// The model alone; `None` when the strategy does not weight the score.
    pub model_probability: Option<Number>,
    /// The picture.
    pub svg: String,
    /// Features that are spoken of and have no bar of their own: links to them end here.
    pub anchors: Vec<String>,
    /// The listed contributions, the largest first.
    pub rows: Vec<ContributionRow>,
    /// The themes, with all contributions.
    pub groups: Vec<GroupRow>,
    /// Score of the average order.
    pub base: Number,
    /// How many are not listed, and their sums.
    pub rest: RestRow,
    /// The model's score.
    pub raw: Number,
    /// The score under the strategy's weights.
    pub total: Number,
    /// What the sum misses.
    pub residual: Number,
}

/// A contribution in the table.
#[derive(Clone, Debug)]
pub struct ContributionRow {
    /// Its feature's id.
    pub feature: String,
    /// What it is called.
    pub name: String,
    /// Its theme.
    pub group: String,
    /// The value; `None` when unknown.
    pub value: Option<Number>,
    /// Unit of the value.
    pub unit: String,
    /// The model's share.
    pub log_odds: Number,
    /// The strategy's weight.
    pub weight: Number,
    /// The weight times the model's share, where that is not the model's share itself; the
    /// answer holds its factors.
    pub weighted: Option<String>,
}

/// A theme in the table.
#[derive(Clone, Debug)]
pub struct GroupRow {
    /// What it is called.
    pub name: String,
    /// How many features.
    pub n_features: Number,
    /// The model's share.
    pub log_odds: Number,
    /// The share under the strategy.
    pub weighted: Number,
}

/// What is not listed one by one.
#[derive(Clone, Debug)]
pub struct RestRow {
    /// How many features.
    pub n_features: Number,
    /// The model's share.
    pub log_odds: Number,
    /// The share under the strategy.
    pub weighted: Number,
}

impl RiskWhy {
    /// The leading risk, whose bars are where the sentences lead.
    pub fn leading(told: &Told<'_>, at: usize) -> Self {
        let risk = &told.decision().risks[at];
        let has_bar = |code: &str| risk.contributions.iter().any(|it| &*it.feature == code);
        let spoken: BTreeSet<&str> =
            told.decision().reasons.iter().map(|reason| &*reason.code).collect();
        let anchors = spoken.into_iter().filter(|code| !has_bar(code));
        let anchors = anchors.map(|code| format!("bar-{code}")).collect();
        Self { anchors, ..Self::new(told, at, "bar") }
    }

    /// Another risk.
    pub fn further(told: &Told<'_>, at: usize) -> Self {
        Self::new(told, at, &format!("bars-{at}"))
    }

    fn new(told: &Told<'_>, at: usize, id: &str) -> Self {
        let (words, decision) = (told.words, told.decision());
        let risk = &decision.risks[at];
        let path = |field: &str| format!("decision.risks.{at}.{field}");
        let is_weighted = risk.probability != risk.model_probability;
        let model = Number::percent(path("model_probability"), risk.model_probability.value());
        Self {
            id: id.to_owned(),
            head: words.head(&risk.head),
            band: risk.band.as_str(),
            band_text: words.band(risk.band),
            probability: Number::percent(path("probability"), risk.probability.value()),
            low: Number::percent(path("interval.0"), risk.interval.0.value()),
            high: Number::percent(path("interval.1"), risk.interval.1.value()),
            n_support: Number::count(path("n_support"), risk.n_support),
            model_probability: is_weighted.then_some(model),
            svg: picture(told, risk, id),
            anchors: Vec::new(),
            rows: rows(told, at, risk),
            groups: groups(told, at, risk),
            base: Number::shift(path("base"), risk.base),
            rest: RestRow {
                n_features: Number::count(path("rest.n_features"), risk.rest.n_features.into()),
                log_odds: Number::shift(path("rest.log_odds"), risk.rest.log_odds),
                weighted: Number::shift(
                    path("rest.weighted_log_odds"),
                    risk.rest.weighted_log_odds,
                ),
            },
            raw: Number::shift(path("raw_log_odds"), risk.raw_log_odds),
            total: Number::shift(path("weighted_log_odds"), risk.weighted_log_odds),
            residual: Number::new(short(risk.residual), path("residual"), risk.residual),
        }
    }
}

fn picture(told: &Told<'_>, risk: &RiskAssessment, id: &str) -> String {
    let words = told.words;
    let bar = |it: &Contribution| Bar {
        id: it.feature.to_string(),
        label: told.feature(&it.feature),
        value: told.value(&it.feature, it.value),
        shift: it.weight * it.log_odds,
        class: String::new(),
        href: None,
    };
    let group = |share: &crate::domain::risk::Share<crate::domain::feature::FeatureGroup>| Group {
        title: words.group(share.of),
        total: share.weighted_log_odds,
        bars: risk.contributions.iter().filter(|it| it.group == share.of).map(bar).collect(),
    };
    let head = words.head(&risk.head);
    let title = words.t1("why-waterfall", "head", &head);
    let desc = words.t2(
        "why-waterfall-desc",
        "base",
        shift(risk.base),
        "score",
        shift(risk.weighted_log_odds),
    );
    let shown = Waterfall {
        base: End { label: words.t("why-base"), value: risk.base },
        groups: risk.groups.iter().map(group).collect(),
        end: End { label: words.t("why-score"), value: risk.weighted_log_odds },
        axis_label: words.t("why-axis"),
        rest_label: words.n("why-rest", i64::from(risk.rest.n_features)),
        // Every link of a sentence needs its bar, and an answer lists only as many as were
        // asked for.
        n_bars_max: risk.contributions.len(),
        n_decimals: DECIMALS,
    };
    waterfall(Caption { id, title: &title, desc: &desc }, &shown)
}

fn rows(told: &Told<'_>, at: usize, risk: &RiskAssessment) -> Vec<ContributionRow> {
    let row = |(idx, it): (usize, &Contribution)| {
        let path = |field: &str| format!("decision.risks.{at}.contributions.{idx}.{field}");
        let is_weighted = it.weight.to_bits() != 1.0_f64.to_bits();
        ContributionRow {
            feature: it.feature.to_string(),
            name: told.feature(&it.feature),
            group: told.words.group(it.group),
            value: it.value.map(|value| Number::new(short(value), path("value"), value)),
            unit: told.unit(&it.feature),
            weighted: is_weighted.then(|| shift(it.weight * it.log_odds)),
            log_odds: Number::shift(path("log_odds"), it.log_odds),
            weight: Number::new(short(it.weight), path("weight"), it.weight),
        }
    };
    risk.contributions.iter().enumerate().map(row).collect()
}

fn groups(told: &Told<'_>, at: usize, risk: &RiskAssessment) -> Vec<GroupRow> {
    let shares = risk.groups.iter().enumerate();
    shares
        .map(|(idx, share)| {
            let path = |field: &str| format!("decision.risks.{at}.groups.{idx}.{field}");
            GroupRow {
                name: told.words.group(share.of),
                n_features: Number::count(path("n_features"), share.n_features.into()),
                log_odds: Number::shift(path("log_odds"), share.log_odds),
                weighted: Number::shift(path("weighted_log_odds"), share.weighted_log_odds),
            }
        })
        .collect()
}

/// True when a sentence of the answer speaks of a feature.
pub fn is_spoken_of(decision: &Decision, feature: &str) -> bool {
    decision.reasons.iter().any(|reason| &*reason.code == feature)
}
