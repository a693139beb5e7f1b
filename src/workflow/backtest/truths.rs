//! How orders turned out, and what both strategies did about them.
//!
//! A few bytes per order, in a table that is bounded: the facts about an order come weeks
//! after it. Orders are found by six bytes of a hash of their key or decision; among a
//! million the chance that a fact meets a wrong one is 4 in a thousand million.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::domain::backtest::KnownTruth;
use crate::domain::head::HeadId;
use crate::domain::recorded_order::Truth;
use crate::domain::share::Share;
use crate::domain::standing::{Said, Standing, standing};
use crate::domain::time::Timestamp;

/// Most orders that wait for their truth; the oldest is given up as not known.
pub const ORDERS_MAX: usize = 1 << 20;
/// Most outcomes of one order that are kept until all of them are told; later ones are
/// passed over.
const OUTCOMES_MAX: usize = 64;
/// Most risk heads whose labels are told apart; with more, labels alone make no order good.
const HEADS_MAX: usize = 12;

const RECORDED_RELEASED: u16 = 1 << 12;
const DRAFT_RELEASED: u16 = 1 << 13;
const BAD: u16 = 1 << 14;
const GOOD: u16 = 1 << 15;

/// First bytes of a hash that names an order or a decision.
pub type Print = [u8; 6];

/// What both strategies do about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// True when the recorded first action releases it.
    pub recorded_releases: bool,
    /// True when the new first action does.
    pub draft_releases: bool,
}

/// Whom a fact is about, as far as it says.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The order.
    pub order: Option<Print>,
    /// The decision.
    pub decision: Option<Print>,
}

/// An outcome, and the bit that it sets when it stands.
type OutcomeBit = (Said<u64, u64>, u16);

/// The orders that were judged again and what is known about them.
#[derive(Debug)]
pub struct Truths {
    heads: Vec<HeadId>,
    /// Labels that become final later are not known yet.
    end: Timestamp,
    states: FxHashMap<Print, u16>,
    /// Outcomes by order; a later word may take any of them back.
    outcomes: FxHashMap<Print, Vec<OutcomeBit>>,
    by_decision: FxHashMap<Print, Print>,
    /// Order and decision, oldest first.
    arrivals: VecDeque<(Print, Print)>,
    orders_max: usize,
    counts: Counts,
}

/// Numbers of known orders: good or bad, by treatment.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// `[is bad][recorded releases][draft releases]`.
    known: [[[u64; 2]; 2]; 2],
    not_known: u64,
    facts_elsewhere: u64,
}

impl Truths {
    /// Nothing yet; `heads` are the risk heads of the bundle, `end` is when the journal ends.
    pub fn new(heads: Vec<HeadId>, end: Timestamp) -> Self {
        Self::with_room(heads, end, ORDERS_MAX)
    }

    fn with_room(heads: Vec<HeadId>, end: Timestamp, orders_max: usize) -> Self {
        Self {
            heads,
            end,
            states: FxHashMap::default(),
            outcomes: FxHashMap::default(),
            by_decision: FxHashMap::default(),
            arrivals: VecDeque::new(),
            orders_max,
            counts: Counts::default(),
        }
    }

    /// Takes in an order; one that is judged anew takes the place of the older answer.
    pub fn judged(&mut self, order: Print, decision: Print, treatment: Treatment) {
        let mut state = 0;
        if treatment.recorded_releases {
            state |= RECORDED_RELEASED;
        }
        if treatment.draft_releases {
            state |= DRAFT_RELEASED;
        }
        self.by_decision.insert(decision, order);
        let known = self.states.entry(order).or_default();
        *known = (*known & !(RECORDED_RELEASED | DRAFT_RELEASED)) | state;
        self.arrivals.push_back((order, decision));
        while self.orders_max < self.arrivals.len() {
            self.give_up_oldest();
        }
    }

