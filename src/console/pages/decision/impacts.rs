//! What follows from each action, in money with its uncertainty.

use crate::console::format::{money, short};
use crate::console::pages::decision::layers::Told;
use crate::console::pages::decision::number::Number;
use crate::console::words::Words;
use crate::domain::impact::{ActionImpact, Estimate, ImpactKind, ImpactPart, ImpactUnit};
use crate::domain::money::Currency;
use crate::plot::gauges::{Figure, MoneyInterval, money_interval};
use crate::plot::svg::Caption;

/// What follows from each action.
#[derive(Clone, Debug)]
pub struct ImpactTable {
    /// The actions, best first.
    pub rows: Vec<ImpactRow>,
    /// The kinds of consequence that occur, with a cell for each action.
    pub kinds: Vec<KindRow>,
}

/// An action.
#[derive(Clone, Debug)]
pub struct ImpactRow {
    /// What it is called.
    pub title: String,
    /// All consequences on one scale.
    pub svg: String,
    /// All consequences.
    pub total: Spread,
    /// Minutes of a person's time.
    pub minutes: Number,
}

/// A kind of consequence.
#[derive(Clone, Debug)]
pub struct KindRow {
    /// What it is called.
    pub name: String,
    /// By action; `None` where it does not occur.
    pub cells: Vec<Option<PartCell>>,
}

/// A consequence of an action.
#[derive(Clone, Debug)]
pub struct PartCell {
    /// Its numbers.
    pub value: Spread,
    /// Held-out rows; `None` when it rests on an assumption of the strategy.
    pub n_support: Option<Number>,
    /// True when the strategy calls it alarming.
    pub is_alarming: bool,
}

/// A number with its uncertainty.
#[derive(Clone, Debug)]
pub struct Spread {
    /// 10 % quantile.
    pub p10: Number,
    /// Expected value.
    pub mean: Number,
    /// 90 % quantile.
    pub p90: Number,
}

impl ImpactTable {
    /// The impacts of a decision; `None` when no action is eligible.
    pub fn new(told: &Told<'_>) -> Option<Self> {
        let impacts = &told.decision().impacts;
        if impacts.is_empty() {
            return None;
        }
        let lowest = impacts.iter().map(|it| it.total.p10).fold(0.0, f64::min);
        let highest = impacts.iter().map(|it| it.total.p90).fold(0.0, f64::max);
        let mut order: Vec<usize> = (0..impacts.len()).collect();
        order.sort_by(|a, b| impacts[*b].total.mean.total_cmp(&impacts[*a].total.mean));
        let row = |at: &usize| impact_row(told.words, *at, &impacts[*at], (lowest, highest));
        let mut kinds: Vec<ImpactKind> =
            impacts.iter().flat_map(|it| &it.parts).map(|part| part.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let kind_row = |kind: &ImpactKind| KindRow {
            name: told.words.impact(*kind),
            cells: order.iter().map(|at| part_cell(*at, &impacts[*at], *kind)).collect(),
        };
        Some(Self {
            rows: order.iter().map(row).collect(),
            kinds: kinds.iter().map(kind_row).collect(),
        })
    }
}

fn impact_row(words: Words, at: usize, impact: &ActionImpact, scale: (f64, f64)) -> ImpactRow {
    let currency = impact.currency;
    let action = words.action(impact.action);
    let title = if impact.plan.is_empty() {
        action
    } else {
        words.t2("why-plan", "action", action, "plan", &impact.plan)
    };
    let path = format!("decision.impacts.{at}");
    let total = spread(&format!("{path}.total"), impact.total, |path, value| {
        Number::money(path, value, currency)
    });
    ImpactRow {
        svg: picture(words, at, (&title, currency), impact.total, scale),
        title,
        total,
        minutes: Number::new(
            short(impact.review_minutes),
            format!("{path}.review_minutes"),
            impact.review_minutes,
        ),
    }
}

fn picture(
    words: Words,
    at: usize,
    (title, currency): (&str, Currency),
    total: Estimate,
    scale: (f64, f64),
) -> String {
    let texts = [total.p10, total.mean, total.p90].map(|value| money(value, currency));
    let id = format!("money-{at}");
    let desc = words.with(
        "why-money-desc",
        &[("p10", texts[0].clone()), ("mean", texts[1].clone()), ("p90", texts[2].clone())],
    );
    let interval = MoneyInterval {
        p10: Figure { value: total.p10, text: "" },
        mean: Figure { value: total.mean, text: "" },
        p90: Figure { value: total.p90, text: "" },
    };
    money_interval(Caption { id: &id, title, desc: &desc }, interval, scale)
}

fn part_cell(at: usize, impact: &ActionImpact, kind: ImpactKind) -> Option<PartCell> {
    let (idx, part) = impact.parts.iter().enumerate().find(|(_, part)| part.kind == kind)?;
    let path = format!("decision.impacts.{at}.parts.{idx}");
    let number = |path: String, value: f64| match part.unit {
        ImpactUnit::MinorUnits => Number::money(path, value, impact.currency),
        ImpactUnit::Index => Number::new(format!("{value:.2}"), path, value),
        ImpactUnit::Pieces => Number::new(format!("{value:.1}"), path, value),
    };
    Some(PartCell {
        value: spread(&format!("{path}.value"), part.value, number),
        n_support: (part.n_support != 0)
            .then(|| Number::count(format!("{path}.n_support"), part.n_support)),
        is_alarming: is_alarming(part),
    })
}

fn is_alarming(part: &ImpactPart) -> bool {
    part.alarm_from.is_some_and(|from| from <= part.value.mean)
}

fn spread(path: &str, value: Estimate, number: impl Fn(String, f64) -> Number) -> Spread {
    Spread {
        p10: number(format!("{path}.p10"), value.p10),
        mean: number(format!("{path}.mean"), value.mean),
        p90: number(format!("{path}.p90"), value.p90),
    }
}
