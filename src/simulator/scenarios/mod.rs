//! Synthetic histories of three light questions, as a shop exports them.
//!
//! The marketplace knows no presales, no customs and no tiers of membership. These CSV files
//! do, one question each, so that a head declared in a mapping alone can be trained and judged:
//!
//! | scenario | question |
//! |---|---|
//! | [`presale`] | will the balance of a presale be paid? |
//! | [`cross_border`] | does an order across a border earn more than its return costs? |
//! | [`vip`] | which members' orders should be sent first? |
//!
//! The last column, `expected`, is what somebody who knows every cause would expect: no mapping
//! reads it, and it says how good a head could become.

use std::io::{self, Write};

use crate::domain::time::{Span, Timestamp};
use crate::simulator::dice::{Dice, exp, normal_quantile};

pub mod cross_border;
pub mod presale;
pub mod vip;

/// Orders of one member, about.
const ORDERS_PER_MEMBER: u64 = 6;
/// Draws of members are told apart from draws of orders by their stream.
const MEMBER_STREAM: u64 = 1 << 32;

/// A light question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Will the balance of a presale be paid?
    PresaleBalance,
    /// Does an order that crosses a border earn more than its return costs?
    CrossBorderReturn,
    /// Which members' orders should be sent first?
    VipExpedite,
}

/// How long and how large a history is: equal settings give equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScenarioSettings {
    /// Seed of all draws.
    pub seed: u64,
    /// First instant; cut to midnight UTC.
    pub start: Timestamp,
    /// Days.
    pub days: u32,
    /// Orders of every day.
    pub orders_per_day: u32,
}

/// Who orders, and when: what an author of a scenario starts from.
#[derive(Debug)]
pub struct Draft<'d> {
    /// Number of the order, from 1.
    pub number: u64,
    /// When it is placed.
    pub time: Timestamp,
    /// Day, from 0.
    pub day: u32,
    /// Number of the member.
    pub member: u64,
    /// A lasting trait of the member, standard normal.
    pub trait_z: f64,
    /// Draws of this order.
    pub dice: &'d mut Dice,
}

impl Scenario {
    fn heading(self) -> &'static str {
        match self {
            Self::PresaleBalance => presale::HEADING,
            Self::CrossBorderReturn => cross_border::HEADING,
            Self::VipExpedite => vip::HEADING,
        }
    }

    fn row(self, draft: &mut Draft<'_>) -> String {
        match self {
            Self::PresaleBalance => presale::row(draft),
            Self::CrossBorderReturn => cross_border::row(draft),
            Self::VipExpedite => vip::row(draft),
        }
    }
}

/// Writes a history as CSV and returns the number of its orders; `progress` is told how many
/// days are done.
///
/// # Errors
/// Those of the writer.
pub fn write_scenario(
    scenario: Scenario,
    settings: &ScenarioSettings,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> io::Result<u64> {
    let start = settings.start.start_of_day();
    let n_orders = u64::from(settings.days) * u64::from(settings.orders_per_day);
    let n_members = u32::try_from((n_orders / ORDERS_PER_MEMBER).max(1)).unwrap_or(u32::MAX);
    let mut dice = Dice::new(settings.seed, 0);
    let mut number = 0;
    writeln!(out, "synthetic,order_no,placed_at,member,{},expected", scenario.heading())?;
    for day in 0..settings.days {
        let midnight = start + Span::days(i64::from(day));
        let mut times: Vec<Timestamp> = (0..settings.orders_per_day)
            .map(|_| midnight + dice.span(Span(0), Span::DAY))
            .collect();
        times.sort_unstable();
        for time in times {
            number += 1;
            let member = u64::from(dice.below(n_members));
            let mut of_member = Dice::new(settings.seed, MEMBER_STREAM + member);
            let trait_z = normal(&mut of_member);
            let draft = &mut Draft { number, time, day, member, trait_z, dice: &mut dice };
            let row = scenario.row(draft);
            writeln!(out, "synthetic,synthetic-{number},{time},synthetic-m{member},{row}")?;
        }
        progress(u64::from(day) + 1);
    }
    out.flush()?;
    Ok(number)
}

/// A standard normal draw.
fn normal(dice: &mut Dice) -> f64 {
    normal_quantile(dice.real(1e-9, 1.0 - 1e-9))
}

fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + exp(-log_odds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(scenario: Scenario) -> String {
        let settings = ScenarioSettings {
            seed: 3,
            start: Timestamp(1_767_225_600_000_000),
            days: 40,
            orders_per_day: 50,
        };
        let mut out = Vec::new();
        let n = write_scenario(scenario, &settings, &mut out, &mut |_| {}).unwrap();
        assert_eq!(n, 2_000);
        String::from_utf8(out).unwrap()
    }

    /// One column as numbers; empty cells are left out.
    fn column(text: &str, name: &str) -> Vec<Option<f64>> {
        let at = text.lines().next().unwrap().split(',').position(|it| it == name).unwrap();
        text.lines().skip(1).map(|line| line.split(',').nth(at).unwrap().parse().ok()).collect()
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        let (n, sum) = values.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
        sum / n
    }

    #[test]
    fn a_history_is_marked_whole_in_order_of_time_and_the_same_every_time() {
        for scenario in
            [Scenario::PresaleBalance, Scenario::CrossBorderReturn, Scenario::VipExpedite]
        {
            let text = written(scenario);
            let width = text.lines().next().unwrap().split(',').count();
            let mut last = "";
            for line in text.lines().skip(1) {
                let cells: Vec<&str> = line.split(',').collect();
                assert_eq!((cells.len(), cells[0]), (width, "synthetic"), "{line}");
                assert!(last <= cells[2], "{line}");
                last = cells[2];
            }
            assert_eq!(text, written(scenario));
        }
    }

    #[test]
    fn what_is_expected_is_what_happens_on_average() {
        let text = written(Scenario::PresaleBalance);
        let known = |text: &str, name: &str| column(text, name).into_iter().flatten().collect();
        let paid: Vec<f64> = known(&text, "balance_paid");
        let unpaid = mean(paid.into_iter().map(|paid| 1.0 - paid));
        let expected = mean(Vec::into_iter(known(&text, "expected")));
        assert!((unpaid - expected).abs() < 0.03, "{unpaid} and {expected}");

        let text = written(Scenario::CrossBorderReturn);
        let net = mean(Vec::into_iter(known(&text, "net_benefit_yuan")));
        let expected = mean(Vec::into_iter(known(&text, "expected")));
        assert!((net / expected - 1.0).abs() < 0.2, "{net} and {expected}");

        let text = written(Scenario::VipExpedite);
        let pairs = column(&text, "delay_cost_yuan").into_iter().zip(column(&text, "expected"));
        let told: Vec<(f64, f64)> = pairs.filter_map(|(a, b)| a.zip(b)).collect();
        assert!(told.len() < 1_900, "orders that were sent first have no cost of delay");
        let cost = mean(told.iter().map(|it| it.0));
        let expected = mean(told.iter().map(|it| it.1));
        assert!((cost / expected - 1.0).abs() < 0.25, "{cost} and {expected}");
    }
}