    /// Takes in a fact.
    pub fn told(&mut self, about: About, truth: &Truth) {
        let by_decision = || about.decision.and_then(|print| self.by_decision.get(&print).copied());
        let order = about.order.or_else(by_decision);
        let known = order.and_then(|print| Some((print, self.states.get_mut(&print)?)));
        let Some((order, state)) = known else {
            self.counts.facts_elsewhere += 1;
            return;
        };
        match truth {
            Truth::Bad => *state |= BAD,
            Truth::Outcome { said, is_bad } => {
                let told = self.outcomes.entry(order).or_default();
                if told.len() < OUTCOMES_MAX {
                    told.push((*said, is_bad.map_or(0, |is_bad| if is_bad { BAD } else { GOOD })));
                }
            }
            Truth::Labeled { head, is_bad, matures_at } => {
                let Some(at) = self.heads.iter().position(|own| own == head) else { return };
                if *is_bad {
                    *state |= BAD;
                } else if at < HEADS_MAX && matures_at.is_none_or(|at| at <= self.end) {
                    *state |= 1 << at;
                }
            }
        }
    }

    /// What is known at the end.
    pub fn report(mut self) -> KnownTruth {
        while !self.arrivals.is_empty() {
            self.give_up_oldest();
        }
        let Counts { known, not_known, facts_elsewhere } = self.counts;
        let of = |is_bad: usize, recorded: usize| {
            known[is_bad][recorded][0] + known[is_bad][recorded][1]
        };
        let share = |is_bad: usize, recorded: usize| {
            Share::new(known[is_bad][recorded][1 - recorded], of(is_bad, recorded))
        };
        KnownTruth {
            good: of(0, 0) + of(0, 1),
            bad: of(1, 0) + of(1, 1),
            not_known,
            good_newly_stopped: share(0, 1),
            good_newly_released: share(0, 0),
            bad_newly_released: share(1, 0),
            bad_newly_stopped: share(1, 1),
            facts_elsewhere,
        }
    }

    fn give_up_oldest(&mut self) {
        let Some((order, decision)) = self.arrivals.pop_front() else { return };
        self.by_decision.remove(&decision);
        // Gone already when the order was judged anew.
        if let Some(state) = self.states.remove(&order) {
            let told = self.outcomes.remove(&order).unwrap_or_default();
            self.count(state | standing_bits(&told));
        }
    }

    fn count(&mut self, state: u16) {
        let n_heads = self.heads.len();
        let all = if n_heads <= HEADS_MAX { (1_u16 << n_heads) - 1 } else { u16::MAX };
        let is_labeled_good = n_heads != 0 && state & all == all;
        let is_bad = state & BAD != 0;
        if !is_bad && state & GOOD == 0 && !is_labeled_good {
            self.counts.not_known += 1;
            return;
        }
        let [recorded, draft] =
            [RECORDED_RELEASED, DRAFT_RELEASED].map(|bit| usize::from(state & bit != 0));
        self.counts.known[usize::from(is_bad)][recorded][draft] += 1;
    }
}

