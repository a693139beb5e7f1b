//! What the heads say about one order, as the formulas of impact read it.

use crate::decision::draws::{DRAWS, probability_draws, value_draws};
use crate::decision::impact::{
    CHARGEBACK, CHARGEBACK_RISK, PRICE_INDEX, REPURCHASE_VALUE, RETURN, Scenario,
};
use crate::decision::strategy::Strategy;
use crate::domain::head::{HeadId, HeadKind, HeadScore};
use crate::domain::risk::{Probability, RiskAssessment};

/// What the heads say at their own values.
#[derive(Debug)]
pub struct Outlook {
    /// The risks, in the order of all lists here.
    heads: Vec<HeadId>,
    risks: Vec<Forecast>,
    points: Vec<f64>,
    /// True when the chargeback head stands for the risk it belongs to.
    has_chargeback: bool,
    /// Probability of a return.
    pub returns: Forecast,
    /// Margin of later purchases, minor units.
    pub future: Forecast,
    /// Price index if released; `None` when no head predicts it.
    pub price_index: Option<Forecast>,
}

/// What the heads say in each of the what-if draws.
#[derive(Debug)]
pub struct OutlookDraws {
    /// Probability of each risk.
    pub risks: Vec<[f64; DRAWS]>,
    /// Probability of a return.
    pub returns: [f64; DRAWS],
    /// Margin of later purchases, minor units.
    pub future: [f64; DRAWS],
    /// Price index if released; `None` when no head predicts it.
    pub price_index: Option<[f64; DRAWS]>,
}

/// One quantity: a head's, or the strategy's assumption with support 0.
#[derive(Clone, Copy, Debug)]
pub struct Forecast {
    shape: Shape,
    point: f64,
    interval: (f64, f64),
    /// Held-out rows behind it.
    pub n_support: u64,
}

/// How a quantity is drawn; heads count in bundle order, each with draws of its own.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Assumed,
    Probability { head_idx: usize },
    Value { head_idx: usize },
}

impl Outlook {
    /// Reads the heads; the risks come first, in the order of `assessed`.
    pub fn new(strategy: &Strategy, scores: &[HeadScore], assessed: &[RiskAssessment]) -> Self {
        let mut outlook = Self {
            heads: assessed.iter().map(|risk| risk.head.clone()).collect(),
            risks: Vec::new(),
            points: Vec::new(),
            has_chargeback: false,
            returns: Forecast::assumed(strategy.money.return_rate),
            future: Forecast::assumed(strategy.money.future_purchases_minor),
            price_index: None,
        };
        for (idx, risk) in assessed.iter().enumerate() {
            let reported_share = strategy.risk(&risk.head).reported_share;
            outlook.risks.push(Forecast::risk(idx, risk).of_all_cases(reported_share));
        }
        outlook.points.extend(outlook.risks.iter().map(|forecast| forecast.point));
        let impact_heads = scores.iter().filter(|score| score.kind != HeadKind::Risk);
        for (idx, score) in impact_heads.enumerate() {
            outlook.read(strategy, assessed.len() + idx, score);
        }
        outlook
    }

    fn read(&mut self, strategy: &Strategy, idx: usize, score: &HeadScore) {
        match (&*score.head.0, score.kind) {
            (CHARGEBACK, HeadKind::ImpactProbability) => {
                let of_risk = strategy.risk(&HeadId(CHARGEBACK_RISK.into()));
                let forecast = Forecast::probability(idx, score);
                self.read_chargeback(forecast.of_all_cases(of_risk.reported_share));
            }
            (RETURN, HeadKind::ImpactProbability) => {
                self.returns = Forecast::probability(idx, score);
            }
            (REPURCHASE_VALUE, HeadKind::ImpactValue) => {
                self.future = Forecast::value(idx, score, strategy.minor_per_major());
            }
            (PRICE_INDEX, HeadKind::ImpactValue) => {
                self.price_index = Some(Forecast::value(idx, score, 1.0));
            }
            // Heads that no formula knows are shown elsewhere and cost nothing here.
            (_, HeadKind::Risk | HeadKind::ImpactProbability | HeadKind::ImpactValue) => {}
        }
    }

    /// A chargeback is the loss of payment fraud seen from the bank: its head stands in where
    /// no head predicts the risk. Where one does, that alone counts: the larger of two
    /// estimates of one thing is too high (on two simulated markets by 16 %, 2026-11-27).
    fn read_chargeback(&mut self, forecast: Forecast) {
        if !self.heads.iter().any(|head| &*head.0 == CHARGEBACK_RISK) {
            self.heads.push(HeadId(CHARGEBACK_RISK.into()));
            self.points.push(forecast.point);
            self.risks.push(forecast);
            self.has_chargeback = true;
        }
    }

    /// The risks.
    pub fn heads(&self) -> &[HeadId] {
        &self.heads
    }

    /// Held-out rows behind a risk.
    pub fn n_support(&self, risk_idx: usize) -> u64 {
        self.risks[risk_idx].n_support
    }

    /// True when the chargeback head stands for the risk it belongs to.
    pub fn has_chargeback(&self) -> bool {
        self.has_chargeback
    }

    /// The heads at their own values: the best single guess.
    pub fn at_point(&self) -> Scenario<'_> {
        Scenario {
            risks: &self.points,
            returns: self.returns.point,
            future: self.future.point,
            price_index: self.price_index.map_or(1.0, |forecast| forecast.point),
        }
    }

    /// The heads in each draw.
    pub fn draws(&self) -> OutlookDraws {
        OutlookDraws {
            risks: self.risks.iter().map(Forecast::draws).collect(),
            returns: self.returns.draws(),
            future: self.future.draws(),
            price_index: self.price_index.as_ref().map(Forecast::draws),
        }
    }
}

impl Forecast {
    fn assumed(value: f64) -> Self {
        Self { shape: Shape::Assumed, point: value, interval: (value, value), n_support: 0 }
    }

    fn risk(head_idx: usize, risk: &RiskAssessment) -> Self {
        Self {
            shape: Shape::Probability { head_idx },
            point: risk.probability.value(),
            interval: (risk.interval.0.value(), risk.interval.1.value()),
            n_support: risk.n_support,
        }
    }

    /// A probability to be real instead of one to be reported, see
    /// [`crate::decision::strategy::RiskPolicy::reported_share`].
    fn of_all_cases(self, reported_share: f64) -> Self {
        let all = |reported: f64| (reported / reported_share).min(1.0);
        let interval = (all(self.interval.0), all(self.interval.1));
        Self { point: all(self.point), interval, ..self }
    }

    fn probability(head_idx: usize, score: &HeadScore) -> Self {
        Self {
            shape: Shape::Probability { head_idx },
            point: Probability::clamped(score.calibrated).value(),
            interval: score.interval,
            n_support: score.n_support,
        }
    }

    fn value(head_idx: usize, score: &HeadScore, scale: f64) -> Self {
        Self {
            shape: Shape::Value { head_idx },
            point: score.calibrated * scale,
            interval: (score.interval.0 * scale, score.interval.1 * scale),
            n_support: score.n_support,
        }
    }

    fn draws(&self) -> [f64; DRAWS] {
        match self.shape {
            Shape::Assumed => [self.point; DRAWS],
            Shape::Probability { head_idx } => {
                probability_draws(head_idx, self.point, self.interval)
            }
            Shape::Value { head_idx } => value_draws(head_idx, self.point, self.interval),
        }
    }
}
