//! Which orders people look at when there is not time for all.
//!
//! First come those that gain most by a minute of a person: value of a review minus
//! value of the best other action, over its minutes. A share of the places is drawn at
//! random from all that would wait, by a keyed hash of the decision's id. So every order
//! has a known probability above 0 of being looked at, its propensity, and what is
//! learned from reviewed orders can be weighted back to all of them (Horvitz and
//! Thompson, "A generalization of sampling without replacement from a finite universe",
//! 1952).
//!
//! A place is as long as the longest review that waits, so no draw exceeds the time.

use crate::domain::decision::DecisionId;
use crate::domain::review_queue::Place;

/// An order that waits for a person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    /// The decision about it.
    pub decision_id: DecisionId,
    /// What a review gains over the best other action, minor units; may be negative.
    pub gain_minor: f64,
    /// How long it takes; above 0.
    pub minutes: f64,
}

/// How much time there is, and how it is given out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueueRule<'k> {
    /// Minutes of all reviewers together.
    pub minutes: f64,
    /// Share of the places that are drawn at random.
    pub random_share: f64,
    /// Key of the draws; whoever knows it can repeat them.
    pub key: &'k [u8; 32],
}

/// What the queue does about one waiting order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Its place.
    pub place: Place,
    /// Probability, over the keys, that somebody looks at it.
    pub propensity: f64,
}

/// Gives out the time; one answer per waiting order, in their order.
pub fn give_out(waiting: &[Waiting], rule: &QueueRule<'_>) -> Vec<Placed> {
    give_out_ranked(waiting, rule, &rank(waiting))
}

/// The same, with the positions of the orders in the order in which to take them: by rank, the
/// drawn ones spread evenly among them (nobody gets to an end), then those that wait, by rank.
pub fn give_out_in_sequence(
    waiting: &[Waiting],
    rule: &QueueRule<'_>,
) -> (Vec<Placed>, Vec<usize>) {
    let ranked = rank(waiting);
    let placed = give_out_ranked(waiting, rule, &ranked);
    let sequence = sequence(&ranked, &placed);
    (placed, sequence)
}

fn give_out_ranked(waiting: &[Waiting], rule: &QueueRule<'_>, ranked: &[usize]) -> Vec<Placed> {
    let mut placed = vec![Placed { place: Place::Waits, propensity: 0.0 }; waiting.len()];
    let longest = waiting.iter().map(|order| order.minutes).fold(0.0, f64::max);
    if longest <= 0.0 {
        return placed;
    }
    // Whole places, and a chance of one more.
    let n_drawn = rule.random_share * (rule.minutes / longest).floor().max(0.0);
    let chance = n_drawn.fract();
    for (n, share) in [(n_drawn.floor(), 1.0 - chance), (n_drawn.ceil(), chance)] {
        let split = Split::new(waiting, ranked, rule.minutes, (n, longest));
        for (at, idx) in ranked.iter().enumerate() {
            placed[*idx].propensity += share * split.propensity(at);
        }
    }
    let has_more = coin(rule.key) < chance;
    let n = if has_more { n_drawn.ceil() } else { n_drawn.floor() };
    let split = Split::new(waiting, ranked, rule.minutes, (n, longest));
    for idx in &ranked[..split.n_ranked] {
        placed[*idx].place = Place::Ranked;
    }
    let others = ranked[split.n_ranked..].iter();
    let number = |idx: &usize| (draw_number(rule.key, waiting[*idx].decision_id), *idx);
    let mut others: Vec<(u64, usize)> =
        if split.n_drawn == 0 { Vec::new() } else { others.map(number).collect() };
    // The lowest numbers, in whatever order.
    if 0 < split.n_drawn && split.n_drawn < others.len() {
        others.select_nth_unstable(split.n_drawn - 1);
    }
    for (_, idx) in others.into_iter().take(split.n_drawn) {
        placed[idx].place = Place::Drawn;
    }
    placed
}

/// How many places go to the first ranked and how many are drawn from the others.
struct Split {
    n_ranked: usize,
    n_drawn: usize,
    n_waiting: usize,
}

