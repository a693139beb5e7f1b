//! Orders of a back-test, as the lab shows them: by slice, and flipped ones.

use std::cmp::Reverse;

use crate::console::format::{amount, count, money, signed_money};
use crate::console::pages::decision::glance::fact;
use crate::console::words::Words;
use crate::domain::backtest::{ExplainedSide, FlippedOrder, SliceBy, SliceRow};
use crate::domain::decision::DecisionId;
use crate::domain::money::{Currency, grouped};

/// Flipped orders that are shown.
pub const FLIPPED_SHOWN: usize = 25;
/// Slices of one dimension that are shown.
const SLICES_SHOWN: usize = 8;

/// A slice of the orders.
#[derive(Debug)]
pub struct SliceView {
    /// Dimension.
    pub by: String,
    /// Value.
    pub value: String,
    /// Orders.
    pub orders: String,
    /// Orders with another first action.
    pub flips: String,
    /// Money by the draft's coefficients.
    pub money: String,
    /// Minutes a day, before and after.
    pub minutes: String,
}

/// Whether people may see what was recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// They may.
    Shown,
    /// Only once somebody has chosen.
    Hidden,
}

/// A flipped order.
#[derive(Debug)]
pub struct FlipView {
    /// Which decision.
    pub id: DecisionId,
    /// Which order.
    pub order_id: String,
    /// Amount.
    pub amount: String,
    /// Money at stake.
    pub stake: String,
    /// What was recommended first; empty when it is hidden from reviewers.
    pub recorded: String,
    /// What the draft recommends first.
    pub draft: String,
    /// The first reason of the draft, else of what was recorded.
    pub reason: String,
}

/// One row per slice, the largest of each dimension.
pub fn slices(words: Words, rows: &[SliceRow], currency: Currency) -> Vec<SliceView> {
    let mut views = Vec::new();
    for by in [SliceBy::Channel, SliceBy::Region, SliceBy::NewAccount] {
        let mut of_dimension: Vec<&SliceRow> = rows.iter().filter(|row| row.by == by).collect();
        of_dimension.sort_by_key(|row| Reverse(row.orders));
        views.extend(of_dimension.into_iter().take(SLICES_SHOWN).map(|row| SliceView {
            by: words.t(match by {
                SliceBy::Channel => "lab-by-channel",
                SliceBy::Region => "lab-by-region",
                SliceBy::NewAccount => "lab-by-new-account",
            }),
            value: match (by, row.value.as_deref()) {
                (_, None) => words.t("unknown"),
                (SliceBy::NewAccount, Some("yes")) => words.t("lab-yes"),
                (SliceBy::NewAccount, Some(_)) => words.t("lab-no"),
                (SliceBy::Channel | SliceBy::Region, Some(value)) => value.to_owned(),
            },
            orders: count(row.orders),
            flips: count(row.flips),
            money: signed_money(row.draft_difference_minor, currency),
            minutes: format!(
                "{} → {}",
                grouped(row.recorded_minutes_per_day, 0),
                grouped(row.draft_minutes_per_day, 0)
            ),
        }));
    }
    views
}

/// An order with both sides, unless those are hidden.
pub fn flip(words: Words, order: &FlippedOrder, currency: Currency, sides: Sides) -> FlipView {
    let shown = |text: String| match sides {
        Sides::Shown => text,
        Sides::Hidden => String::new(),
    };
    let first = |side: &ExplainedSide| {
        let best = side.actions.first().map(|best| words.action(best.action));
        best.unwrap_or_else(|| "–".to_owned())
    };
    let reason = order.draft.reasons.first().or(order.recorded.reasons.first());
    FlipView {
        id: order.decision_id,
        order_id: order.order.order_id.to_string(),
        amount: order.amount.map_or_else(|| "–".to_owned(), amount),
        stake: money(order.stake_minor, currency),
        recorded: shown(first(&order.recorded)),
        draft: shown(first(&order.draft)),
        reason: shown(reason.map(|it| fact(words, words.of(it)).to_owned()).unwrap_or_default()),
    }
}