/// What the outcomes that stand say.
fn standing_bits(told: &[OutcomeBit]) -> u16 {
    let said: Vec<Said<u64, u64>> = told.iter().map(|(said, _)| *said).collect();
    let all = told.iter().zip(standing(&said));
    let bits = all.filter(|(_, found)| *found == Standing::Stands).map(|((_, bit), _)| bit);
    bits.fold(0, |all, bit| all | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASED_THEN_STOPPED: Treatment =
        Treatment { recorded_releases: true, draft_releases: false };

    fn heads() -> Vec<HeadId> {
        ["a", "b"].map(|name| HeadId(name.into())).to_vec()
    }

    /// Bad from a value of a half on.
    fn label(head: &str, value: f64, matures_at: Option<i64>) -> Truth {
        let matures_at = matures_at.map(Timestamp);
        Truth::Labeled { head: HeadId(head.into()), is_bad: 0.5 <= value, matures_at }
    }

    fn good(id: u64) -> Truth {
        let said = Said { id, key: None, occurred_at: Timestamp(0), retracts: None };
        Truth::Outcome { said, is_bad: Some(false) }
    }

    fn bad(id: u64) -> Truth {
        let said = Said { id, key: None, occurred_at: Timestamp(0), retracts: None };
        Truth::Outcome { said, is_bad: Some(true) }
    }

    fn taken_back(id: u64) -> Truth {
        let occurred_at = Timestamp(0);
        let said = Said { id: 100 + id, key: None, occurred_at, retracts: Some(id) };
        Truth::Outcome { said, is_bad: None }
    }

    fn about(n: u8) -> About {
        About { order: Some([n; 6]), decision: None }
    }

    fn check(facts: &[Truth]) -> KnownTruth {
        let mut truths = Truths::new(heads(), Timestamp(100));
        truths.judged([1; 6], [201; 6], RELEASED_THEN_STOPPED);
        for fact in facts {
            truths.told(about(1), fact);
        }
        truths.report()
    }

    #[test]
    fn an_order_is_good_once_every_head_says_so_for_good() {
        let whole = [label("a", 0.0, Some(100)), label("b", 0.0, None)];
        let known = check(&whole);
        assert_eq!((known.good, known.bad, known.not_known), (1, 0, 0));
        assert_eq!((known.good_newly_stopped.count, known.good_newly_stopped.of), (1, 1));
        for facts in [&whole[..1], &[label("a", 0.0, Some(101)), whole[1].clone()], &[]] {
            let known = check(facts);
            assert_eq!((known.good, known.bad, known.not_known), (0, 0, 1), "{facts:?}");
        }
    }

    #[test]
    fn one_bad_word_makes_an_order_bad_whatever_else_is_told() {
        for facts in [
            vec![Truth::Bad],
            vec![label("b", 1.0, Some(900))],
            vec![label("a", 0.0, None), label("b", 0.0, None), label("a", 1.0, None)],
            vec![good(1), Truth::Bad],
            vec![good(1), bad(2)],
        ] {
            let known = check(&facts);
            assert_eq!((known.good, known.bad), (0, 1), "{facts:?}");
            assert_eq!((known.bad_newly_stopped.count, known.bad_newly_stopped.of), (1, 1));
        }
    }

    #[test]
    fn what_was_taken_back_says_nothing_whenever_that_was_told() {
        let counts = |facts: &[Truth]| {
            let known = check(facts);
            (known.good, known.bad, known.not_known)
        };
        let (bad, good) = (bad(1), good(2));
        assert_eq!(counts(&[bad.clone(), taken_back(1)]), (0, 0, 1));
        assert_eq!(counts(&[taken_back(1), bad.clone()]), (0, 0, 1));
        assert_eq!(counts(&[taken_back(1), good.clone(), bad.clone()]), (1, 0, 0));
        // Another one was taken back; a charge-back that was told as such is none of them.
        assert_eq!(counts(&[bad.clone(), taken_back(2), good]), (0, 1, 0));
        assert_eq!(counts(&[bad, taken_back(1), Truth::Bad]), (0, 1, 0));
    }

    #[test]
    fn a_label_of_a_head_that_is_no_risk_here_says_nothing() {
        assert_eq!(check(&[label("return", 1.0, None)]).not_known, 1);
    }

    #[test]
    fn facts_find_their_order_by_decision_too_and_strays_are_counted() {
        let mut truths = Truths::new(heads(), Timestamp(0));
        truths.judged([1; 6], [201; 6], RELEASED_THEN_STOPPED);
        truths.told(About { order: None, decision: Some([201; 6]) }, &good(1));
        truths.told(about(7), &good(1));
        let known = truths.report();
        assert_eq!((known.good, known.facts_elsewhere), (1, 1));
    }

    #[test]
    fn beyond_the_most_orders_the_oldest_is_given_up() {
        let mut truths = Truths::with_room(heads(), Timestamp(0), 2);
        for n in 1..=3 {
            truths.judged([n; 6], [200 + n; 6], RELEASED_THEN_STOPPED);
        }
        for n in 1..=3 {
            truths.told(about(n), &good(1));
        }
        let known = truths.report();
        assert_eq!((known.good, known.not_known, known.facts_elsewhere), (2, 1, 1));
    }
}