impl Split {
    fn new(
        waiting: &[Waiting],
        ranked: &[usize],
        minutes: f64,
        (n_drawn, longest): (f64, f64),
    ) -> Self {
        let mut left = minutes - n_drawn * longest;
        let fits = |idx: &&usize| {
            left -= waiting[**idx].minutes;
            0.0 <= left
        };
        let n_ranked = ranked.iter().take_while(fits).count();
        let n_others = ranked.len() - n_ranked;
        let n_drawn = (0..n_others).take_while(|n| (*n as f64) < n_drawn).count();
        Self { n_ranked, n_drawn, n_waiting: n_others }
    }

    /// Of the order at a rank, from 0.
    fn propensity(&self, at: usize) -> f64 {
        if at < self.n_ranked { 1.0 } else { self.n_drawn as f64 / self.n_waiting as f64 }
    }
}

fn sequence(ranked: &[usize], placed: &[Placed]) -> Vec<usize> {
    let of = |place: Place| ranked.iter().copied().filter(move |idx| placed[*idx].place == place);
    let (n_ranked, n_drawn) = (of(Place::Ranked).count(), of(Place::Drawn).count());
    let mut sequence = Vec::with_capacity(ranked.len());
    let mut drawn = of(Place::Drawn);
    let mut n_taken = 0;
    for (n, idx) in of(Place::Ranked).enumerate() {
        sequence.push(idx);
        // As many drawn ones have come as their share of the ranked ones so far.
        while n_taken * n_ranked < (n + 1) * n_drawn {
            sequence.extend(drawn.next());
            n_taken += 1;
        }
    }
    sequence.extend(drawn);
    sequence.extend(of(Place::Waits));
    sequence
}

/// Positions, most gain per minute first; equal ones by id.
fn rank(waiting: &[Waiting]) -> Vec<usize> {
    let keyed = |(idx, it): (usize, &Waiting)| (it.gain_minor / it.minutes, it.decision_id, idx);
    let mut ranked: Vec<(f64, DecisionId, usize)> = waiting.iter().enumerate().map(keyed).collect();
    ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    ranked.into_iter().map(|(_, _, idx)| idx).collect()
}

/// The number on which an order is drawn: the lowest are.
fn draw_number(key: &[u8; 32], id: DecisionId) -> u64 {
    first_number(&blake3::keyed_hash(key, id.0.as_bytes()))
}

/// A number in [0, 1) that decides about the last place.
fn coin(key: &[u8; 32]) -> f64 {
    // 53 bits: as many as an `f64` keeps.
    (first_number(&blake3::keyed_hash(key, b"one more place")) >> 11) as f64 / (1_u64 << 53) as f64
}

