//! Levers: the numbers of a strategy that business people tune.

use serde::Serialize;

use crate::domain::text::Text;

/// How far a slider of money reaches, in multiples of the present value.
const REACH: f64 = 4.0;
/// How far it reaches at least: 1 yuan in fen.
const REACH_MIN: f64 = 100.0;

/// One number of a strategy text, with what it may become.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lever {
    /// Dotted key in the strategy file, `risks.payment_fraud.review_above`.
    pub key: Box<str>,
    /// What it is about.
    pub group: LeverGroup,
    /// Its name for people.
    pub title: Text,
    /// What the text says.
    pub value: f64,
    /// The smallest number that the file may hold.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// One move of the slider; `value` is a whole number of steps above `min`, as far as a
    /// millionth of the usual step can say.
    pub step: f64,
    /// What the number counts.
    pub unit: LeverUnit,
    /// Key of the lever that this one has to stay below, if there is one.
    pub below: Option<Box<str>>,
}

/// What a lever is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeverGroup {
    /// How much a theme of facts or a risk counts.
    Weight,
    /// From where on a risk or a price level is called high.
    Threshold,
    /// What things earn and cost.
    Money,
    /// What reviewers cost, and what they look at.
    Review,
}

/// What the number of a lever counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeverUnit {
    /// Multiplies something; 1 leaves it as it is.
    Factor,
    /// A part of something, or a probability, 0 to 1.
    Share,
    /// Minor units of the strategy's currency.
    Minor,
    /// Hours.
    Hours,
}

impl Lever {
    /// Where a slider ends. Amounts have no natural end, and a slider up to the largest that
    /// the file may hold could not be set: it ends at a round number of at least four times
    /// the present value.
    pub fn slider_max(&self) -> f64 {
        match self.unit {
            LeverUnit::Factor | LeverUnit::Share => self.max,
            LeverUnit::Minor | LeverUnit::Hours => {
                round_above((REACH * self.value).max(REACH_MIN)).min(self.max)
            }
        }
    }
}

/// The smallest of 1, 2, 5, 10, 20, 50 … that is not below.
fn round_above(value: f64) -> f64 {
    let mut power = 1.0;
    while 10.0 * power < value {
        power *= 10.0;
    }
    [1.0, 2.0, 5.0].into_iter().map(|it| it * power).find(|it| value <= *it).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slider_of_money_ends_at_a_round_number_and_never_beyond_the_file() {
        let lever = |unit, value| Lever {
            key: "money.complaint_minor".into(),
            group: LeverGroup::Money,
            title: Text::new("a", "b"),
            value,
            min: 0.0,
            max: 1e9,
            step: 100.0,
            unit,
            below: None,
        };
        for (value, end) in
            [(0.0, 100.0), (25.0, 100.0), (26.0, 200.0), (3_000.0, 20_000.0), (9e8, 1e9)]
        {
            assert_eq!(lever(LeverUnit::Minor, value).slider_max().to_bits(), f64::to_bits(end));
        }
        assert_eq!(lever(LeverUnit::Factor, 1.0).slider_max().to_bits(), f64::to_bits(1e9));
    }
}
