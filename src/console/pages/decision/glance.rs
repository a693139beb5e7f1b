//! Layer 1: what the order is and what to do, on one screen.

use crate::console::format::{amount, minute};
use crate::console::pages::decision::number::{Number, Sum};
use crate::console::words::Words;
use crate::domain::decision::{ActionKind, Decision, Reason};
use crate::domain::impact::{ActionImpact, ImpactKind, ImpactUnit, RecommendedAction};
use crate::domain::money::Currency;
use crate::domain::order::Order;
use crate::domain::risk::{RiskAssessment, top_risk};
use crate::domain::text::Language;

/// Fewest held-out rows behind a frequency that is told: of 30, a share has an interval of
/// about 35 points (95 %, Wilson 1927).
pub const SUPPORT_MIN: u64 = 30;
/// Actions with a key of their own.
const ACTIONS_SHOWN: usize = 3;
/// Sentences at most.
const REASONS_SHOWN: usize = 3;

/// Layer 1 of a decision.
#[derive(Clone, Debug)]
pub struct Glance {
    /// Channel's id of the order.
    pub order_id: String,
    /// Channel and revision.
    pub channel: String,
    /// When it was placed.
    pub placed: String,
    /// What the customer pays; `None` when unknown.
    pub amount: Option<Number>,
    /// The risk that matters most; `None` without risk heads, and while it is hidden.
    pub risk: Option<RiskLine>,
    /// At most three sentences; empty while they are hidden.
    pub reasons: Vec<ReasonLine>,
    /// Currency of what actions avoid and put at stake.
    pub currency: String,
    /// The actions with a key.
    pub actions: Vec<ActionLine>,
    /// Everything else that can be done: name and title.
    pub others: Vec<(&'static str, String)>,
}

/// The risk that matters most.
#[derive(Clone, Debug)]
pub struct RiskLine {
    /// What it is called.
    pub head: String,
    /// Its band, for a class.
    pub band: &'static str,
    /// Its band, for people.
    pub band_text: String,
    /// How many of a hundred such orders; `None` when too few rows back it.
    pub frequency: Option<Frequency>,
}

/// How often orders with this score turned out bad.
#[derive(Clone, Debug)]
pub struct Frequency {
    /// Of a hundred.
    pub bad: Number,
    /// Lower end of the interval, of a hundred.
    pub low: Number,
    /// Upper end.
    pub high: Number,
    /// Rows behind it.
    pub n_support: Number,
}

/// A sentence with its links.
#[derive(Clone, Debug)]
pub struct ReasonLine {
    /// What is the case; which way it moves the risk is a sign beside it.
    pub text: String,
    /// `↑` when it makes the risk more likely, `↓` when less.
    pub sign: &'static str,
    /// The sign in words.
    pub effect: String,
    /// The feature, for the anchors of its bar and its path.
    pub code: String,
    /// True when the evidence shows links of it.
    pub has_path: bool,
}

/// An action with its key.
#[derive(Clone, Debug)]
pub struct ActionLine {
    /// Its key, from 1.
    pub key: usize,
    /// Its rank, from 1; 0 while ranks are hidden.
    pub rank: u32,
    /// Name in forms.
    pub action: &'static str,
    /// What it is called, in a word or two.
    pub title: String,
    /// What the strategy calls it.
    pub hint: String,
    /// What is known about it; `None` while it is hidden.
    pub worth: Option<ActionWorth>,
}

/// What is known about an action.
#[derive(Clone, Debug)]
pub struct ActionWorth {
    /// Probability that none is better.
    pub p_best: Number,
    /// Probability that people take it; `None` when it rests on the prior alone.
    pub p_confirm: Option<(Number, Number)>,
    /// Losses that it avoids, against releasing.
    pub avoided: Number,
    /// What it costs when the order is good, against releasing.
    pub stake: Number,
    /// Forced, close, needs approval: a word and what it means.
    pub marks: Vec<(String, String)>,
}

impl Glance {
    /// All of it.
    pub fn open(words: Words, decision: &Decision, order: &Order) -> Self {
        let actions = decision.actions.iter().take(ACTIONS_SHOWN).enumerate();
        let actions: Vec<ActionLine> = actions
            .map(|(idx, action)| ActionLine {
                key: idx + 1,
                rank: action.rank,
                action: action.action.as_str(),
                title: action_title(words, action),
                hint: words.of(&action.title).to_owned(),
                worth: Some(worth(words, decision, idx, action)),
            })
            .collect();
        Self {
            risk: top_risk(&decision.risks).map(|risk| risk_line(words, decision, risk)),
            reasons: reason_lines(words, decision),
            ..Self::with_actions(words, decision, order, actions)
        }
    }