fn first_number(hash: &blake3::Hash) -> u64 {
    let mut first = [0_u8; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn waiting(gains: &[(f64, f64)]) -> Vec<Waiting> {
        let order = |(n, (gain_minor, minutes)): (usize, &(f64, f64))| Waiting {
            decision_id: DecisionId(Uuid::from_u128(n as u128)),
            gain_minor: *gain_minor,
            minutes: *minutes,
        };
        gains.iter().enumerate().map(order).collect()
    }

    fn key(n: u64) -> [u8; 32] {
        *blake3::hash(&n.to_le_bytes()).as_bytes()
    }

    #[test]
    fn without_random_places_the_most_gain_per_minute_comes_first() {
        let orders = waiting(&[(10.0, 5.0), (100.0, 5.0), (-1.0, 5.0), (30.0, 5.0)]);
        let rule = QueueRule { minutes: 10.0, random_share: 0.0, key: &key(1) };
        let given = give_out(&orders, &rule);
        let places: Vec<Place> = given.iter().map(|it| it.place).collect();
        assert_eq!(places, [Place::Waits, Place::Ranked, Place::Waits, Place::Ranked]);
        assert!(given[2].propensity.abs() < 1e-12);
    }

    #[test]
    fn drawn_orders_are_spread_evenly_among_the_ranked_ones() {
        let gains: Vec<(f64, f64)> = (0..60).map(|n| (f64::from(n), 6.0)).collect();
        let orders = waiting(&gains);
        let rule = QueueRule { minutes: 120.0, random_share: 0.2, key: &key(3) };
        let (placed, sequence) = give_out_in_sequence(&orders, &rule);
        let letters: String = sequence
            .iter()
            .map(|idx| match placed[*idx].place {
                Place::Ranked => 'r',
                Place::Drawn => 'd',
                Place::Waits => 'w',
            })
            .collect();
        assert_eq!(letters, format!("rdrrrrdrrrrdrrrrdrrr{}", "w".repeat(40)));
        let mut all = sequence;
        all.sort_unstable();
        assert!(all.into_iter().eq(0..60));
    }

    #[test]
    fn without_time_for_one_review_everybody_waits() {
        let orders = waiting(&[(10.0, 5.0), (100.0, 5.0)]);
        let rule = QueueRule { minutes: 4.9, random_share: 0.5, key: &key(1) };
        assert!(give_out(&orders, &rule).iter().all(|it| it.place == Place::Waits));
        assert_eq!(give_out(&[], &rule), []);
    }

    #[test]
    fn the_draws_are_unbiased_and_as_often_as_the_propensities_say() {
        let gains: Vec<(f64, f64)> = (0..40).map(|n| (f64::from(n), 6.0)).collect();
        let orders = waiting(&gains);
        let truth: f64 = orders.iter().map(|order| order.gain_minor).sum();
        let (n_keys, mut weighted) = (4_000_u64, 0.0);
        let mut seen = [0_u32; 40];
        let mut propensities = [0.0; 40];
        for n in 0..n_keys {
            // 15 places, 1.5 of them at random: sometimes one, sometimes two.
            let rule = QueueRule { minutes: 90.0, random_share: 0.1, key: &key(n) };
            for (at, it) in give_out(&orders, &rule).into_iter().enumerate() {
                propensities[at] = it.propensity;
                if it.place != Place::Waits {
                    seen[at] += 1;
                    weighted += orders[at].gain_minor / it.propensity;
                }
            }
        }
        for (at, propensity) in propensities.into_iter().enumerate() {
            let share = f64::from(seen[at]) / n_keys as f64;
            let noise = (propensity * (1.0 - propensity) / n_keys as f64).sqrt();
            assert!(0.0 < propensity, "order {at} has no chance");
            assert!((share - propensity).abs() <= 5.0 * noise, "{at}: {share}, not {propensity}");
        }
        let mean = weighted / n_keys as f64;
        assert!((mean / truth - 1.0).abs() < 0.02, "weighted back to {mean} of {truth}");
    }

    proptest! {
        #[test]
        fn the_time_is_never_exceeded_and_higher_gain_comes_first(
            gains in proptest::collection::vec((-50.0..500.0_f64, 0.5..9.0_f64), 0..60),
            minutes in 0.0..200.0_f64,
            random_share in 0.0..=1.0_f64,
            seed in any::<u64>(),
        ) {
            let orders = waiting(&gains);
            let rule = QueueRule { minutes, random_share, key: &key(seed) };
            let placed = give_out(&orders, &rule);
            let taken = orders.iter().zip(&placed).filter(|(_, it)| it.place != Place::Waits);
            let used: f64 = taken.map(|(order, _)| order.minutes).sum();
            prop_assert!(used <= minutes + 1e-9);
            let per_minute = |order: &Waiting| order.gain_minor / order.minutes;
            let of = |place: Place| {
                let pairs = orders.iter().zip(&placed).filter(move |(_, it)| it.place == place);
                pairs.map(|(order, _)| per_minute(order))
            };
            let least = of(Place::Ranked).fold(f64::INFINITY, f64::min);
            let most = of(Place::Waits).chain(of(Place::Drawn)).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(most <= least);
            let longest = orders.iter().map(|order| order.minutes).fold(0.0, f64::max);
            let has_random = longest <= minutes && 0.0 < random_share;
            for it in &placed {
                prop_assert!(0.0 <= it.propensity && it.propensity <= 1.0 + 1e-12);
                prop_assert!(!has_random || 0.0 < it.propensity);
                prop_assert!(it.place == Place::Waits || 0.0 < it.propensity);
            }
        }
    }
}