    /// Of a decision in the blind slice, until somebody has chosen: no score, no sentence, and
    /// the actions in the order of the contract.
    pub fn blind(words: Words, decision: &Decision, order: &Order) -> Self {
        let mut kinds: Vec<ActionKind> = decision.impacts.iter().map(|it| it.action).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let actions = kinds.iter().enumerate().map(|(idx, kind)| ActionLine {
            key: idx + 1,
            rank: 0,
            action: kind.as_str(),
            title: words.action(*kind),
            hint: words.action(*kind),
            worth: None,
        });
        Self::with_actions(words, decision, order, actions.take(9).collect())
    }

    fn with_actions(
        words: Words,
        decision: &Decision,
        order: &Order,
        actions: Vec<ActionLine>,
    ) -> Self {
        let is_shown = |kind: ActionKind| actions.iter().any(|it| it.action == kind.as_str());
        let others = ActionKind::ALL.into_iter().filter(|kind| !is_shown(*kind));
        Self {
            order_id: decision.order.order_id.to_string(),
            channel: channel(words, decision),
            placed: minute(decision.times.event_time),
            amount: order.amount.map(|money| Number {
                text: amount(money),
                path: "order.amount.minor_units".to_owned(),
                value: money.minor_units.to_string(),
            }),
            risk: None,
            reasons: Vec::new(),
            currency: currency(decision).to_string(),
            others: others.map(|kind| (kind.as_str(), words.action(kind))).collect(),
            actions,
        }
    }
}

/// The first version of an order is not called a revision.
fn channel(words: Words, decision: &Decision) -> String {
    let order = &decision.order;
    if order.revision == 0 {
        return order.channel.to_string();
    }
    words.t2("channel-revision", "channel", &order.channel, "revision", order.revision)
}

/// Plans have names of their own; a single action is called by what it does.
fn action_title(words: Words, action: &RecommendedAction) -> String {
    if action.plan.is_empty() {
        words.action(action.action)
    } else {
        words.of(&action.title).to_owned()
    }
}

/// Words that all reasons of layer 1 may have together, so that it is read at a glance; the
/// others are in layer 2. English words, and Chinese characters.
const REASON_WORDS_MAX: [usize; 2] = [32, 90];

fn reason_lines(words: Words, decision: &Decision) -> Vec<ReasonLine> {
    let (mut lines, mut n_words) = (Vec::new(), 0);
    for reason in decision.reasons.iter().take(REASONS_SHOWN) {
        let text = fact(words, words.of(&reason.text));
        let (length, max) = match words.language {
            Language::English => (text.split_whitespace().count(), REASON_WORDS_MAX[0]),
            Language::Chinese => (text.chars().count(), REASON_WORDS_MAX[1]),
        };
        n_words += length;
        if !lines.is_empty() && max < n_words {
            break;
        }
        let (sign, key) =
            if raises(decision, reason) { ("↑", "raises") } else { ("↓", "lowers") };
        lines.push(ReasonLine {
            text: text.to_owned(),
            sign,
            effect: words.t1(key, "risk", words.head(&reason.head)),
            code: reason.code.to_string(),
            has_path: has_path(decision, &reason.code),
        });
    }
    lines
}

/// The sentence up to where it was seen and what it does; both are one click away.
pub fn fact(words: Words, sentence: &str) -> &str {
    let ends = match words.language {
        Language::English => [" (on ", ". This makes "],
        Language::Chinese => ["（见于", "，使"],
    };
    let cut = ends.iter().filter_map(|end| sentence.find(end)).min();
    &sentence[..cut.unwrap_or(sentence.len())]
}

fn raises(decision: &Decision, reason: &Reason) -> bool {
    let risk = decision.risks.iter().find(|risk| risk.head == reason.head);
    let listed =
        risk.and_then(|risk| risk.contributions.iter().find(|it| it.feature == reason.code));
    listed.is_none_or(|it| 0.0 <= it.weight * it.log_odds)
}

fn has_path(decision: &Decision, feature: &str) -> bool {
    let edges = &mut decision.evidence.edges.iter();
    edges.any(|edge| edge.features.iter().any(|it| &**it == feature))
}

fn risk_line(words: Words, decision: &Decision, risk: &RiskAssessment) -> RiskLine {
    let at = decision.risks.iter().position(|it| it.head == risk.head).unwrap_or_default();
    let path = |field: &str| format!("decision.risks.{at}.{field}");
    let frequency = (SUPPORT_MIN <= risk.n_support).then(|| Frequency {
        bad: Number::of_hundred(path("probability"), risk.probability.value()),
        low: Number::of_hundred(path("interval.0"), risk.interval.0.value()),
        high: Number::of_hundred(path("interval.1"), risk.interval.1.value()),
        n_support: Number::count(path("n_support"), risk.n_support),
    });
    RiskLine {
        head: words.head(&risk.head),
        band: risk.band.as_str(),
        band_text: words.band(risk.band),
        frequency,
    }
}

fn currency(decision: &Decision) -> Currency {
    decision.impacts.first().map_or(Currency::CNY, |it| it.currency)
}

/// Kinds of consequence that fall on bad orders.
const OF_BAD: [ImpactKind; 3] =
    [ImpactKind::RiskLoss, ImpactKind::PlatformPenalty, ImpactKind::ReturnCost];
/// Kinds of consequence that fall on good orders.
const OF_GOOD: [ImpactKind; 5] = [
    ImpactKind::Margin,
    ImpactKind::FalseStop,
    ImpactKind::Complaint,
    ImpactKind::DelayCompensation,
    ImpactKind::FuturePurchases,
];

fn worth(words: Words, decision: &Decision, idx: usize, action: &RecommendedAction) -> ActionWorth {
    let path = |field: &str| format!("decision.actions.{idx}.{field}");
    let taken = impact_of(decision, action.action, &action.plan);
    let released = impact_of(decision, ActionKind::Approve, "");
    let currency = currency(decision);
    // Costs are negative: what the action loses less than a release is avoided.
    let difference = |kinds: &[ImpactKind], plus: Option<Place<'_>>, minus: Option<Place<'_>>| {
        let mut sum = Sum::default();
        for (path, value) in money_parts(plus, kinds) {
            sum.add(&path, value);
        }
        for (path, value) in money_parts(minus, kinds) {
            sum.subtract(&path, value);
        }
        sum.bare_money(currency)
    };
    let confirm = (!action.is_prior_only).then(|| {
        (
            Number::percent(path("p_confirm"), action.p_confirm.value()),
            Number::count(path("n_confirm"), action.n_confirm),
        )
    });
    let marks = [
        (action.forced_by.is_some(), "mark-forced", "mark-forced-hint"),
        (action.is_close_call, "mark-close", "mark-close-hint"),
        (action.requires_approval, "mark-approval", "mark-approval-hint"),
    ];
    let held = marks.iter().filter(|(holds, ..)| *holds);
    ActionWorth {
        p_best: Number::percent(path("p_best"), action.p_best.value()),
        p_confirm: confirm,
        avoided: difference(&OF_BAD, taken, released),
        stake: difference(&OF_GOOD, released, taken),
        marks: held.map(|(_, key, hint)| (words.t(key), words.t(hint))).collect(),
    }
}

/// An impact and its place in the list.
type Place<'a> = (usize, &'a ActionImpact);

fn impact_of<'a>(decision: &'a Decision, action: ActionKind, plan: &str) -> Option<Place<'a>> {
    let is_it = |it: &ActionImpact| it.action == action && &*it.plan == plan;
    decision.impacts.iter().enumerate().find(|(_, impact)| is_it(impact))
}

fn money_parts(place: Option<Place<'_>>, kinds: &[ImpactKind]) -> Vec<(String, f64)> {
    let Some((at, impact)) = place else { return Vec::new() };
    let parts = impact.parts.iter().enumerate();
    let counted =
        parts.filter(|(_, part)| part.unit == ImpactUnit::MinorUnits && kinds.contains(&part.kind));
    counted
        .map(|(idx, part)| {
            (format!("decision.impacts.{at}.parts.{idx}.value.mean"), part.value.mean)
        })
        .collect()
}
